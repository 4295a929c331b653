"""Our profiles reject what must not be, for the constraint that it breaks, on real HAPI."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.package.resources import conformance_resources
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


def set_value(resource: Resource, item: str, url: str, **value: object) -> None:
    inner = slot(resource, "markers", item)["extension"]
    found = next(one for one in inner if one["url"] == url)
    found.clear()
    found.update({"url": url, **value})


def add_slot(resource: Resource, **content: object) -> None:
    extension(resource, "markers")["extension"].append(content)


def add_in_item(resource: Resource, item: str, **content: object) -> None:
    slot(resource, "markers", item)["extension"].append(content)


def label(resource: Resource, code: str) -> None:
    resource["meta"].update(security=[{"system": LABELS, "code": code}])


def limited(resource: Resource) -> None:
    label(resource, "ANONYED")
    without(resource, "markers", "methodCode")
    code = {"system": "urn:x", "code": "limited-data-set"}
    extension(resource, "inferred")["extension"].append({"url": "term", "valueCoding": code})


def inferred_uids(resource: Resource) -> None:
    label(resource, "ANONYED")
    without(resource, "markers", "methodCode")
    code = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "113110"}
    extension(resource, "inferred")["extension"].append({"url": "code", "valueCoding": code})


def promoted(tool: str) -> Resource:
    url = f"{Settings().canonical}/StructureDefinition/deidentification-promoted"
    return {"url": url, "valueCode": tool}


def beneath(resource: Resource, verdict: str) -> None:
    mark = {"url": "verdict", "valueCode": verdict}
    url = extension(resource, "markers")["url"]
    resource["series"][0]["extension"] = [{"url": url, "extension": [mark]}]


def named_although_unknown(resource: Resource) -> None:
    set_slot(resource, "markers", "verdict", valueCode="unknown")
    resource.update(subject={"type": "Patient", "reference": "Patient/7"})


SOMEONE = {"display": "someone"}
TEXT = {"text": "something"}
# What is changed → the change, and what the validator's message or place must hold.
STUDY: dict[str, tuple[Change, str]] = {
    "a verdict that is none": (
        lambda r: set_slot(r, "markers", "verdict", valueCode="clean"),
        "deidentification-verdict",
    ),
    "a verdict that is a text": (
        lambda r: set_slot(r, "markers", "verdict", valueString="removed"),
        "code",
    ),
    "a reason that is none": (
        lambda r: set_slot(r, "markers", "reason", valueCode="because"),
        "deidentification-verdict-reason",
    ),
    "no verdict": (lambda r: without(r, "markers", "verdict"), "deid-verdict:"),
    "no markers": (lambda r: r.update(extension=[]), "extension:markers"),
    "two verdicts": (
        lambda r: add_slot(r, url="verdict", valueCode="removed"),
        "extension:verdict",
    ),
    "a slot that nobody knows": (
        lambda r: add_slot(r, url="colour", valueString="red"),
        "does not match any known slice",
    ),
    "a marker of another type": (
        lambda r: set_slot(r, "markers", "method", valueInteger=7),
        "Valid types at this point are string, base64Binary",
    ),
    "a slot of an item that nobody knows": (
        lambda r: add_in_item(r, "methodCode", url="codeValu", valueString="x"),
        "does not match any known slice",
    ),
    "a slot in a value": (
        lambda r: set_slot(
            r, "markers", "method", extension=[{"url": "colour", "valueString": "red"}]
        ),
        "does not match any known slice",
    ),
    "a value of an item of another type": (
        lambda r: set_value(r, "methodCode", "codeMeaning", valueInteger=7),
        "Valid types at this point are string, base64Binary",
    ),
    "an item without number": (
        lambda r: slot(r, "markers", "methodCode")["extension"].pop(0),
        "deid-item:",
    ),
    "two items of one number": (
        lambda r: extension(r, "markers")["extension"].append(
            deepcopy(slot(r, "markers", "methodCode"))
        ),
        "deid-number:",
    ),
    "an item's device that is none": (
        lambda r: set_value(r, "equipment", "device", valueReference={"reference": "Patient/1"}),
        "deid-target:",
    ),
    "removed beside NO": (
        lambda r: set_slot(r, "markers", "patientIdentityRemoved", valueString="NO"),
        "deid-verdict-removed:",
    ),
    "removed without the marker": (
        lambda r: without(r, "markers", "patientIdentityRemoved"),
        "deid-verdict-removed:",
    ),
    "not removed beside YES": (
        lambda r: set_slot(r, "markers", "verdict", valueCode="not-removed"),
        "deid-verdict-not-removed:",
    ),
    "another verdict beneath one": (lambda r: beneath(r, "not-removed"), "deid-verdict-once:"),
    "mixed without a verdict beneath": (
        lambda r: set_slot(r, "markers", "verdict", valueCode="mixed"),
        "deid-mixed:",
    ),
    "a label without basis": (without_basis, "deid-label-basis:"),
    "anonymised with retained UIDs": (lambda r: label(r, "ANONYED"), "deid-label-uids:"),
    "anonymised with UIDs that are said to be retained": (inferred_uids, "deid-label-uids:"),
    "an anonymised Limited Data Set": (limited, "deid-label-limited:"),
    "an inference without its rule": (lambda r: without(r, "inferred", "rule"), "extension:rule"),
    "an inference without its value": (
        lambda r: without(r, "inferred", "value"),
        "extension:value",
    ),
    "no identifier": (lambda r: r.pop("identifier"), "ImagingStudy.identifier"),
    "an identifier of another system": (
        lambda r: r["identifier"][0].update(system="urn:x:y"),
        "deid-study-uid:",
    ),
    "an identifier that is no UID": (
        lambda r: r["identifier"][0].update(value="urn:oid:not.a.uid"),
        "deid-study-uid:",
    ),
    "a subject with a name beside it": (
        lambda r: r["subject"].update(
            identifier={"system": "urn:x", "value": "7"}, extension=[], display="someone"
        ),
        "deid-subject:",
    ),
    "a subject of a study that is not removed": (
        named_although_unknown,
        "deid-subject-removed:",
    ),
    "something contained": (
        lambda r: r.update(contained=[{"resourceType": "Patient", "id": "p"}]),
        "ImagingStudy.contained",
    ),
    "an encounter": (lambda r: r.update(encounter=SOMEONE), "ImagingStudy.encounter"),
    "a request": (lambda r: r.update(basedOn=[SOMEONE]), "ImagingStudy.basedOn"),
    "a referrer": (lambda r: r.update(referrer=SOMEONE), "ImagingStudy.referrer"),
    "a location": (lambda r: r.update(location=SOMEONE), "ImagingStudy.location"),
    "a note": (lambda r: r.update(note=[TEXT]), "ImagingStudy.note"),
    "a performer": (
        lambda r: r["series"][0].update(performer=[{"actor": SOMEONE}]),
        "ImagingStudy.series.performer",
    ),
    "a laterality": (
        lambda r: r["series"][0].update(laterality={"code": "419161000"}),
        "ImagingStudy.series.laterality",
    ),
    "a specimen": (
        lambda r: r["series"][0].update(specimen=[SOMEONE]),
        "ImagingStudy.series.specimen",
    ),
    "no series": (lambda r: r.pop("series"), "ImagingStudy.series: minimum"),
    "no instance": (
        lambda r: r["series"][0].pop("instance"),
        "ImagingStudy.series.instance: minimum",
    ),
}
STUDY_R4: dict[str, tuple[Change, str]] = {
    "an interpreter": (lambda r: r.update(interpreter=[SOMEONE]), "ImagingStudy.interpreter"),
    "a procedure": (lambda r: r.update(procedureCode=[TEXT]), "ImagingStudy.procedureCode"),
    "a procedure by reference": (
        lambda r: r.update(procedureReference=SOMEONE),
        "ImagingStudy.procedureReference",
    ),
    "a reason": (lambda r: r.update(reasonCode=[TEXT]), "ImagingStudy.reasonCode"),
    "a reason by reference": (
        lambda r: r.update(reasonReference=[SOMEONE]),
        "ImagingStudy.reasonReference",
    ),
}
STUDY_R5: dict[str, tuple[Change, str]] = {
    "a whole": (lambda r: r.update(partOf=[SOMEONE]), "ImagingStudy.partOf"),
    "a procedure": (lambda r: r.update(procedure=[{"concept": TEXT}]), "ImagingStudy.procedure"),
    "a reason": (lambda r: r.update(reason=[{"concept": TEXT}]), "ImagingStudy.reason"),
}
PROVENANCE: dict[str, tuple[Change, str]] = {
    "no step": (lambda r: r.update(extension=[]), "extension:step"),
    "a scope that is none": (
        lambda r: set_slot(r, "step", "scope", valueCode="half"),
        "deidentification-step-scope",
    ),
    "a step without key": (lambda r: without(r, "step", "key"), "extension:key"),
    "a step without place": (lambda r: without(r, "step", "place"), "extension:place"),
    "no activity": (lambda r: r.pop("activity"), "Provenance.activity"),
    "another activity": (
        lambda r: r["activity"].update(
            coding=[{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "MASK"}]
        ),
        "deid-activity:",
    ),
    "no agent": (lambda r: r.pop("agent"), "Provenance.agent"),
    "an agent without type": (lambda r: r["agent"][0].pop("type"), "Provenance.agent.type"),
    "an agent of another type": (
        lambda r: r["agent"][0]["type"]["coding"][0].update(code="author", display="Author"),
        "deid-agent:",
    ),
    "an agent without who": (lambda r: r["agent"][0].pop("who"), "Provenance.agent.who"),
    "an agent that is no device": (
        lambda r: r["agent"][0].update(who={"type": "Practitioner", "display": "someone"}),
        "deid-agent:",
    ),
    "an agent twice": (lambda r: r["agent"].append(r["agent"][0]), "deid-agents-differ:"),
    "an agent for someone": (
        lambda r: r["agent"][0].update(onBehalfOf=SOMEONE),
        "Provenance.agent.onBehalfOf",
    ),
    "a policy without codes": (
        lambda r: without(r, "markers", "methodCode"),
        "deid-policy:",
    ),
    "a location": (lambda r: r.update(location=SOMEONE), "Provenance.location"),
    "a signature": (
        lambda r: r.update(
            signature=[
                {
                    "type": [
                        {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}
                    ],
                    "when": "2026-01-31T12:00:00Z",
                    "who": SOMEONE,
                }
            ]
        ),
        "Provenance.signature",
    ),
    "something contained": (
        lambda r: r.update(contained=[{"resourceType": "Patient", "id": "p"}]),
        "Provenance.contained",
    ),
    "an entity": (
        lambda r: r.update(entity=[{"role": "source", "what": {"display": "original"}}]),
        "Provenance.entity",
    ),
    "two targets": (
        lambda r: r["target"].append(deepcopy(r["target"][0])),
        "Provenance.target",
    ),
    "a target of another type": (
        lambda r: r["target"][0].update(reference="Patient/7", type="Patient"),
        "ImagingStudy",
    ),
    "an inferred agent that no wording gives": (
        lambda r: r["agent"][0].update(extension=[promoted("nobody")]),
        "deid-promoted-agent:",
    ),
    "an item with two agents": (
        lambda r: set_slot(r, "step", "scope", valueCode="item"),
        "deid-item-agent:",
    ),
    "a step that follows none": (
        lambda r: r["extension"].append(
            {
                "url": f"{Settings().canonical}/StructureDefinition/deidentification-follows",
                "valueReference": {"reference": "Patient/7"},
            }
        ),
        "deid-target:",
    ),
}
PROVENANCE_R4: dict[str, tuple[Change, str]] = {
    "a reason": (lambda r: r.update(reason=[TEXT]), "Provenance.reason"),
}
PROVENANCE_R5: dict[str, tuple[Change, str]] = {
    "a reason": (lambda r: r.update(authorization=[{"concept": TEXT}]), "authorization"),
    "a request": (lambda r: r.update(basedOn=[SOMEONE]), "Provenance.basedOn"),
    "a patient": (lambda r: r.update(patient=SOMEONE), "Provenance.patient"),
    "an encounter": (lambda r: r.update(encounter=SOMEONE), "Provenance.encounter"),
    "no lifecycle event": (lambda r: r["activity"]["coding"].pop(0), "deid-lifecycle:"),
}
DEVICE: dict[str, tuple[Change, str]] = {
    "no type": (lambda r: r.pop("type"), "Device.type"),
    "another type": (
        lambda r: (r["type"][0] if isinstance(r["type"], list) else r["type"])["coding"][0].update(
            code="109101", display="Acquisition Equipment"
        ),
        "deid-device-type:",
    ),
    "an inferred one with a serial number": (
        lambda r: r.update(extension=[promoted("orthanc")], serialNumber="1"),
        "deid-device-inferred:",
    ),
    "nothing that identifies it": (lambda r: r.pop("manufacturer"), "deid-device-named:"),
    "an owner": (lambda r: r.update(owner=SOMEONE), "Device.owner"),
    "a location": (lambda r: r.update(location=SOMEONE), "Device.location"),
    "a contact": (
        lambda r: r.update(contact=[{"system": "phone", "value": "1"}]),
        "Device.contact",
    ),
    "an address": (lambda r: r.update(url="http://device.example"), "Device.url"),
    "a note": (lambda r: r.update(note=[TEXT]), "Device.note"),
    "a label": (
        lambda r: r.update(
            udiCarrier=[{"deviceIdentifier": "x", "issuer": "http://hl7.org/fhir/NamingSystem/gs1"}]
        ),
        "Device.udiCarrier",
    ),
    "something contained": (
        lambda r: r.update(contained=[{"resourceType": "Patient", "id": "p"}]),
        "Device.contained",
    ),
}
DEVICE_R4: dict[str, tuple[Change, str]] = {
    "a patient": (lambda r: r.update(patient=SOMEONE), "Device.patient"),
}
ONLY = {
    "R4": (STUDY_R4, PROVENANCE_R4, DEVICE_R4),
    "R5": (STUDY_R5, PROVENANCE_R5, {}),
}


KINDS = ("ImagingStudy", "Provenance", "Device")
Case = tuple[int, Change, str]


def cases(*changes: dict[str, tuple[Change, str]]) -> dict[str, Case]:
    """Return the variants of the three kinds by name: the kind's position, change and answer."""
    return {
        f"{kind}: {name}": (position, *one)
        for position, (kind, named) in enumerate(zip(KINDS, changes, strict=True))
        for name, one in named.items()
    }


