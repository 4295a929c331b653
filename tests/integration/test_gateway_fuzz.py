"""What its own OpenAPI document allows, and much that it does not: no 5xx, and all as described.

`make fuzz-gateway` runs it for longer.
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from deidfhir import MappingContext, map_dataset
from tests.integration.fake import FakeServer
from tests.integration.gateways import serving
from tests.synthetic.objects import codes, equipment, instance
from tests.unit.gateway.asking import part10, related

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
BOUNDARY = "b0und"
STATED: list[dict[str, Any]] = [
    {"PatientIdentityRemoved": "YES", "DeidentificationMethod": ("tool 1.0", "äöü")},
    {"PatientIdentityRemoved": "YES", "DeidentificationMethodCodeSequence": codes("113100")},
    {"PatientIdentityRemoved": "NO"},
    {
        "PatientIdentityRemoved": "YES",
        "ContributingEquipmentSequence": [equipment(Manufacturer="House")] * 2,
    },
    {},
]
OBJECTS = [instance(1, 1, number, **stated) for number, stated in enumerate(STATED, start=1)]
BYTES = [part10(one) for one in OBJECTS]
BUNDLE = map_dataset(OBJECTS[0], MappingContext()).bundle()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Draw an object whose bytes are as they should be, cut, or changed somewhere."""
    data = bytearray(draw(st.sampled_from(BYTES)))
    for _ in range(draw(st.integers(0, 3))):
        data[draw(st.integers(128, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@st.composite
def json_objects(draw: st.DrawFn) -> bytes:
    """Draw DICOM JSON in which some elements are something else."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        one = draw(st.sampled_from(OBJECTS)).to_json_dict()
        for _ in range(draw(st.integers(0, 2))):
            element = draw(st.sampled_from(sorted(one)))
            key = draw(st.sampled_from(["vr", "Value", "InlineBinary", "other"]))
            one[element] = {**one[element], key: draw(VALUES)}
        found.append(one)
    return json.dumps(found[0] if len(found) == 1 else found).encode()


@st.composite
def several(draw: st.DrawFn) -> bytes:
    """Draw a body of parts, whole or cut."""
    forms = (("application/dicom", spoilt()), ("application/dicom+json", json_objects()))
    parts = [
        (form, draw(kind)) for form, kind in draw(st.lists(st.sampled_from(forms), max_size=3))
    ]
    _, body = related(*parts, boundary=BOUNDARY)
    return body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body


@st.composite
def resources(draw: st.DrawFn) -> bytes:
    """Draw a Bundle, or Parameters of objects or of it, in which something is something else."""
    data = base64.b64encode(draw(spoilt())).decode()
    binary = {"resourceType": "Binary", "contentType": "application/dicom", "data": data}
    one = draw(st.sampled_from([BUNDLE, binary, *(entry["resource"] for entry in BUNDLE["entry"])]))
    name = draw(st.sampled_from(["object", "resource", "other"]))
    inside = {"resourceType": "Parameters", "parameter": [{"name": name, "resource": one}]}
    made = json.loads(json.dumps(draw(st.sampled_from([one, inside]))))
    for _ in range(draw(st.integers(0, 2))):
        place = made
        while (key := draw(st.sampled_from(sorted(place)))) and draw(st.booleans()):
            inner = place[key][0] if isinstance(place[key], list) and place[key] else place[key]
            if not isinstance(inner, dict) or not inner:
                break
            place = inner
        place[key] = draw(VALUES)
    return json.dumps(made).encode()


schemathesis.openapi.media_type("application/fhir+json", resources() | st.binary(max_size=40))
schemathesis.openapi.media_type("application/dicom", spoilt() | st.binary(max_size=300))
schemathesis.openapi.media_type("application/dicom+json", json_objects() | st.binary(max_size=40))
schemathesis.openapi.media_type("multipart/related", several())
load_all_checks()
_NAMES = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")


def test_whatever_is_asked_is_answered_as_described() -> None:
    with FakeServer() as target, serving("--accept", "all", "--to", target.url) as gateway:
        found = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json")
        operations = [one.ok() for one in found.get_all_operations() if isinstance(one, Ok)]
        for operation in operations:
            _ask(operation.as_strategy())
        assert {one.path for one in operations} >= {"/map", "/sync", "/decide", "/metrics"}
        numbers = requests.get(f"{gateway.url}/metrics", timeout=20).text
        for status in (200, 400, 422):  # the bodies are good ones, too
            assert f'requests_total{{route="/map",status="{status}"}}' in numbers
        assert gateway.end() == 0
        assert len(gateway.said) == 1


def _ask(cases: Any) -> None:  # noqa: ANN401 - a strategy
    checks = [CHECKS.get_one(name) for name in _NAMES]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: Any) -> None:  # noqa: ANN401
        if case.media_type == "multipart/related":
            case.headers["Content-Type"] = f"multipart/related; boundary={BOUNDARY}"
        response = case.call(timeout=60)
        assert response.status_code < 500 or response.status_code == 503
        case.validate_response(response, checks=checks)

    ask()
