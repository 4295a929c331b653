"""Access tokens: one request for all threads, and a new one before the old one has expired."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from deidfhir.errors import FatalError, RetriableError
from deidfhir.web.timing import Clock

_AHEAD = 60.0
_AHEAD_PART = 0.2
"""How long before its end a token is renewed: a minute, or a fifth of a short life."""

_PAUSE = 5.0
"""How long a token that is still good is used before a renewal that failed is tried again."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token as it was issued.

    Args:
        value: What the header carries.
        lifetime: Seconds, if the server says so.
    """

    value: str = field(repr=False)
    lifetime: float | None


@dataclass(slots=True)
class TokenKeeper:
    """Holds the token that is good now.

    Args:
        issue: Asks for a new one.
        clock: The time; only the clock that never goes back counts.
    """

    issue: Callable[[], Token]
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _token: Token | None = field(default=None, init=False, repr=False)
    _until: float = field(default=0.0, init=False)
    _ends: float = field(default=0.0, init=False)
    _fault: FatalError | None = field(default=None, init=False)

    def authorisation(self) -> str:
        """Return the header's value, of a token that is good for some time yet.

        Raises:
            FatalError: None will be issued until someone acts; nobody asks a second time.
            RetriableError: None is issued for now.
        """
        with self._lock:
            if self._token is None or self.clock.monotonic() >= self._until:
                self._renew_in_good_time()
            return self._header()

    def renew(self, refused: str | None) -> bool:
        """Return whether there is another token than a refused one, asking for it at most once.

        Args:
            refused: The header's value that the server has just refused.

        Raises:
            FatalError: None will be issued until someone acts.
            RetriableError: None is issued for now.
        """
        with self._lock:
            if self._token is None or self._header() == refused:
                self._renew()
            return self._header() != refused

    def _renew_in_good_time(self) -> None:
        """Renew; a token that is good for a moment yet carries over one in which none is issued."""
        held, until = self._token, self.clock.monotonic() + _PAUSE
        try:
            self._renew()
        except RetriableError:
            if held is None or until >= self._ends:
                raise
            self._token, self._until = held, until

    def _renew(self) -> None:
        if self._fault is not None:
            raise self._fault
        self._token = None
        begun = self.clock.monotonic()
        try:
            token = self.issue()
        except FatalError as error:
            self._fault = error
            raise
        life = float("inf") if token.lifetime is None else token.lifetime
        self._token, self._ends = token, begun + life
        self._until = self._ends - min(_AHEAD, life * _AHEAD_PART)

    def _header(self) -> str:
        return f"Bearer {self._token.value}" if self._token is not None else ""
