"""HTTP: requests to one server, with what lets them in, at the pace that it takes."""
