"""Reading DICOM: files, pydicom data sets and DICOM JSON become instances. Knows no FHIR."""
