"""A corpus as archives have it: long CT headers, the usual transfer syntaxes, private blobs.

Half of the objects are explicit, a quarter implicit, the others JPEG or now and then deflated;
one in forty has a private blob before group 0028.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
)

from tests.synthetic.objects import codes, element, equipment, instance, item, write

_SERIES, _INSTANCES = 4, 50
_BLOB = 20_000
_PRIVATE = {0x0009: 6, 0x0019: 38, 0x0021: 14, 0x0027: 16, 0x0043: 22}
"""Group → how many private elements it has, as in a CT of a well-known maker."""


def make(folder: Path, studies: int, pixels: int = 16_384) -> int:
    """Write a corpus, a folder a series; return how many files it has.

    Args:
        folder: Where; what is there is left.
        studies: How many, of four series of fifty instances each.
        pixels: Bytes of pixel data in each.
    """
    count = 0
    for study in range(1, studies + 1):
        for series in range(1, _SERIES + 1):
            for number in range(1, _INSTANCES + 1):
                path = folder / f"{study:05}" / f"{series:02}" / f"{number:04}.dcm"
                write(archived(study, series, number, pixels), path, _syntax(count, series))
                count += 1
    return count


def _syntax(count: int, series: int) -> str:
    if count % 40 == 39:
        return DeflatedExplicitVRLittleEndian
    kinds = (ExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian)
    return (*kinds, JPEGLosslessSV1)[series % _SERIES]


def archived(study: int, series: int, number: int, pixels: int) -> Dataset:
    """Return one object.

    Args:
        study: Number of the study.
        series: Number of the series in it.
        number: Number of the instance in that.
        pixels: Bytes of pixel data; 0 for none.
    """
    made = instance(
        study,
        series,
        number,
        **_markers(),
        ImageType=("ORIGINAL", "PRIMARY", "AXIAL"),
        StudyDate="20200101",
        SeriesDate="20200101",
        StudyTime="101500",
        SeriesTime=f"1016{series:02}",
        StudyDescription="CT ABDOMEN",
        SeriesDescription=f"SERIES {series}",
        BodyPartExamined="ABDOMEN",
        **_geometry(number),
    )
    for group, elements in _PRIVATE.items():
        made.add(element(group << 16 | 0x10, "LO", "MAKER_PRIVATE_01"))
        for one in range(elements):
            differs = number if one % 16 == 15 else series
            made.add(element(group << 16 | 0x1000 + one, "DS", f"{one}.{differs}"))
    if number % 40 == 0:
        made.add(element(0x00091050, "OB", bytes(_BLOB)))
    made.add(element("PixelData", "OW", struct.pack("<H", number) * (pixels // 2)))
    return made


def _markers() -> dict[str, Any]:
    return {
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": ("tool 1.0", "profile 2020b"),
        "DeidentificationMethodCodeSequence": codes("113100", "113105", "113107", "113111"),
        "ContributingEquipmentSequence": [
            equipment(Manufacturer="Acme", SoftwareVersions="1.0"),
            equipment(Manufacturer="Acme", SoftwareVersions="2.0"),
        ],
        "BurnedInAnnotation": "NO",
        "RecognizableVisualFeatures": "NO",
        "LongitudinalTemporalInformationModified": "MODIFIED",
    }


def _geometry(number: int) -> dict[str, Any]:
    referenced = item(
        ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID="1.2.3.4"
    )
    return {
        "ReferencedImageSequence": [referenced] * 3,
        "ReferencedStudySequence": [referenced],
        "ImagePositionPatient": ("-120.5", "-98.25", f"{number * 1.25:.2f}"),
        "ImageOrientationPatient": ("1", "0", "0", "0", "1", "0"),
        "SliceLocation": f"{number * 1.25:.2f}",
        "SliceThickness": "1.25",
        "KVP": "120",
        "ExposureTime": "500",
        "XRayTubeCurrent": "210",
        "ConvolutionKernel": "STANDARD",
        "GantryDetectorTilt": "0",
        "TableHeight": "151.2",
        "PixelSpacing": ("0.7", "0.7"),
        "WindowCenter": ("40", "400"),
        "WindowWidth": ("350", "1500"),
        "RescaleIntercept": "-1024",
        "RescaleSlope": "1",
        "AcquisitionNumber": "1",
        "FrameOfReferenceUID": "1.2.826.0.1.3680043.8.498.62.77",
    }
