"""DA, TM and DT → FHIR dateTime with the precision and zone that DICOM gives (D14, PS3.5 6.2)."""

from __future__ import annotations

import re
from datetime import date, datetime

_DT = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d{2})(?:(?P<day>\d{2})(?:(?P<hour>\d{2})(?:(?P<minute>\d{2})"
    r"(?:(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6}))?)?)?)?)?)?(?P<zone>[+-]\d{4})?",
    re.ASCII,
)
_ZONE = re.compile(r"([+-])(\d{2})(\d{2})", re.ASCII)
_OLD_DATE = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})", re.ASCII)
_OLD_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?", re.ASCII)


def fhir_from_dt(text: str, zone: str = "") -> str | None:
    """Return a FHIR dateTime for a DT value, or None if it has no form of PS3.5.

    Without a zone a FHIR dateTime must not hold a time, and a time without seconds would have to
    be filled: in both cases the date alone is given.

    Args:
        text: The DT value.
        zone: Timezone Offset From UTC (0008,0201), for a value that carries none.
    """
    match = _DT.fullmatch(text.strip())
    if match is None:
        return None
    part = match.groupdict()
    date = "-".join(value for value in (part["year"], part["month"], part["day"]) if value)
    if not _is_date(part["year"], part["month"], part["day"]):
        return None
    offset = _offset(part["zone"] or zone)
    if not _is_time(part["hour"], part["minute"], part["second"]):
        return None
    # Second 60 is a form of PS3.5 and of FHIR, but most readers of FHIR cannot hold it.
    if part["second"] in (None, "60") or offset is None:
        return date
    fraction = f".{part['fraction']}" if part["fraction"] else ""
    return f"{date}T{part['hour']}:{part['minute']}:{part['second']}{fraction}{offset}"


def fhir_from_date_and_time(date: str, time: str, zone: str = "") -> str | None:
    """Return a FHIR dateTime for a DA and a TM value, or None if there is no usable date.

    Args:
        date: The DA value; the form of ACR-NEMA with dots is understood.
        time: The TM value; a time that is unusable leaves the date.
        zone: Timezone Offset From UTC (0008,0201).
    """
    old = _OLD_DATE.fullmatch(date.strip())
    day = "".join(old.groups()) if old else date.strip()
    if not re.fullmatch(r"[0-9]{8}", day):
        return None
    colons = _OLD_TIME.fullmatch(time.strip())
    clock = "".join(part for part in colons.groups() if part) if colons else time.strip()
    return fhir_from_dt(day + clock, zone) or fhir_from_dt(day)


def zones_in(text: str) -> list[str]:
    """Return the zone of a FHIR dateTime as (0008,0201) gives it; none if it has none."""
    match = re.fullmatch(r".*T.*([+-]\d{2}):(\d{2})", text, re.ASCII)
    return ["".join(match.groups())] if match else []


def moment(text: str) -> datetime | None:
    """Return the instant of a FHIR dateTime that has a time, else None."""
    return datetime.fromisoformat(text) if "T" in text else None


def is_later(second: str, first: str) -> bool:
    """Whether one FHIR dateTime is certainly after another.

    Instants are compared as such, two dates by what both state; of a date and an instant the
    order is certain only when no zone could turn it round.
    """
    one, other = moment(second), moment(first)
    if one is not None and other is not None:
        return one > other
    if one is not None or other is not None:
        return _days_between(first, second) > 1
    length = min(len(first), len(second))
    return second[:length] > first[:length]


def _days_between(first: str, second: str) -> int:
    if min(len(first), len(second)) < len("2000-01-01"):
        return (int(second[:4]) - int(first[:4]) - 1) * 365
    return (date.fromisoformat(second[:10]) - date.fromisoformat(first[:10])).days


def span(moments: list[str]) -> tuple[str, str] | None:
    """Return the first and the last of some FHIR dateTimes, or None if there is none.

    Where not all have a time, all are taken by their date.
    """
    if not moments:
        return None
    if any(moment(one) is None for one in moments):
        days = sorted(one[:10] for one in moments)
        return days[0], days[-1]
    ordered = sorted(moments, key=lambda one: (datetime.fromisoformat(one), one))
    return ordered[0], ordered[-1]


def _is_date(year: str, month: str | None, day: str | None) -> bool:
    try:
        datetime(int(year), int(month or 1), int(day or 1))  # noqa: DTZ001 - a calendar check
    except ValueError:
        return False
    return True


def _is_time(hour: str | None, minute: str | None, second: str | None) -> bool:
    return int(hour or 0) < 24 and int(minute or 0) < 60 and int(second or 0) <= 60


def _offset(zone: str) -> str | None:
    match = _ZONE.fullmatch(zone.strip())
    # FHIR datatypes, dateTime: offsets end at 14:00.
    if match is None or int(match[2]) * 60 + int(match[3]) > 14 * 60 or int(match[3]) > 59:
        return None
    return f"{match[1]}{match[2]}:{match[3]}"
