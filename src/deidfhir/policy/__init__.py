"""What a site decides about what may leave: the policy, its rulings, its keys. Knows no FHIR."""
