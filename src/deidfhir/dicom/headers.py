"""A Part 10 file, or a stream of one → wanted elements: the header alone, never pixels."""

from __future__ import annotations

from pathlib import Path

from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.scan.prefix import Opened, Read, begun, opened, scanned


def look_at(path: str) -> Opened:
    """Return what a file begins with, and its header where the scan can tell it.

    Args:
        path: The file.

    Raises:
        ObjectSkipped: `file-unreadable`.
    """
    try:
        return opened(path)
    except (OSError, ValueError) as error:
        raise ObjectSkipped("file-unreadable") from error


def header_by_fallback(path: Path | bytes) -> Header:
    """Return the wanted elements of a file that the scan leaves alone.

    Args:
        path: The file, or all its bytes.

    Raises:
        ObjectSkipped: `file-unreadable`, `truncated`, `not-dicom` or `damaged`.
    """
    from deidfhir.dicom.fallback import header_by_pydicom  # noqa: PLC0415 - most runs never need it

    return header_by_pydicom(path)


def read_header(path: Path) -> Header:
    """Return the wanted elements of a file with or without preamble, in any transfer syntax.

    The scan gives just what pydicom would, or nothing: then pydicom says what the file states, or
    why it states nothing.

    Args:
        path: The file.

    Raises:
        ObjectSkipped: `file-unreadable`, `truncated`, `not-dicom` or `damaged`.
    """
    header = look_at(str(path)).header
    return header_by_fallback(path) if header is None else header


def header_of_bytes(content: bytes) -> Header:
    """Return the wanted elements of an object that did not come as a file, as `read_header` does.

    Args:
        content: All bytes that a file of it would hold.

    Raises:
        ObjectSkipped: `truncated`, `not-dicom` or `damaged`.
    """
    header = scanned(content)
    return header_by_fallback(content) if header is None else header


def look_into(read: Read) -> tuple[bytes, Header | None]:
    """Return what was read of a stream, and its header where the scan can tell it.

    Args:
        read: Gives its next bytes.
    """
    return begun(read)


def header_of_stream(head: bytes, read: Read, size: int, most: int) -> Header:
    """Return the wanted elements of a stream that the scan leaves alone.

    Args:
        head: What was read of it.
        read: Gives what follows.
        size: Its bytes, with those that were read.
        most: Bytes that may be held in memory.

    Raises:
        ObjectSkipped: `truncated`, `not-dicom`, `damaged` or `object-too-large`.
        SkippableError: What `read` raises.
    """
    from deidfhir.dicom.fallback import header_in  # noqa: PLC0415 - most runs never need it
    from deidfhir.dicom.held import Held  # noqa: PLC0415

    return header_in(Held(head, read, most), size)  # type: ignore[arg-type]
