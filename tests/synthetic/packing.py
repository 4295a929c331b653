"""Zip and tar files of objects; the same call gives the same bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from .objects import write_bytes

Files = Iterable[tuple[str, bytes]]
EPOCH: Final = (2020, 1, 1, 0, 0, 0)


def zip_of(files: Files, method: int = zipfile.ZIP_DEFLATED, *, streamed: bool = False) -> bytes:
    """Return a zip file.

    Args:
        files: Names, each with what the file holds.
        method: How they are packed.
        streamed: Whether sizes stand behind each member, as where nobody can go back.
    """
    held = io.BytesIO()
    target: Any = _Forward(held) if streamed else held
    with zipfile.ZipFile(target, "w") as made:
        for name, data in files:
            made.writestr(zipfile.ZipInfo(name, EPOCH), data, method)
    return held.getvalue()


class _Forward:
    """A stream that cannot be sought in."""

    def __init__(self, held: io.BytesIO) -> None:
        self.write, self.flush = held.write, held.flush


def tar_of(files: Files, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar file.

    Args:
        files: Names, each with what the file holds.
        form: One of the forms of `tarfile`.
    """
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=form) as made:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return held.getvalue()


def gzip_of(data: bytes) -> bytes:
    """Return a gzip file."""
    return gzip.compress(data, mtime=0)


def files_below(folder: Path) -> list[tuple[str, bytes]]:
    """Return the files below a folder, sorted by their names from there."""
    paths = sorted(one for one in folder.rglob("*") if one.is_file())
    return [(one.relative_to(folder).as_posix(), one.read_bytes()) for one in paths]


def pack(folder: Path, path: Path) -> Path:
    """Pack a folder into the kind of file that a path's name says.

    Args:
        folder: The folder.
        path: Ends with `.zip`, `.tar`, `.tar.gz` or `.tgz`.
    """
    files = files_below(folder)
    if path.name.endswith(".zip"):
        return write_bytes(zip_of(files), path)
    data = tar_of(files)
    return write_bytes(data if path.name.endswith(".tar") else gzip_of(data), path)
