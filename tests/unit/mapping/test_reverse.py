"""From FHIR alone the markers of every instance come back, within what may leave (D4)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from deidfhir.config import Settings
from deidfhir.errors import DataError
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


Slots = list[JsonObject]


def _slot(slots: Slots, url: str) -> JsonObject:
    return next(one for one in slots if one["url"] == url)


def _of_code(slots: Slots, url: str) -> JsonObject:
    return _slot(_slot(slots, "methodCode")["extension"], url)


MASK = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
FOREIGN: dict[str, Callable[[Slots], object]] = {
    "a slot of another name": lambda s: s.append({"url": "colour", "valueString": "red"}),
    "a value of another type": lambda s: s.append({"url": "method", "valueCode": "x"}),
    "a value that is a list": lambda s: _slot(s, "method").update(valueString=["x"]),
    "a value beside the mark that it is withheld": lambda s: s.append(
        {"url": "burnedInAnnotation", "extension": [MASK]}
    ),
    "a slot without url": lambda s: s.append({"valueString": "x"}),
    "an item without number": lambda s: _slot(s, "methodCode")["extension"].pop(0),
    "an item with two numbers": lambda s: _slot(s, "methodCode")["extension"].append(
        {"url": "item", "valuePositiveInt": 2}
    ),
    "a number that is a text": lambda s: _of_code(s, "item").update(valuePositiveInt="1"),
    "a number that is too high": lambda s: _of_code(s, "item").update(valuePositiveInt=3),
    "an item twice": lambda s: s.append(_slot(s, "methodCode")),
    "an item beside the mark that they are withheld": lambda s: s.append(
        {"url": "methodCode", "extension": [MASK]}
    ),
    "a slot of an item of another name": lambda s: _slot(s, "methodCode")["extension"].append(
        {"url": "codeValu", "valueString": "x"}
    ),
    "a value in an item of another type": lambda s: _of_code(s, "codeValue").update(valueString=5),
    "two verdicts": lambda s: s.append({"url": "verdict", "valueCode": "removed"}),
    "an unknown verdict": lambda s: _slot(s, "verdict").update(valueCode="clean"),
    "a verdict without code": lambda s: _slot(s, "verdict").pop("valueCode"),
    "nothing": lambda s: s.clear(),
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_what_the_mapping_does_not_write_is_told_and_never_guessed_at(
    change: Callable[[Slots], object],
) -> None:
    made = bundle(
        instance(
            1,
            removed(method=("m",), method_code=dcms("113100"), burned_in_annotation=("NO",)),
        )
    )
    change(made["entry"][0]["resource"]["extension"][0]["extension"])
    told: list[str] = []
    assert [one for study in read_back([made], told.append) for one in study.instances] == []
    assert [one.startswith("entry[0].resource.") for one in told] == [True]
    with pytest.raises(DataError) as raised:
        read_back([made])
    assert raised.value.code == "unreadable"


def test_two_of_our_extensions_on_one_element_are_not_joined() -> None:
    made = bundle(instance(1, removed(method=("m",))))
    resource = made["entry"][0]["resource"]
    resource["extension"].append(
        {**resource["extension"][0], "extension": [{"url": "method", "valueString": "n"}]}
    )
    told: list[str] = []
    assert (read_back([resource], told.append), told) == ([], [""])


def test_an_attribute_at_two_levels_is_told() -> None:
    made = bundle(instance(1, removed(method=("m",))), instance(2, removed(method=("m",))))
    resource = made["entry"][0]["resource"]
    url = resource["extension"][0]["url"]
    slot = {"url": "method", "valueString": "n"}
    resource["series"][0]["instance"][0]["extension"] = [{"url": url, "extension": [slot]}]
    told: list[str] = []
    (found,) = read_back([resource], told.append)
    assert [one.sop_instance_uid for one in found.instances] == [f"{STUDY}.1.2"]
    assert told == ["series[0].instance[0]"]


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
