"""What a server says of a request: codes, never its diagnostics, which may quote values."""

from __future__ import annotations

import re

from deidfhir.errors import DataError
from deidfhir.fhir.types import JsonObject

_CODE = re.compile(r"HAPI-\d{4}(?:: HAPI-\d{4})*")
# Concurrent or stale writes of one id; the same request a little later goes through.
_CONFLICTS = ("HAPI-0550", "HAPI-0823", "HAPI-0825", "HAPI-0826", "HAPI-0827")
_UNCHANGED = "NO_CHANGE"
_CREATED = ("SUCCESSFUL_CREATE", "SUCCESSFUL_UPDATE_AS_CREATE")


class Rejected(DataError):  # noqa: N818 - what a server does, not a fault of ours
    """The server refuses one request for good.

    Args:
        status: HTTP status.
        server_code: The server's own code, such as HAPI-1094, or an issue code of FHIR.
    """

    def __init__(self, status: int, server_code: str) -> None:
        super().__init__("rejected", status=status, server_code=server_code)
        self.status, self.server_code = status, server_code

    def __str__(self) -> str:
        return f"HTTP {self.status} {self.server_code}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        return (Rejected, (self.status, self.server_code))

    @property
    def is_conflict(self) -> bool:
        """Whether a repetition may go through."""
        return self.server_code.startswith(_CONFLICTS)


def server_code(body: JsonObject | None) -> str:
    """Return the code that an OperationOutcome gives, without any of its text."""
    issues = (body or {}).get("issue") or [{}]
    match = _CODE.search(str(issues[0].get("diagnostics", "")))
    if match:
        return match[0]
    code = issues[0].get("code", "")
    return code if isinstance(code, str) and re.fullmatch(r"[a-z-]{1,40}", code) else ""


def written(response: JsonObject) -> str:
    """Return `created`, `updated`, `unchanged` or `deleted` for one entry of a transaction.

    Args:
        response: Bundle.entry.response of a transaction-response.
    """
    status = str(response.get("status", ""))[:3]
    codes = [
        str(coding.get("code", ""))
        for issue in response.get("outcome", {}).get("issue", ())
        for coding in issue.get("details", {}).get("coding", ())
    ]
    if any(code.endswith(_UNCHANGED) for code in codes):
        return "unchanged"
    if status == "201" or any(code in _CREATED for code in codes):
        return "created"
    return "deleted" if status == "204" else "updated"
