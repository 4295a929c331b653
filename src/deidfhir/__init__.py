"""How DICOM images were de-identified, said in FHIR."""

__version__ = "0.1.0"
