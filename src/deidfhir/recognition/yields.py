"""What a wording's groups give: codes of CID 7050 and dates, and nothing that is none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from deidfhir.tables import table

_PACKED_DATE = re.compile(r"\d{8}")
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))?(?:T.*)?"
)


def method_codes(packed: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of CID 7050 in packed lists, in their order, each once.

    Args:
        packed: Such as `113100/113105`.
    """
    known: dict[str, str] = table("generated/dicom-codes.json")["CID 7050"]
    codes = [code for one in packed for code in re.split(r"[^0-9]+", one)]
    return tuple(dict.fromkeys(code for code in codes if code in known))


def stated_date(text: str) -> str:
    """Return a date as FHIR writes it (FHIR datatypes, dateTime); empty if it is none.

    A time without a zone is no FHIR dateTime: the date alone is left.

    Args:
        text: `YYYYMMDD`, or ISO 8601.
    """
    if _PACKED_DATE.fullmatch(text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    match = _INSTANT.fullmatch(text)
    if match is None:
        return ""
    found = match[1] + (match[2] or "")
    try:
        datetime.fromisoformat(found)
    except ValueError:
        return ""
    return found
