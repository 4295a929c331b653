"""The header scan: wanted elements straight from bytes; whatever is odd is left to pydicom."""
