"""What a file is taken for: by the end of its name, and by its first bytes."""

from __future__ import annotations

from pathlib import Path

from deidfhir.containers.names import container_kind

JSON, NDJSON, CONTAINER = "json", "ndjson", "container"
_DICOM_SUFFIXES = (".dcm", ".dicom")
_JSON_SUFFIXES = {".json": JSON, ".ndjson": NDJSON, ".jsonl": NDJSON}
_ENDS = frozenset(("son", "onl", "zip", "tar", ".gz", "tgz"))
"""Ends of names that are looked at more closely: a million files have others."""


def kind_of(name: str) -> str:
    """Return what a file's name says that it is, if that is no single object; else nothing.

    Args:
        name: Its name, without folders.
    """
    if name[-3:].lower() not in _ENDS:
        return ""
    if container_kind(name):
        return CONTAINER
    return _JSON_SUFFIXES.get(Path(name).suffix.lower(), "")


def is_read_alone(name: str) -> bool:
    """Whether a file may hold so much that it is a slice by itself.

    Args:
        name: Its name, without folders.
    """
    return kind_of(name) in (CONTAINER, NDJSON)


def those_read_alone(names: list[str]) -> list[str]:
    """Return those of some names for which `is_read_alone` holds, quickly for a million."""
    return [one for one in names if one[-3:].lower() in _ENDS and is_read_alone(one)]


def is_named(name: str) -> bool:
    """Whether a file's name says that it should be an object, or hold some.

    Args:
        name: Its name, without folders.
    """
    return bool(kind_of(name)) or Path(name).suffix.lower() in _DICOM_SUFFIXES


def is_marked(head: bytes) -> bool:
    """Whether a file begins as Part 10 files do (PS3.10 7.1).

    Args:
        head: Its first bytes.
    """
    return head[128:132] == b"DICM"


def may_be_dicom(head: bytes) -> bool:
    """Whether a file begins as one with preamble, or as File Meta or a data set (PS3.5 7.1).

    Args:
        head: Its first bytes.
    """
    little, big = head[:2], head[1::-1] if len(head) > 1 else b""
    begins = (b"\x02\x00", b"\x08\x00")
    return is_marked(head) or (len(head) >= 8 and (little in begins or big in begins))


def is_blank(head: bytes) -> bool:
    """Whether a file is empty, or blank as after a loss of power: an object may have been there.

    Args:
        head: Its first bytes.
    """
    return not head[:132].strip(b"\0")
