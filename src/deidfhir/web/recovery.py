"""What a refusal asks of the client: the catalogue of `mappings/server-codes.toml`."""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from deidfhir.tables import table


class Recovery(StrEnum):
    """What goes on after a refusal; the table says what each word means."""

    LATER = "later"
    CONFLICT = "conflict"
    STALE = "stale"
    SPLIT = "split"
    LOGIN = "login"
    STOP = "stop"
    PLACE = "place"
    DELETION = "deletion"
    MISSING = "missing"
    BROKEN = "broken"
    IDS = "ids"
    AMBIGUOUS = "ambiguous"
    DATA = "data"

    @property
    def is_passing(self) -> bool:
        """Whether the same request may go through another time: it is never set aside."""
        return self in (Recovery.LATER, Recovery.CONFLICT, Recovery.STALE, Recovery.BROKEN)

    @property
    def is_outdated(self) -> bool:
        """Whether something is not as it was known to be: what is there is to be looked up."""
        return self in (Recovery.CONFLICT, Recovery.STALE, Recovery.MISSING)


@cache
def recovery_of(status: int, server_code: str) -> Recovery:
    """Return what a refusal asks of the client.

    Args:
        status: HTTP status.
        server_code: The server's own code, such as HAPI-1094; possibly empty.
    """
    for row in table("server-codes.toml")["refusal"]:
        fits = status in row.get("status", (status,)) and status >= row.get("least", 0)
        if fits and server_code.startswith(tuple(row.get("codes", ("",)))):
            return Recovery(row["recovery"])
    return Recovery.DATA
