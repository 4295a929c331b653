"""From FHIR alone the markers of every instance come back, within what may leave (D4)."""

from __future__ import annotations

import json

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.reverse import StatedStudy, read_back
from deidfhir.mapping.study import map_study
from deidfhir.model.record import MASKED, Instance, Item, Markers
from deidfhir.model.verdict import Verdict
from tests.unit.model.records import STUDY, dcms, equipment, instance, item, removed, study

VERSIONS: list[FhirName] = ["R4", "R4B", "R5"]


def bundle(*instances: Instance, version: FhirName = "R4", canonical: str = "") -> JsonObject:
    settings = Settings(canonical=canonical) if canonical else Settings()
    made = map_study(study(*instances), MappingContext(version, settings)).bundle()
    # What comes from a server went through JSON.
    copied: JsonObject = json.loads(json.dumps(made))
    return copied


def back(*instances: Instance, version: FhirName = "R4") -> StatedStudy:
    (found,) = read_back([bundle(*instances, version=version)])
    return found


CODE = item(
    CodeValue="replace_recognizable",
    CodingSchemeDesignator="mri_reface",
    CodingSchemeVersion="0.3.4",
    CodeMeaning="Replace face, ears, and artifacts in air",
    EquivalentCodeSequence=(
        item(URNCodeValue="urn:oid:1.2.3", EquivalentCodeSequence=(item(), item(CodeValue="x"))),
    ),
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "markers",
    [
        Markers(),
        Markers((), (), (), (), (), ()),
        Markers(("yes ",), ("", "a", "", " b"), (item(), CODE, item(CodeValue=()))),
        removed(method=("HIPAA § 164 / 匿名化 / 🙂", "tab\tline\nend", "\x00\x1f", "\ud800")),
        removed(equipment=(equipment(), equipment(Manufacturer=(), SoftwareVersions=("", "7")))),
        removed(method_code=(dcms("113100") * 3)),
    ],
    ids=["absent", "empty", "broken codes", "characters", "equipment", "duplicates"],
)
def test_markers_of_any_shape_come_back_exactly(markers: Markers, version: FhirName) -> None:
    (one,) = back(instance(1, markers), version=version).instances
    assert one.markers == markers


def test_what_is_withheld_comes_back_as_masked() -> None:
    udi = (item(UniqueDeviceIdentifier="(01)7"),)
    full = equipment(Manufacturer="A", StationName="S", DeviceSerialNumber="7", UDISequence=udi)
    (one,) = back(instance(1, removed(equipment=(full,)))).instances
    expected = equipment(
        Manufacturer="A", StationName=MASKED, DeviceSerialNumber=MASKED, UDISequence=MASKED
    )
    assert one.markers == removed(equipment=(expected,))


def test_what_the_codes_unlock_comes_back_as_it_is() -> None:
    udi: Item = item(UniqueDeviceIdentifier="(01)7", DeviceDescription="box")
    full = equipment(Manufacturer="A", StationName="S", UDISequence=(udi,), DeviceUID="1.2.3")
    markers = removed(method_code=dcms("113109"), equipment=(full,))
    assert back(instance(1, markers)).instances[0].markers == markers


def test_each_instance_gets_its_own_from_whatever_level_it_stands_at() -> None:
    markers = {
        (1, 1): removed(method=("a",), burned_in_annotation=("NO",)),
        (1, 2): removed(method=("b",), burned_in_annotation=("NO",)),
        (2, 1): removed(method=("c",)),
        (2, 2): removed(method=("c",)),
        (3, 1): removed(),
    }
    made = [instance(number, one, series=series) for (series, number), one in markers.items()]
    found = back(*made)
    assert found.verdict is Verdict.REMOVED
    assert {one.sop_instance_uid: one.markers for one in found.instances} == {
        f"{STUDY}.{series}.{number}": one for (series, number), one in markers.items()
    }


def test_verdicts_and_reasons_come_back_for_every_instance() -> None:
    found = back(
        instance(1),
        instance(2, Markers(("NO",), ("m",))),
        instance(1, series=2),
    )
    assert (found.study_uid, found.verdict) == (STUDY, Verdict.MIXED)
    assert [(one.verdict, one.reasons) for one in found.instances] == [
        (Verdict.REMOVED, ("identity-removed-yes",)),
        (Verdict.CONTRADICTORY, ("identity-removed-no", "method-stated")),
        (Verdict.REMOVED, ("identity-removed-yes",)),
    ]


def test_a_server_s_order_of_item_slots_does_not_matter() -> None:
    made = bundle(instance(1, removed(method_code=dcms("113100", "113105", "113107"))))
    made["entry"][0]["resource"]["extension"][0]["extension"].reverse()
    (found,) = read_back([made])
    assert found.instances[0].markers.method_code == dcms("113100", "113105", "113107")


def test_any_canonical_base_is_understood() -> None:
    (found,) = read_back([bundle(instance(1), canonical="https://site.example/fhir")])
    assert found.instances[0].verdict is Verdict.REMOVED


def test_provenances_belong_to_the_study_that_they_target_versioned_or_not() -> None:
    made = bundle(instance(1))
    other = bundle(instance(1, study_uid="1.2.9"))
    provenance = made["entry"][1]["resource"]
    provenance["target"][0]["reference"] += "/_history/2"
    absolute = {**provenance, "id": "absolute"}
    reference = provenance["target"][0]["reference"]
    absolute["target"] = [{"reference": f"https://server.example/fhir/{reference}"}]
    found = read_back([made, other, absolute])
    assert [len(one.provenances) for one in found] == [2, 1]


def test_a_resource_that_is_not_of_ours_states_nothing() -> None:
    foreign = {
        "resourceType": "ImagingStudy",
        "id": "x",
        "identifier": [{"system": "urn:other", "value": "7"}],
        "extension": [{"url": "https://other.example/x", "valueString": "y"}],
        "series": [{"uid": "1.2", "instance": [{"uid": "1.2.3"}]}, {"uid": "1.3"}],
    }
    patient = {"resourceType": "Patient"}
    (found,) = read_back([foreign, patient, {"resourceType": "Bundle"}])
    assert (found.study_uid, found.verdict, found.provenances) == ("", None, ())
    (one,) = found.instances
    assert (one.verdict, one.reasons, one.markers) == (None, (), Markers())
