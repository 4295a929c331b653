"""How a site gets at its FHIR server: credentials, TLS, proxy and headers."""
