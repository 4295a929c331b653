"""A real HAPI FHIR JPA server for tests; see ``server.py``."""
