"""A stream → its lines, none of them longer than may be held."""

from __future__ import annotations

from collections.abc import Iterator

from deidfhir.containers.members import Read

_PIECE = 64 << 10


def lines_of(read: Read, longest: int) -> Iterator[bytes | None]:
    """Yield the lines of a stream without their ends; None for one that is too long.

    Args:
        read: Gives the next bytes.
        longest: Bytes that a line may have.
    """
    held, length = [b""], 0
    while data := read(_PIECE):
        *ended, rest = data.split(b"\n")
        for one in ended:
            yield b"".join((*held, one)) if length + len(one) <= longest else None
            held, length = [], 0
        length += len(rest)
        held = [*held, rest] if length <= longest else []
    if length:
        yield b"".join(held) if length <= longest else None
