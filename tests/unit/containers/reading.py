"""What members of a container give."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from deidfhir.containers.faults import ContainerError, MemberError
from deidfhir.containers.limits import DEFAULT, Limits
from deidfhir.containers.opening import members_of

_PIECE = 1000

Given = list[tuple[str, bytes | str]]


def limits(**changed: Any) -> Limits:  # noqa: ANN401
    """Return the usual limits with some others."""
    return replace(DEFAULT, **changed)


def given(name: str, data: bytes, within: Limits = DEFAULT, *, most: int = 1 << 40) -> Given:
    """Return each member's name with what it holds, or the code of why it cannot be read.

    What ends the container stands last, beside an empty name.

    Args:
        name: The container's.
        data: What it holds.
        within: Its limits.
        most: Bytes that are read of each member.
    """
    found: Given = []
    try:
        for one in members_of(name, io.BytesIO(data), len(data), within):
            try:
                found.append((one.name, one.trouble or _read(one.read, most)))
            except MemberError as error:
                found.append((one.name, error.code))
    except ContainerError as error:
        found.append(("", error.code))
    return found


def _read(read: Any, most: int) -> bytes:  # noqa: ANN401
    pieces, left = [], most
    while left and (data := read(min(_PIECE, left))):
        pieces.append(data)
        left -= len(data)
    return b"".join(pieces)
