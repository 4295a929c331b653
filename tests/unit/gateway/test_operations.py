"""The FHIR-shaped forms give what the plain routes give, as their definitions say."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pydicom import Dataset

from deidfhir.fhir.check import check_whole
from deidfhir.fhir.versions import FHIR_NAMES, FhirName, fhir_version
from deidfhir.gateway.gateway import Gateway
from deidfhir.mapping.context import MappingContext
from deidfhir.package.resources import conformance_resources
from deidfhir.pipeline.gate import parse_accept
from deidfhir.tables import table
from tests.synthetic.objects import instance
from tests.unit.gateway.asking import DICOM, FHIR, asked, codes, part10, related

REMOVED: dict[str, Any] = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool 1.0"}
Json = dict[str, Any]


def objects(*stated: Json) -> list[Dataset]:
    """Return objects of one study."""
    return [instance(1, 1, number, **one) for number, one in enumerate(stated, start=1)]


def binary(made: Dataset, *, as_json: bool = False) -> Json:
    """Return an object as a Binary."""
    content = json.dumps(made.to_json_dict()).encode() if as_json else part10(made)
    form = "application/dicom+json" if as_json else "application/dicom"
    data = base64.b64encode(content).decode()
    return {"resourceType": "Binary", "contentType": form, "data": data}


def parameters(**given: list[Json]) -> bytes:
    """Return Parameters."""
    entries = [{"name": name, "resource": one} for name, all_ in given.items() for one in all_]
    return json.dumps({"resourceType": "Parameters", "parameter": entries}).encode()


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_the_bundle_is_that_of_the_plain_route_in_whatever_form_objects_come(
    fhir: FhirName,
) -> None:
    made = objects(REMOVED, REMOVED)
    whole = related(*[("application/dicom", part10(one)) for one in made])
    mixed = parameters(object=[binary(made[0]), binary(made[1], as_json=True)])
    with asked(Gateway(MappingContext(fhir))) as client:
        headers, body = whole
        plain = client.post("/map", content=body, headers=headers)
        for sent, form in ((mixed, FHIR), (body, headers)):
            answer = client.post("/$deid-map", content=sent, headers=form)
            assert (answer.status_code, answer.content) == (200, plain.content)
        one = client.post("/map", content=part10(made[0]), headers=DICOM)
        alone = client.post("/$deid-map", content=json.dumps(binary(made[0])), headers=FHIR)
        assert alone.content == one.content
    assert plain.json()["type"] == "transaction"


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_the_verdict_says_what_the_plain_route_says_and_fits_its_definition(
    fhir: FhirName,
) -> None:
    made = objects(REMOVED, {"PatientIdentityRemoved": "NO"})
    with asked(Gateway(MappingContext(fhir))) as client:
        sent = parameters(object=[binary(one) for one in made])
        answer = client.post("/$deid-verdict", content=sent, headers=FHIR)
        headers, body = related(*[("application/dicom", part10(one)) for one in made])
        plain = client.post("/verdict", content=body, headers=headers).json()
    assert answer.headers["content-type"] == "application/fhir+json"
    found = answer.json()
    check_whole(found, fhir_version(fhir))
    values = [(one["name"], _value(one)) for one in found["parameter"]]
    assert values[:4] == [
        ("verdict", plain["verdict"]),
        ("accepted", plain["accepted"]),
        *(("reason", one) for one in plain["reasons"]),
    ]
    (study,) = [one for one in found["parameter"] if one["name"] == "study"]
    told = {one["name"]: _value(one) for one in study["part"]}
    (stated,) = plain["studies"]
    assert told == {
        "name": stated["study"],
        **{name: stated[name] for name in ("verdict", "accepted", "refusal", "instances")},
    }
    _require_defined(found["parameter"], "deid-verdict")
    outcome = found["parameter"][-1]["resource"]
    assert len(outcome["issue"]) == max(1, len(plain["findings"]))


def _value(parameter: Json) -> object:
    return next((value for name, value in parameter.items() if name.startswith("value")), None)


def _require_defined(found: list[Json], identity: str) -> None:
    (row,) = [one for one in table("package/operations.toml")["operation"] if one["id"] == identity]
    counts = [one["name"] for one in found]
    for defined in (one for one in row["parameter"] if one["use"] == "out"):
        count = counts.count(defined["name"])
        assert defined["min"] <= count
        assert defined["max"] == "*" or count <= int(defined["max"])
    assert set(counts) <= {one["name"] for one in row["parameter"] if one["use"] == "out"}


def test_resources_may_come_one_by_one_or_as_a_bundle() -> None:
    context = MappingContext().accepting(parse_accept("all"))
    with asked(Gateway(context)) as client:
        body = part10(*objects({"PatientIdentityRemoved": "NO"}))
        bundle = client.post("/map", content=body, headers=DICOM).json()
        single = [one["resource"] for one in bundle["entry"]]
        answers = [
            client.post("/$deid-verdict", content=parameters(resource=given), headers=FHIR).json()
            for given in ([bundle], single)
        ]
    assert answers[0] == answers[1]
    assert _value(answers[0]["parameter"][0]) == "not-removed"


BROKEN: list[Json] = [
    {"parameter": "x"},
    {"parameter": []},
    {"parameter": [3]},
    {"parameter": [{"name": "object"}]},
    {"parameter": [{"name": "object", "resource": {"resourceType": "Patient"}}]},
    {"parameter": [{"name": "other", "resource": binary(instance(1, **REMOVED))}]},
    {"parameter": [{"name": "resource", "resource": binary(instance(1, **REMOVED))}]},
    {"parameter": [{"name": "object", "resource": {"resourceType": "Binary"}}]},
    {"parameter": [{"name": "object", "resource": {**binary(instance(1)), "data": 3}}]},
    {"parameter": [{"name": "object", "resource": {**binary(instance(1)), "data": "?"}}]},
    {"parameter": [{"name": "object", "resource": {**binary(instance(1)), "contentType": "x"}}]},
    {
        "parameter": [
            {"name": "object", "resource": binary(instance(1, **REMOVED))},
            {"name": "resource", "resource": {"resourceType": "ImagingStudy"}},
        ]
    },
]


@pytest.mark.parametrize("operation", ["$deid-map", "$deid-verdict"])
@pytest.mark.parametrize("given", BROKEN, ids=range(len(BROKEN)))
def test_parameters_that_are_not_as_defined_are_refused(operation: str, given: Json) -> None:
    sent = json.dumps({"resourceType": "Parameters", **given})
    with asked() as client:
        answer = client.post(f"/{operation}", content=sent, headers=FHIR)
    assert (answer.status_code, codes(answer)) == (400, ["parameter-broken"])


def test_a_binary_of_another_form_or_an_empty_one_is_refused() -> None:
    made = binary(instance(1, **REMOVED))
    with asked() as client:
        image = json.dumps({**made, "contentType": "image/png"})
        answer = client.post("/$deid-map", content=image, headers=FHIR)
        assert (answer.status_code, codes(answer)) == (415, ["content-not-supported"])
        empty = json.dumps({**made, "data": ""})
        answer = client.post("/$deid-map", content=empty, headers=FHIR)
        assert (answer.status_code, codes(answer)) == (422, ["file-empty"])


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_the_statement_of_capabilities_names_the_operations_of_the_package(fhir: FhirName) -> None:
    with asked(Gateway(MappingContext(fhir))) as client:
        answer = client.get("/metadata")
        found = answer.json()
        check_whole(found, fhir_version(fhir))
        defined = {
            one["url"]: one
            for one in conformance_resources(MappingContext(fhir).settings, fhir)
            if one["resourceType"] == "OperationDefinition"
        }
        named = {one["definition"]: one["name"] for one in found["rest"][0]["operation"]}
        assert named == {url: one["code"] for url, one in defined.items()}
        for name in named.values():
            assert client.post(f"/${name}", content=b"{}", headers=FHIR).status_code == 400
    assert found["fhirVersion"] == fhir_version(fhir).number
    assert "security" not in found["rest"][0]
