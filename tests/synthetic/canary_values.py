"""Values that stand nowhere else, one for each place, and the finding of them in any text."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from .objects import ROOT

SERIALS: Final = 30
"""So many objects can be planted side by side without sharing a value."""

# How many values of a kind an object may use up. What cannot be long has few forms in all: a day
# of two centuries, a second of a day, an age, a number of two bytes, an offset of minutes.
_SIZES: Final = {
    "number": 20_000,
    "day": 2_000,
    "second": 2_000,
    "age": 50,
    "short": 100,
    "zone": 20,
}
_FIRST_DAY: Final = date(1801, 1, 1)
_FIRST_SHORT: Final = 61_000
"""Above the ports that a test's server may get from the system, below 65536."""
_FIRST_AGE: Final = 500
_UIDS: Final = f"{ROOT}.77."

_Needles = tuple[str, ...]
_TEXT_VRS: Final = frozenset({"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UT"})
_BYTES_VRS: Final = frozenset({"OB", "OW", "UN"})


class Mint:
    """Makes values that differ from each other, and from those of every other serial.

    Args:
        serial: The number of the object, 0 to `SERIALS` - 1.
    """

    def __init__(self, serial: int) -> None:
        if not 0 <= serial < SERIALS:
            msg = f"serial must be below {SERIALS}"
            raise ValueError(msg)
        self._serial = serial
        self._used: Counter[str] = Counter()

    def value(self, keyword: str, vr: str) -> tuple[object, _Needles]:
        """Return a value of a VR and what shows it, wherever it went.

        Args:
            keyword: The attribute; an offset from UTC must be one, or times would not leave.
            vr: Its VR.
        """
        if keyword == "TimezoneOffsetFromUTC":
            return self._zone()
        if vr in _TEXT_VRS:
            text = self._text()
            return text, (text,)
        if vr in _BYTES_VRS:
            text = self._text()
            return text.encode(), (text, b64encode(text.encode()).decode())
        return self._makers()[vr]()

    def _makers(self) -> dict[str, Callable[[], tuple[object, _Needles]]]:
        return {
            "PN": self._name,
            "UR": self._address,
            "UI": self._uid,
            "DA": self._date,
            "TM": self._time,
            "DT": self._date_time,
            "AS": self._age,
            "IS": self._integer,
            "DS": self._decimal,
            "US": self._short,
        }

    def _next(self, kind: str) -> int:
        used, size = self._used[kind], _SIZES[kind]
        if used >= size:
            msg = f"no more values of the kind {kind}"
            raise ValueError(msg)
        self._used[kind] += 1
        return self._serial * size + used

    def _text(self) -> str:
        """Make 14 upper-case characters: they fit SH, CS and AE, and are no part of each other."""
        return f"CANARY{self._next('number'):07}Z"

    def _name(self) -> tuple[object, _Needles]:
        text = self._text()
        # Each component tells by itself: FHIR parts family and given names.
        return f"{text}^{text}", (text,)

    def _address(self) -> tuple[object, _Needles]:
        text = self._text()
        return f"http://canary.example/{text}", (text,)

    def _uid(self) -> tuple[object, _Needles]:
        uid = f"{_UIDS}{1_000_000 + self._next('number')}"
        return uid, (uid,)

    def _date(self) -> tuple[object, _Needles]:
        day = _FIRST_DAY + timedelta(days=self._next("day"))
        return f"{day:%Y%m%d}", (f"{day:%Y%m%d}", day.isoformat())

    def _time(self) -> tuple[object, _Needles]:
        number = self._next("second")
        minute, second = divmod(number, 60)
        fraction = f"{7919 * number % 1000:03}"
        parts = (f"{minute // 60:02}", f"{minute % 60:02}", f"{second:02}")
        # An instant may lose the microseconds, so milliseconds must tell it; a clock that is cut
        # to seconds could be any log's and does not show.
        needles = (f"{''.join(parts)}.{fraction}", f"{':'.join(parts)}.{fraction}")
        return f"{needles[0]}417", needles

    def _date_time(self) -> tuple[object, _Needles]:
        day, days = self._date()
        time, times = self._time()
        return f"{day}{time}", (*days, *times, f"{day}{str(time)[:6]}")

    def _age(self) -> tuple[object, _Needles]:
        unit, number = divmod(self._next("age"), 1000 - _FIRST_AGE)
        age = f"{_FIRST_AGE + number:03}{'YMWD'[unit]}"
        return age, (age,)

    def _integer(self) -> tuple[object, _Needles]:
        number = f"190{self._next('number'):07}"
        return number, (number,)

    def _decimal(self) -> tuple[object, _Needles]:
        number = f"7{self._next('number'):07}"
        return f"{number}.5", (number,)

    def _short(self) -> tuple[object, _Needles]:
        number = _FIRST_SHORT + self._next("short")
        return number, (str(number),)

    def _zone(self) -> tuple[object, _Needles]:
        # Hours 1 to 11 and minutes 1 to 59: no offset that a country or a clock of ours has.
        hour, minute = divmod(self._next("zone"), 59)
        parts = (f"+{hour + 1:02}", f"{minute + 1:02}")
        return "".join(parts), ("".join(parts), ":".join(parts))


