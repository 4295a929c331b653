"""FHIR's mechanics: versions, extensions, the check by fhir.resources. Knows no DICOM."""
