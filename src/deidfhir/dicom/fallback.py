"""A Part 10 file → wanted elements by pydicom: what the scan does not know, why a file fails."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.filereader import read_partial
from pydicom.uid import DeflatedExplicitVRLittleEndian

from deidfhir.dicom.dataset import header_of_dataset
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.evidence import PRIVATE_CREATORS
from deidfhir.dicom.quiet import quiet
from deidfhir.errors import SkippableError
from deidfhir.model.attributes import attributes, last_marker_tag, last_tag

_ITEM_DELIMITERS = (0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD)
_MOST_INFLATED, _STEP = 256 << 20, 1 << 20
"""Bytes of a deflated data set: pydicom inflates all of it, and a few may become very many."""


def header_by_pydicom(path: Path | bytes) -> Header:
    """Return the wanted elements of a file with or without preamble, in any transfer syntax.

    Args:
        path: The file, or all its bytes.

    Raises:
        ObjectSkipped: `file-unreadable`, `truncated`, `not-dicom`, `damaged` or
            `deflated-too-large`.
    """
    if isinstance(path, bytes):
        return header_in(BytesIO(path), len(path))
    try:
        with path.open("rb") as stream:
            return header_in(stream, path.stat().st_size)
    except OSError as error:
        raise ObjectSkipped("file-unreadable") from error


def header_in(stream: IO[bytes], size: int) -> Header:
    """Return the wanted elements of the object that a stream holds.

    A header that ends early is an error of its own: an attribute that was cut off must never look
    like one that is absent. Only what stands after the last marker may be broken.

    Args:
        stream: It can be sought in.
        size: Its bytes.

    Raises:
        ObjectSkipped: `file-unreadable`, `truncated`, `not-dicom` or `damaged`.
        SkippableError: What the stream raises.
    """
    try:
        return _attempt(stream, size, last_tag())
    except ObjectSkipped as whole:
        if whole.code not in ("truncated", "not-dicom", "object-too-large"):
            raise
        try:
            header = _attempt(stream, size, last_marker_tag(), must_pass=True)
        except ObjectSkipped:
            raise whole from None
        return header._replace(tail_broken=True)


def _attempt(stream: IO[bytes], size: int, last: int, *, must_pass: bool = False) -> Header:
    try:
        stream.seek(0)
        return _read(stream, size, last, must_pass=must_pass)
    except SkippableError:
        raise
    except OSError as error:
        # pydicom reports broken bytes as OSError too; only the system's errors carry a number.
        code = "file-unreadable" if error.errno else "truncated"
    except (EOFError, zlib.error):
        code = "truncated"
    except Exception:  # noqa: BLE001 - pydicom raises whatever the broken bytes lead it to
        code = "not-dicom"
    raise ObjectSkipped(code)


def _read(stream: IO[bytes], size: int, last: int, *, must_pass: bool) -> Header:
    passed_last = False

    def past_the_last(tag: int, _vr: str | None, _length: int) -> bool:
        nonlocal passed_last
        if tag > last and tag not in _ITEM_DELIMITERS:
            passed_last = True
        return passed_last

    watched = _Watched(stream)
    with quiet():
        dataset = read_partial(
            watched,  # type: ignore[arg-type]
            stop_when=past_the_last,
            force=True,
            specific_tags=[*attributes("object"), *PRIVATE_CREATORS],
        )
        if must_pass and not passed_last:
            raise ObjectSkipped("truncated")
        if not passed_last:
            _require_whole(dataset, watched, size)
        return header_of_dataset(dataset)


class _Watched:
    """A stream that remembers whether its last read gave anything: a whole file ends with none."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.name = ""
        self.last_read = 0
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.last_read = len(data)
        if size < 0:  # all that is left is read at once of a deflated data set alone
            _require_bounded(data)
        return data


def _require_bounded(deflated: bytes) -> None:
    inflating, rest, size = zlib.decompressobj(-zlib.MAX_WBITS), deflated, 0
    while rest and not inflating.eof:
        size += len(inflating.decompress(rest, _STEP))
        if size > _MOST_INFLATED:
            raise ObjectSkipped("deflated-too-large")
        rest = inflating.unconsumed_tail


def _require_whole(dataset: FileDataset, stream: _Watched, size: int) -> None:
    """Reject a header that ended before the last wanted tag for want of bytes."""
    if not len(dataset):
        raise ObjectSkipped("truncated" if len(dataset.file_meta) else "not-dicom")
    for tag in dataset.keys():  # noqa: SIM118 - iterating the data set would decode it
        element: Any = dataset.get_item(tag)
        if (
            isinstance(element, RawDataElement)
            and element.length != 0xFFFFFFFF
            and len(element.value or b"") < element.length
        ):
            raise ObjectSkipped("truncated")
    deflated = dataset.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian
    # A skipped element is sought over, also beyond the end; an element's head that is cut is read
    # as far as it goes.
    if not deflated and (stream.tell() != size or stream.last_read):
        raise ObjectSkipped("truncated")