# What the needles look like. Numbers count only where no letter or digit that could belong to a
# hash stands beside them; short ones stand alone.
_FORMS: Final = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        r"CANARY\d{7}Z",
        re.escape(_UIDS) + r"\d{7}",
        r"(?<![0-9A-F])(?:\d{8}|190\d{7}|\d{14})(?![0-9A-F])",
        r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)",
        r"\d{6}\.\d{3}",
        r"(?<!\d)\d\d:\d\d:\d\d\.\d{3}",
        r"(?<![0-9A-Z.])(?:\d{5}|\d{3}[DWMY])(?![0-9A-Z])",
        r"(?<![A-Z+/])\+\d\d:?\d\d(?![\d:])",
    )
)
_BASE64_RUN: Final = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")


@lru_cache(maxsize=8)
def tokens_in(text: str | bytes) -> frozenset[str]:
    """Return everything in a text that looks like a needle, base64 opened.

    Args:
        text: The text, or bytes in which the needles stand as ASCII.
    """
    plain = text if isinstance(text, str) else text.decode("latin-1")
    found = {match.upper() for form in _FORMS for match in form.findall(plain)}
    for opened in _opened(plain):
        found.update(match.upper() for match in _FORMS[0].findall(opened))
    return frozenset(found)


def _opened(text: str) -> Iterator[str]:
    """Yield what the runs of base64 in a text hold, wherever in them the encoding began."""
    for run in _BASE64_RUN.findall(text):
        digits = run.rstrip("=")
        for start in range(4):
            part = digits[start:]
            # A group of one digit is no base64; it can be no end of a value either.
            usable = part[: len(part) - (len(part) % 4 == 1)]
            yield b64decode(usable + "=" * (-len(usable) % 4)).decode("latin-1")


@dataclass(frozen=True)
class Canary:
    """A value that was planted.

    Args:
        place: Where it stands, such as `root` or `equipment 109104`.
        keyword: The attribute that holds it; a private one by its tag.
        needles: The strings of which each one proves that the value is in a text.
    """

    place: str
    keyword: str
    needles: tuple[str, ...]

    def shows_in(self, text: str | bytes) -> bool:
        """Whether the value is in a text."""
        return not tokens_in(text).isdisjoint(self.needles)


def canaries_in(canaries: Iterable[Canary], text: str | bytes) -> set[tuple[str, str]]:
    """Return place and keyword of the canaries that show in a text."""
    tokens = tokens_in(text)
    return {(one.place, one.keyword) for one in canaries if not tokens.isdisjoint(one.needles)}
