"""The codes of CID 7050 that the program itself must know by name (PS3.16; PS3.15 E.2, E.3)."""

from __future__ import annotations

from typing import Final

BASIC_PROFILE: Final = "113100"
CLEAN_PIXELS: Final = "113101"
CLEAN_FEATURES: Final = "113102"
FULL_DATES: Final = "113106"
MODIFIED_DATES: Final = "113107"
RETAIN_DEVICE: Final = "113109"
RETAIN_UIDS: Final = "113110"
