"""What names say: whether a file is a container, and whether a member's is one it may have."""

from __future__ import annotations

import re

ZIP, TAR = "zip", "tar"
_ENDS = ((".zip", ZIP), (".tar", TAR), (".tgz", TAR), (".tar.gz", TAR))
_NESTED = (".zip", ".tar", ".tgz", ".gz")
_ZIP_MARKS = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")
_GZIP_MARK = b"\x1f\x8b\x08"
_DRIVE = re.compile(r"[A-Za-z]:")
_SEPARATORS = re.compile(r"[/\\]")


def container_kind(name: str) -> str:
    """Return `ZIP` or `TAR` for a file that is named as one that holds others, else nothing.

    Args:
        name: Its name, without folders.
    """
    low = name.lower()
    for end, kind in _ENDS:
        if low.endswith(end) and len(low) > len(end):
            return kind
    return ""


def is_nested(name: str, head: bytes) -> bool:
    """Whether a member is a container itself, by its name, or where that has no end by its bytes.

    Args:
        name: Its name, without folders.
        head: Its first bytes.
    """
    if name.lower().endswith(_NESTED):
        return True
    marked = head.startswith((*_ZIP_MARKS, _GZIP_MARK)) or head[257:262] == b"ustar"
    # What stands in the preamble of an object is no mark of anything (PS3.10 7.1).
    return marked and "." not in name and head[128:132] != b"DICM"


def shown(name: str) -> str:
    """Return a member's name as it may stand behind the path of its container.

    Args:
        name: As the container has it; it is never the name of anything that is opened.
    """
    plain = "/".join(one for one in name.split("/") if one not in ("", "."))
    if plain.isprintable():
        return plain
    return "".join(one if _is_text(one) else ascii(one)[1:-1] for one in plain)


def is_refused(name: str) -> bool:
    """Whether a member's name leads out of its container, or is none that a file could have.

    Args:
        name: As the container has it.
    """
    parts = _SEPARATORS.split(name)
    return (
        not shown(name)
        or not parts[0]
        or ".." in parts
        or bool(_DRIVE.match(name))
        or not (name.isprintable() or all(map(_is_text, name)))
    )


def _is_text(one: str) -> bool:
    # A byte that is no UTF-8 stays as it is, as in the names of files.
    return one.isprintable() or "\udc80" <= one <= "\udcff" or one in "\u3000\xa0"
