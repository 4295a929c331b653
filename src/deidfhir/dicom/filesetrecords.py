"""The records of a DICOMDIR (PS3.3 F; PS3.10 8): which files belong to its file-set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deidfhir.dicom.directory import CLASS
from deidfhir.dicom.elements import ObjectSkipped

_NOT_IN_USE = 0


def referenced_files(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the number of each record in use that names a file, and its Referenced File ID.

    That is the folders and the file's name, as they stand. Records are taken in their order,
    whether the offsets between them are right or not.

    Args:
        path: The DICOMDIR.

    Raises:
        ObjectSkipped: `file-unreadable` or `dicomdir-damaged`.
    """
    yield from _read(path)


def _read(path: Path) -> list[tuple[int, tuple[str, ...]]]:
    """Return what `referenced_files` yields: pydicom may find what is broken as late as there."""
    from pydicom import dcmread  # noqa: PLC0415 - most runs never need it

    from deidfhir.dicom.quiet import quiet  # noqa: PLC0415

    try:
        with quiet():
            if not path.is_file():  # a pipe would be waited for
                raise ObjectSkipped("dicomdir-damaged")
            found = dcmread(path)
            if found.file_meta.get("MediaStorageSOPClassUID") != CLASS or _is_cut(found):
                raise ObjectSkipped("dicomdir-damaged")
            records = list(found["DirectoryRecordSequence"].value or ())
            return [(number, _parts(one)) for number, one in _in_use(records) if _parts(one)]
    except ObjectSkipped:
        raise
    except OSError as error:
        # pydicom reports broken bytes as OSError too; only the system's errors carry a number.
        code = "file-unreadable" if error.errno else "dicomdir-damaged"
    except Exception:  # noqa: BLE001 - pydicom raises whatever the broken bytes lead it to
        code = "dicomdir-damaged"
    raise ObjectSkipped(code)


def _is_cut(found: Any) -> bool:  # noqa: ANN401 - a data set
    """Whether the records end before they should, which pydicom takes for fewer records."""
    element = found.get_item("DirectoryRecordSequence")
    value, length = getattr(element, "value", None), getattr(element, "length", None)
    return isinstance(value, bytes) and isinstance(length, int) and len(value) < length


def _parts(record: Any) -> tuple[str, ...]:  # noqa: ANN401 - a data set
    named = record.get("ReferencedFileID")
    if not named:
        return ()
    return (str(named),) if isinstance(named, str) else tuple(map(str, named))


def _in_use(records: list[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the records that are in use: one that is not has none below it (PS3.3 F.3.2.2)."""
    by_place = {getattr(one, "seq_item_tell", None): one for one in records}
    waiting = [one for one in records if one.get("RecordInUseFlag", 0xFFFF) == _NOT_IN_USE]
    left_out = set(map(id, waiting))
    while waiting:
        below = by_place.get(waiting.pop().get("OffsetOfReferencedLowerLevelDirectoryEntity"))
        while below is not None and id(below) not in left_out:
            left_out.add(id(below))
            waiting.append(below)
            below = by_place.get(below.get("OffsetOfTheNextDirectoryRecord"))
    for number, one in enumerate(records, start=1):
        if id(one) not in left_out:
            yield number, one
