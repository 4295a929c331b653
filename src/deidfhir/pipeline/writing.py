"""What a command writes to a file that was asked for."""

from __future__ import annotations

import os
from pathlib import Path

from deidfhir.errors import FatalError
from deidfhir.sync.own import open_own_file


def write_text(out: Path, text: str) -> None:
    """Write a text as UTF-8; a file that is there is replaced.

    Args:
        out: The file.
        text: Its content.

    Raises:
        FatalError: `file-unwritable`.
    """
    write_bytes(out, text.encode("utf-8", "backslashreplace"))


def write_bytes(out: Path, content: bytes) -> None:
    """Write bytes to a file that is its owner's alone; one that is there is replaced.

    Args:
        out: The file.
        content: Its content.

    Raises:
        FatalError: `file-unwritable`.
    """
    try:
        descriptor = open_own_file(out, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
    except (OSError, ValueError) as error:
        raise FatalError("file-unwritable", path=out) from error
