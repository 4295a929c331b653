"""A service that a FHIR gateway asks: the mapping, verdicts and decisions, request by request."""
