"""Our profiles reject what must not be: one variant a constraint, on real HAPI."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from tests.conftest import Server
from tests.integration.packaged import packaged
from tests.integration.validation import unexpected, validated
from tests.unit.model.records import dcms, equipment, instance, removed, study

Resource = dict[str, Any]
Change = Callable[[Resource], object]
LABELS = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
MAKERS = (equipment(Manufacturer="A"), equipment(Manufacturer="B"))


def made(server: Server) -> MappedStudy:
    markers = removed(
        method=("Orthanc 1.12.1 - PS 3.15-2023b Table E.1-1",),
        method_code=dcms("113100", "113110"),
        equipment=MAKERS,
    )
    return map_study(study(instance(1, markers)), MappingContext(server.fhir))


def extension(resource: Resource, name: str) -> Resource:
    found: list[Resource] = [one for one in resource["extension"] if one["url"].endswith(name)]
    return found[0]


def slot(resource: Resource, name: str, url: str) -> Resource:
    return next(one for one in extension(resource, name)["extension"] if one["url"] == url)


def without(resource: Resource, name: str, url: str) -> None:
    holder = extension(resource, name)
    holder["extension"] = [one for one in holder["extension"] if one["url"] != url]


def set_slot(resource: Resource, name: str, url: str, **value: object) -> None:
    found = slot(resource, name, url)
    found.clear()
    found.update({"url": url, **value})


def without_basis(resource: Resource) -> None:
    set_slot(resource, "markers", "verdict", valueCode="unknown")
    resource["meta"].update(security=[{"system": LABELS, "code": "PSEUDED"}])


STUDY: dict[str, Change] = {
    "a verdict that is none": lambda r: set_slot(r, "markers", "verdict", valueCode="clean"),
    "a verdict that is a text": lambda r: set_slot(r, "markers", "verdict", valueString="removed"),
    "a reason that is none": lambda r: set_slot(r, "markers", "reason", valueCode="because"),
    "no verdict": lambda r: without(r, "markers", "verdict"),
    "no markers": lambda r: r.update(extension=[]),
    "two verdicts": lambda r: extension(r, "markers")["extension"].append(
        {"url": "verdict", "valueCode": "removed"}
    ),
    "a slot that nobody knows": lambda r: extension(r, "markers")["extension"].append(
        {"url": "colour", "valueString": "red"}
    ),
    "a marker of another type": lambda r: set_slot(r, "markers", "method", valueInteger=7),
    "a label without basis": without_basis,
    "anonymised with retained UIDs": lambda r: r["meta"].update(
        security=[{"system": LABELS, "code": "ANONYED"}]
    ),
    "an inference without its rule": lambda r: without(r, "inferred", "rule"),
    "an inference without its value": lambda r: without(r, "inferred", "value"),
    "no identifier": lambda r: r.pop("identifier"),
    "an identifier that is no UID": lambda r: r["identifier"][0].update(system="urn:x:y"),
    "a referrer": lambda r: r.update(referrer={"display": "someone"}),
    "a performer": lambda r: r["series"][0].update(performer=[{"actor": {"display": "someone"}}]),
    "no series": lambda r: r.pop("series"),
    "mixed without a verdict beneath": lambda r: set_slot(
        r, "markers", "verdict", valueCode="mixed"
    ),
}
PROVENANCE: dict[str, Change] = {
    "no step": lambda r: r.update(extension=[]),
    "a scope that is none": lambda r: set_slot(r, "step", "scope", valueCode="half"),
    "a step without key": lambda r: without(r, "step", "key"),
    "a step without place": lambda r: without(r, "step", "place"),
    "no activity": lambda r: r.pop("activity"),
    "another activity": lambda r: r["activity"].update(
        coding=[{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "MASK"}]
    ),
    "no agent": lambda r: r.pop("agent"),
    "an agent without type": lambda r: r["agent"][0].pop("type"),
    "an agent of another type": lambda r: r["agent"][0]["type"]["coding"][0].update(code="author"),
    "an agent without who": lambda r: r["agent"][0].pop("who"),
    "an agent that is no device": lambda r: r["agent"][0].update(
        who={"type": "Practitioner", "display": "someone"}
    ),
    "an entity": lambda r: r.update(entity=[{"role": "source", "what": {"display": "original"}}]),
    "two targets": lambda r: r["target"].append(deepcopy(r["target"][0])),
    "an item with two agents": lambda r: set_slot(r, "step", "scope", valueCode="item"),
}
DEVICE: dict[str, Change] = {
    "no type": lambda r: r.pop("type"),
    "nothing that identifies it": lambda r: r.pop("manufacturer"),
    "an owner": lambda r: r.update(owner={"display": "someone"}),
}
CASES = [
    pytest.param(position, change, id=f"{kind}: {name}")
    for kind, position, changes in (
        ("ImagingStudy", 0, STUDY),
        ("Provenance", 1, PROVENANCE),
        ("Device", 2, DEVICE),
    )
    for name, change in changes.items()
]


def resource_at(found: MappedStudy, position: int) -> Resource:
    return deepcopy((found.imaging_study, found.provenances[0], found.devices[0])[position])


def test_the_resources_are_valid_before_they_are_changed(server: Server) -> None:
    found = [resource_at(made(server), position) for position in range(3)]
    assert unexpected(validated(packaged(server), found)) == []


@pytest.mark.parametrize(("position", "change"), CASES)
def test_the_profile_rejects(server: Server, position: int, change: Change) -> None:
    url = packaged(server)
    resource = resource_at(made(server), position)
    change(resource)
    issues = validated(url, [resource])
    assert [one for one in issues if one.severity in ("error", "fatal")] != []


def test_a_device_of_another_type_is_rejected(server: Server) -> None:
    resource = resource_at(made(server), 2)
    concept = resource["type"][0] if isinstance(resource["type"], list) else resource["type"]
    concept["coding"][0].update(code="109101", display="Acquisition Equipment")
    issues = validated(packaged(server), [resource])
    assert any("deid-device-type" in one.text for one in issues if one.severity == "error")
