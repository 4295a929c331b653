"""Tokens of Google Cloud, by the chain of google-auth: Application Default Credentials."""

from __future__ import annotations

import logging
import warnings
from datetime import UTC
from typing import Any

from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from deidfhir.web.access.issued import Issued
from deidfhir.web.access.tokens import Token, TokenKeeper
from deidfhir.web.timing import Clock

_CHAIN = "Google"


def application_default(scope: str, place: str, clock: Clock) -> Issued:
    """Return credentials whose tokens google-auth finds.

    Args:
        scope: What the tokens are for, such as `https://www.googleapis.com/auth/cloud-healthcare`;
            several are separated by spaces.
        place: What is asked for, for messages.
        clock: The time.
    """
    made: list[Any] = []

    def issue() -> Token:
        return _issued(made, scope, place, clock)

    return Issued(TokenKeeper(issue, clock), library)


def library() -> Any:  # noqa: ANN401 - a module
    """Return the library, which is an extra.

    Raises:
        FatalError: `extra-missing`.
    """
    try:
        import google.auth  # noqa: PLC0415 - an extra
        import google.auth.transport.requests  # noqa: PLC0415
    except ImportError:
        raise FatalError("extra-missing", what="Google Cloud", extra="google") from None
    # What it advises of projects and quotas goes to nobody who asked for it: see docs/clouds.md.
    logging.getLogger("google.auth").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"google\.auth")
    return google.auth


def _issued(made: list[Any], scope: str, place: str, clock: Clock) -> Token:
    auth = library()
    fault: DeidFhirError
    try:
        if not made:
            made.append(auth.default(scopes=scope.split())[0])
        made[0].refresh(auth.transport.requests.Request())
        return Token(made[0].token, _lifetime(made[0], clock))
    except auth.exceptions.TransportError:
        fault = RetriableError("token-down", url="Google's token service", what="no answer")
    except auth.exceptions.GoogleAuthError as error:
        if error.retryable:
            what = type(error).__name__
            fault = RetriableError("token-down", url="Google's token service", what=what)
        else:
            fault = FatalError("archive-credentials", place=place, chain=_CHAIN)
    # Raised after it was let go: an error of the library quotes what was asked and answered.
    raise fault


def _lifetime(credentials: Any, clock: Clock) -> float | None:  # noqa: ANN401 - the library's
    if credentials.expiry is None:
        return None
    ends: float = credentials.expiry.replace(tzinfo=UTC).timestamp()
    return max(0.0, ends - clock.now())
