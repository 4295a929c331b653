"""A second implementation of FHIR for tests; see ``server.py``."""
