"""A real Orthanc with its DICOMweb plugin, on loopback."""
