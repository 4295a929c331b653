"""Bytes of a value → plain strings, exactly as pydicom and `dicom.dataset` give them."""

from __future__ import annotations

import re

from deidfhir.dicom.elements import CHARSET_VRS, ITEM_TAGS, SINGLE_VRS, settled
from deidfhir.dicom.scan.signs import OddError
from deidfhir.model.attributes import Attribute

# PS3.3 C.12.1.1.2; what is not written is read as Latin-1, as pydicom does.
_CODECS = {b"": "iso8859-1", b"ISO_IR 6": "iso8859-1", b"ISO_IR 100": "iso8859-1"} | {
    b"ISO_IR 192": "utf-8"
}
_TERM = re.compile(rb"|ISO_IR \d{1,3}|ISO 2022 IR \d{1,3}|GB18030|GBK")
_ESCAPE = b"\x1b"


def codec_of(raw: bytes | None) -> str:
    """Return the codec of texts, or an empty one if only ASCII is certain.

    Args:
        raw: The value of Specific Character Set (0008,0005), or None where it is absent.

    Raises:
        OddError: It is none of the standard's.
    """
    stated = (raw or b"").rstrip(b" \0")
    if not all(_TERM.fullmatch(one.strip(b" ")) for one in stated.split(b"\\")):
        raise OddError
    return _CODECS.get(stated, "")


def decoded(raw: bytes, attribute: Attribute, codec: str) -> tuple[str, ...]:
    """Return the values of an element.

    Args:
        raw: Its bytes.
        attribute: Its row; the standard's VR counts, not the written one.
        codec: That of the object's texts.

    Raises:
        OddError: What it says depends on more than these bytes.
    """
    if raw.startswith(ITEM_TAGS):
        raise OddError
    if attribute.vr not in CHARSET_VRS or raw.isascii():
        if _ESCAPE in raw:
            raise OddError
        text = raw.decode("iso8859-1")
    else:
        text = _text(raw, codec)
    if attribute.vr in SINGLE_VRS or "\\" not in text:
        value = text.rstrip(" \0")
        return (value,) if value else ()
    return settled(tuple(one.rstrip(" \0") for one in text.split("\\")))


def _text(raw: bytes, codec: str) -> str:
    if not codec or _ESCAPE in raw:
        raise OddError
    try:
        return raw.decode(codec)
    except UnicodeError:
        raise OddError from None
