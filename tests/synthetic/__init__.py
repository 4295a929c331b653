"""Synthetic DICOM objects for the tests and the demo: no patient, no copied file, no clock."""
