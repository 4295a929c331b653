"""Files as Orthanc takes them, and as it gives them back."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from pydicom import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian

from deidfhir.dicom.evidence import FILE_META
from deidfhir.model.attributes import attributes

_MAPPED = {*attributes("object"), 0x00080005}
_LONG = (b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN")
_EVIDENCE = frozenset(tag & 0xFFFF for tag in attributes(FILE_META) if tag >> 16 == 2)
"""What may support the recognition of a tool; WADO-RS metadata has no group 0002 (PS3.18 F.2)."""


def part10(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of files; DICOM JSON is written as Part 10 files.

    Args:
        paths: Part 10 files, and `.json` that hold DICOM JSON.
    """
    for path in paths:
        if path.suffix != ".json":
            yield path.name, path.read_bytes()
            continue
        found = json.loads(path.read_text(encoding="utf-8"))
        for number, one in enumerate(found if isinstance(found, list) else [found]):
            # The rest may be nothing that a file can hold, such as bulk data elsewhere.
            mapped = {
                tag: content
                for tag, content in one.items()
                if int(tag, 16) in _MAPPED and "BulkDataURI" not in content
            }
            yield f"{path.stem}-{number}.dcm", _encoded(Dataset.from_json(mapped))


def _encoded(dataset: Dataset) -> bytes:
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def without_evidence(data: bytes) -> bytes:
    """Return a Part 10 file without what its File Meta says of who wrote it.

    Args:
        data: The file; what has no preamble stays as it is.
    """
    if data[128:132] != b"DICM":
        return data
    pos, kept = 132, b""
    while data[pos : pos + 2] == b"\x02\x00":
        element, vr = struct.unpack_from("<H2s", data, pos + 2)
        start = pos + (12 if vr in _LONG else 8)
        (length,) = struct.unpack_from(
            "<I" if vr in _LONG else "<H", data, start - (4 if vr in _LONG else 2)
        )
        if element and element not in _EVIDENCE:
            kept += data[pos : start + length]
        pos = start + length
    group = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(kept))
    return data[:132] + group + kept + data[pos:]
