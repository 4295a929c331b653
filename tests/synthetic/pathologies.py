"""All pathologies seen in real files, each with files that show it and what must come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import (
    cases_codes,
    cases_encoding,
    cases_equipment,
    cases_identity,
    cases_surroundings,
    cases_text,
)

if TYPE_CHECKING:
    from .pathology import Pathology

PATHOLOGIES: Final[tuple[Pathology, ...]] = (
    *cases_encoding.CASES,
    *cases_surroundings.CASES,
    *cases_text.CASES,
    *cases_identity.CASES,
    *cases_codes.CASES,
    *cases_equipment.CASES,
)