COMMON = cases(STUDY, PROVENANCE, DEVICE)
ONLY_R4, ONLY_R5 = cases(*ONLY["R4"]), cases(*ONLY["R5"])


def resource_at(found: MappedStudy, position: int) -> Resource:
    return deepcopy((found.imaging_study, found.provenances[0], found.devices[0])[position])


def test_the_resources_are_valid_before_they_are_changed(server: Server) -> None:
    found = [resource_at(made(server), position) for position in range(3)]
    assert unexpected(validated(packaged(server), found)) == []


def is_rejected(server: Server, case: Case) -> None:
    position, change, expected = case
    resource = resource_at(made(server), position)
    change(resource)
    issues = validated(packaged(server), [resource])
    errors = [one for one in issues if one.severity in ("error", "fatal")]
    assert any(expected in f"{one.text} {one.where}" for one in errors), errors


@pytest.mark.parametrize("case", COMMON.values(), ids=COMMON)
def test_each_variant_is_rejected_for_its_own_constraint(server: Server, case: Case) -> None:
    is_rejected(server, case)


@pytest.mark.parametrize("case", ONLY_R4.values(), ids=ONLY_R4)
def test_what_r4_alone_has_is_rejected(r4_server: Server, case: Case) -> None:
    is_rejected(r4_server, case)


@pytest.mark.parametrize("case", ONLY_R5.values(), ids=ONLY_R5)
def test_what_r5_alone_has_is_rejected(r5_server: Server, case: Case) -> None:
    is_rejected(r5_server, case)


def test_every_constraint_and_forbidden_element_has_a_variant(server: Server) -> None:
    only = ONLY_R5 if server.fhir == "R5" else ONLY_R4
    expected = {one for *_, one in (*COMMON.values(), *only.values())}
    for definition in conformance_resources(Settings(), server.fhir):
        if definition["resourceType"] != "StructureDefinition":
            continue
        for element in definition["differential"]["element"]:
            for constraint in element.get("constraint", ()):
                assert any(one == f"{constraint['key']}:" for one in expected), constraint["key"]
            if element.get("max") == "0" and definition["type"] != "Extension":
                assert any(
                    one.startswith(element["path"]) or element["path"].endswith(one)
                    for one in expected
                ), element["path"]


def test_an_agent_may_be_named_by_its_reference_alone(server: Server) -> None:
    provenance = resource_at(made(server), 1)
    for one in provenance["agent"]:
        del one["who"]["type"]
    assert unexpected(validated(packaged(server), [provenance])) == []
