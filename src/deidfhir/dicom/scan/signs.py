"""Why a scan ends without a result; none of them says anything of an attribute."""

from __future__ import annotations


class ShortError(Exception):
    """The bytes end before what is wanted was passed: more of the file must be read.

    Args:
        needed: How many bytes of the file are needed at least.
    """

    def __init__(self, needed: int) -> None:
        super().__init__()
        self.needed = needed


class OddError(Exception):
    """Something is not as the scan knows it: pydicom decides what the object states."""
