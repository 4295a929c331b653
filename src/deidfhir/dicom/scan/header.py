"""Bytes from the beginning of a Part 10 file → its header, or the reason why not."""

from __future__ import annotations

import zlib

from deidfhir.dicom.elements import Elements, Header
from deidfhir.dicom.scan.layout import Walked
from deidfhir.dicom.scan.memory import Memory
from deidfhir.dicom.scan.meta import meta_of
from deidfhir.dicom.scan.root import Root
from deidfhir.dicom.scan.signs import OddError, ShortError
from deidfhir.dicom.scan.support import taken_evidence
from deidfhir.model.record import Evidence

# PS3.5 A: the others that are known are Explicit VR Little Endian with compressed pixels.
_IMPLICIT, _EXPLICIT = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_COMPRESSED = (b"1.2.840.10008.1.2.4.", b"1.2.840.10008.1.2.5")
_INFLATED = (1 << 13, 1 << 18)
"""Bytes of a deflated data set that are looked at, at first and at most."""

_MEMORY = Memory()


def header_of(data: bytes, *, whole: bool) -> Header:
    """Return what pydicom would deliver of a file, from its first bytes alone.

    Args:
        data: The file from its beginning on.
        whole: Whether that is all of it.

    Raises:
        ShortError: More of the file is needed.
        OddError: Only pydicom can tell.
    """
    if data[128:132] != b"DICM":
        raise OddError
    try:
        return _header(data, whole=whole)
    except ShortError:
        if whole:
            raise OddError from None  # it is cut: what that means is said elsewhere
        raise


def _header(data: bytes, *, whole: bool) -> Header:
    read = _MEMORY.read(data)
    if read is not None:
        if not read.passed and not whole:
            raise ShortError(len(data) + 1)
        return _made(read.found, read.evidence)
    meta, root, walked = _walked(data)
    if not root.passed and not (whole and walked is not None):
        raise ShortError(len(root.data) + 1)
    if walked is not None:
        _MEMORY.keep(walked)
    return _made(root.found, taken_evidence(meta, root.found))


def _walked(data: bytes) -> tuple[Elements, Root, Walked | None]:
    """Walk a file; what was inflated is no part of it, and not remembered."""
    meta = meta_of(data)
    syntax = meta.transfer_syntax
    if syntax == _DEFLATED:
        return meta.elements, _inflated_root(data, meta.end), None
    if syntax not in (_IMPLICIT, _EXPLICIT) and not syntax.startswith(_COMPRESSED):
        raise OddError
    root = Root(data, explicit=syntax != _IMPLICIT)
    root.walk(meta.end)
    marks = [*meta.marks, *root.marks]
    given = (root.explicit, root.codec, dict(meta.elements), dict(root.found), root.passed)
    return meta.elements, root, Walked(data, marks, *given)


def _made(found: Elements, evidence: Evidence) -> Header:
    if not found:
        raise OddError
    return Header(found, evidence=evidence)


def _inflated_root(data: bytes, pos: int) -> Root:
    """Walk a data set that is deflated; what a few of its bytes do not tell, more may."""
    for most in _INFLATED:
        root = Root(_inflated(data, pos, most), explicit=True)
        try:
            root.walk(0)
        except ShortError:
            if most == _INFLATED[-1]:
                raise
        if root.passed:
            break
    return root


def _inflated(data: bytes, pos: int, most: int) -> bytes:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[pos:], most)
    except zlib.error:
        raise OddError from None
