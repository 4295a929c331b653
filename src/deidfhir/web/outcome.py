"""What a server says of a request: codes, never its diagnostics, which may quote values."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from deidfhir.errors import DataError
from deidfhir.fhir.types import JsonObject
from deidfhir.tables import table
from deidfhir.web.recovery import Recovery, recovery_of

if TYPE_CHECKING:
    from deidfhir.web.diagnostics import Issue

_CODE = re.compile(r"HAPI-\d{4}(?:: HAPI-\d{4})*")
_UNCHANGED = "NO_CHANGE"
_CREATED = ("SUCCESSFUL_CREATE", "SUCCESSFUL_UPDATE_AS_CREATE")


class Rejected(DataError):  # noqa: N818 - what a server does, not a fault of ours
    """The server refuses one request.

    Args:
        status: HTTP status.
        server_code: The server's own code, such as HAPI-1094, or an issue code of FHIR.
        issues: What it says against the request, as far as that may be repeated.
    """

    def __init__(self, status: int, server_code: str, issues: tuple[Issue, ...] = ()) -> None:
        super().__init__("rejected", status=status, server_code=server_code)
        self.status, self.server_code, self.issues = status, server_code, issues

    def __str__(self) -> str:
        return f"HTTP {self.status} {self.server_code}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        return (Rejected, (self.status, self.server_code, self.issues))

    @property
    def recovery(self) -> Recovery:
        """What the refusal asks of the client."""
        return recovery_of(self.status, self.server_code)

    @property
    def may_be_of_deletion(self) -> bool:
        """Whether it may be a deletion that the server refuses, and not a version or the size."""
        if self.recovery is Recovery.DELETION:
            return True
        if self.status == HTTPStatus.PRECONDITION_FAILED:
            return False
        return self.recovery not in (Recovery.BROKEN, Recovery.STALE, Recovery.SPLIT)


def objects(listed: object) -> list[JsonObject]:
    """Return the JSON objects of what should be a list of them; a server may send anything."""
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def server_code(body: JsonObject | None) -> str:
    """Return the code that an OperationOutcome gives, without any of its text."""
    issue = next(iter(objects((body or {}).get("issue"))), {})
    match = _CODE.search(str(issue.get("diagnostics", "")))
    if match:
        return match[0]
    code = issue.get("code", "")
    return code if code in table("server-codes.toml")["issue_type"] else ""


def written(response: JsonObject) -> str:
    """Return `created`, `updated`, `unchanged` or `deleted` for one entry of a transaction.

    Args:
        response: Bundle.entry.response of a transaction-response.
    """
    status = str(response.get("status", ""))[:3]
    if status == "201":
        return "created"
    codes = [
        str(coding.get("code", ""))
        for outcome in objects([response.get("outcome")])
        for issue in objects(outcome.get("issue"))
        for details in objects([issue.get("details")])
        for coding in objects(details.get("coding"))
    ]
    if any(code.endswith(_UNCHANGED) for code in codes):
        return "unchanged"
    if any(code in _CREATED for code in codes):
        return "created"
    return "deleted" if status == "204" else "updated"
