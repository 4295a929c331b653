"""Tokens that a cloud's own library finds, by its own chain of credentials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from deidfhir.web.access.tokens import TokenKeeper


@dataclass(slots=True)
class Issued:
    """Credentials whose tokens a library finds.

    Args:
        keeper: Holds the token.
        look: Looks whether the library is there.
    """

    keeper: TokenKeeper
    look: Callable[[], object]
    kind: ClassVar[str] = "cloud"
    asks: ClassVar[bool] = True

    def prepare(self) -> None:
        """Look whether the library is there."""
        self.look()

    def authorisation(self) -> str | None:
        """Return `Bearer …`."""
        return self.keeper.authorisation()

    def renew(self, refused: str | None) -> bool:
        """Ask for a new token, once for all threads that were refused."""
        return self.keeper.renew(refused)
