"""A file → the members that it holds, by the kind of container that its name says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from typing import IO

from deidfhir.containers.limits import Limits
from deidfhir.containers.members import Member, nothing
from deidfhir.containers.names import TAR, ZIP, container_kind
from deidfhir.containers.tarmembers import members_of_tar
from deidfhir.containers.zipmembers import members_of_zip

_KINDS = {ZIP: members_of_zip, TAR: members_of_tar}
_DIGITS = 8


def members_of(name: str, stream: IO[bytes], size: int, limits: Limits) -> Iterator[Member]:
    """Yield the members of a container; each can be read until the next one is asked for.

    Of members that have one name, only the first is read: which one is meant, nobody can tell.

    Args:
        name: Its name.
        stream: The file.
        size: Its bytes.
        limits: What it is refused beyond.

    Raises:
        ContainerError: What follows cannot be read.
        OSError: The file cannot be read.
    """
    been: set[bytes] = set()
    for one in _KINDS[container_kind(name)](stream, size, limits):
        digest = blake2b(one.name.encode("utf-8", "surrogateescape"), digest_size=_DIGITS).digest()
        if digest in been and not one.trouble:
            yield replace(one, read=nothing, trouble="container-member-twice")
        else:
            been.add(digest)
            yield one
