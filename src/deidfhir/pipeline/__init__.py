"""The joiners: PATHs → studies → FHIR → target. The only room that knows all others."""
