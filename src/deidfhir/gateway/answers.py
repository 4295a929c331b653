"""What the gateway answers: resources, and OperationOutcomes of what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from deidfhir.fhir.outcome import operation_outcome
from deidfhir.model.finding import Finding
from deidfhir.web.numbers import line_of

if TYPE_CHECKING:
    from starlette.requests import Request

FHIR_JSON = "application/fhir+json"
JSON = "application/json"
SOON = {"Retry_After": "1"}
"""Headers of what may be tried again at once."""


_MOST_TOLD = 100
"""Findings that an answer holds."""


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is not done; nothing of it stands in the answer.

    Args:
        *findings: Why; the first gives the status, and only some are told.
        headers: Of the answer.
    """

    def __init__(self, *findings: Finding, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(*(one.code for one in findings))
        self.findings = findings[:_MOST_TOLD]
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return self.findings[0].status


def refused(code: str, **headers: str) -> Refused:
    """Return the refusal of a request for one reason.

    Args:
        code: Key of `mappings/findings.toml`.
        **headers: Of the answer; `_` stands for `-`.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Refused(Finding(code), headers=named)


def outcome_of(refusal: Refused, canonical: str) -> Response:
    """Return the answer to a request that is not done (FHIR operationoutcome.html).

    Args:
        refusal: Why.
        canonical: The site's canonical base.
    """
    body = line_of(operation_outcome(refusal.findings, canonical)).encode()
    return Response(body, refusal.status, refusal.headers, FHIR_JSON)


def resource_of(
    content: Mapping[str, Any] | bytes, request: Request, status: int = 200
) -> Response:
    """Return a FHIR resource as the answer, in the form that the request accepts.

    Args:
        content: The resource, or its JSON.
        request: Whose header Accept was held against `FHIR_FORMS` already.
        status: HTTP status.
    """
    body = content if isinstance(content, bytes) else line_of(content).encode()
    return Response(body, status, media_type=request.state.form)
