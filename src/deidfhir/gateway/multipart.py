"""multipart/related (RFC 2387, RFC 2046 5.1), as PS3.18 8.6 sends objects: strict, and bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from deidfhir.gateway.answers import refused
from deidfhir.gateway.media import MediaType, media_type

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")
_MOST_HEAD = 8 << 10
_AS_IS = (b"binary", b"8bit", b"7bit")


class Part(NamedTuple):
    """One part of a body.

    Args:
        form: Its media type.
        content: Its bytes.
    """

    form: MediaType
    content: bytes


def parts_of(body: bytes, form: MediaType, most: int) -> Iterator[Part]:
    """Yield the parts of a body; what stands before the first and after the last is passed over.

    Args:
        body: The body.
        form: Its media type, with the parameter `boundary`; `type` stands for parts without one.
        most: How many parts there may be.

    Raises:
        Refused: `multipart-broken`, `parts-too-many` or `content-not-supported`.
    """
    boundary = form.parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise refused("multipart-broken")
    mark = b"\r\n--" + boundary.encode("ascii")
    position = len(mark) - 2 if body.startswith(mark[2:]) else _after(body, mark, 0)
    count = 0
    while not body.startswith(b"--", position):
        begin = _line_end(body, position)
        end = body.find(mark, max(begin - 2, 0))
        if end < 0:
            raise refused("multipart-broken")
        count += 1
        if count > most:
            raise refused("parts-too-many")
        yield _part(body, begin, end, form)
        position = end + len(mark)


def _after(body: bytes, mark: bytes, start: int) -> int:
    """Return where the first boundary ends that does not stand at the very beginning."""
    found = body.find(mark, start)
    if found < 0:
        raise refused("multipart-broken")
    return found + len(mark)


def _line_end(body: bytes, position: int) -> int:
    """Return where the line of a boundary ends; beside it may stand nothing but white space."""
    end = body.find(b"\r\n", position, position + 200)
    if end < 0 or body[position:end].strip(b" \t"):
        raise refused("multipart-broken")
    return end + 2


def _part(body: bytes, begin: int, end: int, whole: MediaType) -> Part:
    if body.startswith(b"\r\n", begin):
        lines, start = [], begin + 2
    else:
        stop = body.find(b"\r\n\r\n", begin, min(end, begin + _MOST_HEAD))
        if stop < 0:
            raise refused("multipart-broken")
        lines, start = body[begin:stop].split(b"\r\n"), stop + 4
    headers: dict[bytes, bytes] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None or match[1].lower() in headers:
            raise refused("multipart-broken")
        headers[match[1].lower()] = match[2].strip()
    if headers.get(b"content-transfer-encoding", b"binary").lower() not in _AS_IS:
        raise refused("content-not-supported")
    stated = headers.get(b"content-type", b"").decode("latin-1")
    form = media_type(stated or whole.parameters.get("type", ""))
    if form is None:
        raise refused("content-not-supported")
    return Part(form, body[start:end])
