"""A write of which nobody knows what came of it: looked up, and only then sent again."""

from __future__ import annotations

from collections.abc import Callable

from deidfhir.web.timing import Clock, Term
from deidfhir.web.transport import FIRST_PAUSE, TRIES, Unsettled


def settled(
    send: Callable[[Term], list[str]],
    found: Callable[[], list[str] | None],
    clock: Clock,
    seconds: float,
) -> list[str]:
    """Return what came of a write, by its answer or else by what the server holds.

    The server may still be at a first attempt when the second one comes: it is the same write at
    the same places, and whichever is later changes nothing.

    Args:
        send: Sends it once, in the time that is left of a term; returns what came of it.
        found: Returns what came of it if the server holds all of it, else None.
        clock: The time.
        seconds: How long it may take with all its repetitions.

    Raises:
        DeidFhirError: Why it is not sent again; what came of it is not known.
    """
    term = Term(seconds)
    tries = 0
    while True:
        tries += 1
        try:
            return send(term)
        except Unsettled as unsettled:
            if (outcomes := found()) is not None:
                return outcomes
            spent = unsettled.bounded and tries >= TRIES
            if spent or term.is_over(clock.monotonic()):
                raise unsettled.reason from None
            if unsettled.bounded:
                clock.sleep(FIRST_PAUSE * 2 ** (tries - 1) * clock.random())
