"""What the OpenAPI document of a gateway with a target allows, and much that it does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok

from tests.integration.gateways import serving
from tests.integration.test_gateway_fuzz import BOUNDARY, EXAMPLES

if TYPE_CHECKING:
    from tests.integration.fake import FakeServer

_NAMES = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")


def test_whatever_is_asked_is_answered_as_described(fake: FakeServer, tmp_path: Path) -> None:
    checks = [CHECKS.get_one(name) for name in _NAMES]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:  # noqa: ANN401
        if case.media_type == "multipart/related":
            case.headers["Content-Type"] = f"multipart/related; boundary={BOUNDARY}"
        case.validate_response(case.call(timeout=90), checks=checks)

    where = ("--to", fake.url, "--journal", tmp_path / "journal", "--accept", "all")
    with serving(*where) as gateway:
        found = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json")
        operations = [one.ok() for one in found.get_all_operations() if isinstance(one, Ok)]
        ours = [one for one in operations if one.path in ("/decide", "/sync", "/sync/{unit}")]
        assert len(ours) == 3
        for operation in ours:
            given(case=operation.as_strategy())(ask)()
        numbers = requests.get(f"{gateway.url}/metrics", timeout=20).text
        assert 'route="/decide",status="403"' in numbers
        assert 'route="/sync",status="202"' in numbers
        assert 'status="500"' not in numbers
        assert gateway.end() == 0
