"""AWS's own client library: how it is opened, and what its errors ask for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from deidfhir.errors import DeidFhirError, FatalError, RetriableError, UsageError
from deidfhir.version import __version__
from deidfhir.web.connections import within

Result = TypeVar("Result")

SERVICE = "medical-imaging"
_CONNECT_TIMEOUT = 5
_TRIES = 5
"""How often the library sends a request that is throttled or fails, with growing pauses."""

_BUSY = frozenset({"ThrottlingException", "TooManyRequestsException", "ConflictException"})
_REFUSED = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"),
        *("InvalidSignatureException", "SignatureDoesNotMatch", "UnrecognizedClientException"),
    }
)
"""What AWS says of credentials that are no longer good, or never were, or of a clock."""

_UNHEARD = frozenset(
    {
        *("ConnectTimeoutError", "ConnectionClosedError", "ConnectionError", "HTTPClientError"),
        *("EndpointConnectionError", "ProxyConnectionError", "ResponseStreamingError"),
        *("IncompleteReadError", "MetadataRetrievalError"),
    }
)
_UNPROVED = frozenset(
    {
        *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
        *("ProfileNotFound", "UnknownCredentialError", "RefreshWithMFAUnsupportedError"),
        *("SSOError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError"),
        *("NoAuthTokenError", "LoginError", "LoginRefreshRequired", "LoginTokenLoadError"),
    }
)
"""Errors of the library: no answer came; no credentials are to be had."""


class Missing(Exception):  # noqa: N818 - a state of affairs: the caller knows what is not there
    """AWS has nothing of what was asked for."""


class Denied(Exception):  # noqa: N818 - a state of affairs: the caller knows what was asked for
    """AWS does not let it be read."""


def library() -> Any:  # noqa: ANN401 - a module
    """Return the library, which is an extra.

    Raises:
        FatalError: `extra-missing`.
    """
    try:
        import boto3  # noqa: PLC0415 - an extra
    except ImportError:
        raise FatalError("extra-missing", what="AWS HealthImaging", extra="aws") from None
    return boto3


def session(place: str, region: str) -> Any:  # noqa: ANN401 - the library has no types
    """Return a session, whose credentials and region the library finds by its own chain.

    Args:
        place: What is asked for, for messages.
        region: The region that is meant; empty for what that chain says.

    Raises:
        UsageError: `aws-region`.
        FatalError: `extra-missing` or `archive-credentials`: the profile is not there.
    """
    boto3 = library()
    made = _tried(place, 0, lambda: boto3.session.Session(region_name=region or None))
    if not made.region_name:
        raise UsageError("aws-region")
    return made


def client(place: str, region: str, timeout: float, connections: int) -> Any:  # noqa: ANN401
    """Return a client of AWS HealthImaging, which several threads may use.

    Args:
        place: What is asked for, for messages.
        region: The region that is meant; empty for what the library's chain says.
        timeout: Seconds for one answer.
        connections: Requests under way at most.

    Raises:
        UsageError: `aws-region`.
        FatalError: `extra-missing` or `archive-credentials`.
    """
    opened = session(place, region)
    from botocore.config import Config  # noqa: PLC0415 - an extra

    # What it tells on this level quotes answers.
    logging.getLogger("botocore").setLevel(logging.INFO)
    config = Config(
        connect_timeout=min(_CONNECT_TIMEOUT, timeout),
        read_timeout=timeout,
        max_pool_connections=connections,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
        user_agent_extra=f"deidfhir/{__version__}",
    )
    return _tried(place, timeout, lambda: opened.client(SERVICE, config=config))


def endpoint(client: Any) -> str:  # noqa: ANN401 - see above
    """Return the URL that a client sends searches to.

    Args:
        client: As `client` returns it.
    """
    parts = urlsplit(client.meta.endpoint_url)
    told = client.meta.service_model.operation_model("SearchImageSets").endpoint or {}
    prefix = told.get("hostPrefix", "") if client.meta.config.inject_host_prefix else ""
    return f"{parts.scheme}://{prefix}{parts.netloc}"


def require_credentials(place: str, region: str, timeout: float) -> None:
    """Look whether the library finds credentials; it may ask who issues them.

    Args:
        place: What they are for, for messages.
        region: The region that is meant; empty for what the library's chain says.
        timeout: Seconds that it may take.

    Raises:
        FatalError: `extra-missing` or `archive-credentials`.
        RetriableError: Whoever issues them is silent.
    """
    opened = session(place, region)

    def found() -> bool:
        credentials = opened.get_credentials()
        return credentials is not None and credentials.get_frozen_credentials() is not None

    if not answered(place, timeout, found):
        raise FatalError("archive-credentials", place=place, chain="AWS")


def answered(place: str, timeout: float, work: Callable[[], Result]) -> Result:
    """Return what AWS answers, with all repetitions in the time that there is.

    Args:
        place: What is asked for, for messages.
        timeout: Seconds.
        work: Asks.

    Raises:
        Missing: It is not there.
        Denied: It may not be read.
        RetriableError: AWS is busy, down or silent.
        FatalError: Someone must act.
    """
    return _tried(place, timeout, partial(within, timeout, work))


def _tried(place: str, timeout: float, work: Callable[[], Result]) -> Result:
    """Return what some work returns; what the library raises says what the operator does next."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    fault: Exception
    try:
        return work()
    except ClientError as error:
        fault = _refusal(error.response, place)
    except BotoCoreError as error:
        fault = _hindrance(type(error).__name__, place, timeout)
    except TimeoutError:
        fault = RetriableError("target-silent", url=place, seconds=timeout)
    # Raised after it was let go: an error of the library quotes what was asked and answered.
    raise fault


def _refusal(response: dict[str, Any], place: str) -> Exception:
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    if code in _BUSY or status == 429:
        return RetriableError("target-busy", url=place, status=status or 429, wait="")
    if code in _REFUSED:
        return FatalError("archive-credentials-refused", place=place, what=code)
    if code == "ResourceNotFoundException":
        return Missing()
    if code in ("AccessDeniedException", "AccessDenied") or status in (401, 403):
        return Denied()
    if code == "InternalServerException" or status >= 500:
        return RetriableError("target-down", url=place, what=f"HTTP {status or 500}")
    return FatalError("answer-unexpected", url=place, what=f"HTTP {status}")


def _hindrance(kind: str, place: str, timeout: float) -> DeidFhirError:
    """Return what it means that there is no answer."""
    if kind in _UNHEARD:
        return RetriableError("target-down", url=place, what=kind)
    if kind == "ReadTimeoutError":
        return RetriableError("target-silent", url=place, seconds=timeout)
    if kind == "SSLError":
        return FatalError("tls-failed", url=place)
    if kind in _UNPROVED:
        return FatalError("archive-credentials", place=place, chain="AWS")
    return FatalError("aws-settings", what=kind)
