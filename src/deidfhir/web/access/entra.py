"""Tokens of Microsoft Entra, by the chain of credentials of azure-identity."""

from __future__ import annotations

import logging
from typing import Any

from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from deidfhir.web.access.issued import Issued
from deidfhir.web.access.tokens import Token, TokenKeeper
from deidfhir.web.timing import Clock

_CHAIN = "Azure"


def entra(scope: str, place: str, clock: Clock) -> Issued:
    """Return credentials whose tokens azure-identity finds.

    Args:
        scope: What the tokens are for, such as `https://dicom.healthcareapis.azure.com/.default`;
            several are separated by spaces.
        place: What is asked for, for messages.
        clock: The time.
    """
    made: list[Any] = []

    def issue() -> Token:
        if not made:
            made.append(library().DefaultAzureCredential())
        return _issued(made[0], scope, place, clock)

    return Issued(TokenKeeper(issue, clock), library)


def library() -> Any:  # noqa: ANN401 - a module
    """Return the library, which is an extra.

    Raises:
        FatalError: `extra-missing`.
    """
    try:
        from azure import identity  # noqa: PLC0415 - an extra
    except ImportError:
        raise FatalError("extra-missing", what="Azure", extra="azure") from None
    # It tells at length of each credential that is not there; what is to be done we say.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    return identity


def _issued(credential: Any, scope: str, place: str, clock: Clock) -> Token:  # noqa: ANN401
    from azure.core import exceptions  # noqa: PLC0415 - an extra

    fault: DeidFhirError
    try:
        found = credential.get_token(*scope.split())
        return Token(found.token, max(0.0, found.expires_on - clock.now()))
    except exceptions.ClientAuthenticationError:  # those that are not to be had are of it, too
        fault = FatalError("archive-credentials", place=place, chain=_CHAIN)
    except exceptions.AzureError as error:
        what = type(error).__name__
        fault = RetriableError("token-down", url="Microsoft Entra", what=what)
    # Raised after it was let go: an error of the library quotes what was asked and answered.
    raise fault
