"""Study record → FHIR dictionaries and back: pure functions, no clock, no randomness."""
