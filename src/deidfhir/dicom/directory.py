"""Whether a file is a DICOMDIR, the directory of a file-set (PS3.10 8): that is no object."""

from __future__ import annotations

NAME = "DICOMDIR"
CLASS = "1.2.840.10008.1.3.10"
_IN_META = b"\x02\x00\x02\x00UI"
_META = 1024
"""Within so many bytes File Meta names the class: before it stand the preamble and two elements."""


def is_directory(head: bytes) -> bool:
    """Whether a file says that it is the directory of a file-set.

    Args:
        head: Its first bytes.
    """
    at = head.find(_IN_META, 132, _META)
    if head[128:132] != b"DICM" or at < 0:
        return False
    length = int.from_bytes(head[at + 6 : at + 8], "little")
    return head[at + 8 : at + 8 + length].rstrip(b" \0") == CLASS.encode()


def is_named_directory(name: str) -> bool:
    """Whether a file is named as the directory of a file-set, also where a disk changed its case.

    Args:
        name: Its name, without folders.
    """
    return name.upper() == NAME
