"""The allow-list: what leaves because the object's own codes say that it may (D4 to D6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.extensions import data_absent
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.leaving import leaving_study
from deidfhir.mapping.study import map_study
from deidfhir.model.record import MASKED, Instance, Item, Markers
from deidfhir.policy.policy import Policy
from tests.unit.model.records import dcms, equipment, instance, item, removed, study

FULL = equipment(
    Manufacturer="MAKER",
    InstitutionName="INSTITUTION",
    InstitutionAddress="ADDRESS",
    StationName="STATION",
    InstitutionalDepartmentName="DEPARTMENT",
    InstitutionalDepartmentTypeCodeSequence=(item(CodeValue="DEPARTMENTCODE"),),
    OperatorsName=("OPERATOR^ONE", "OPERATOR^TWO"),
    OperatorIdentificationSequence=(),
    ManufacturerModelName="MODEL",
    DeviceSerialNumber="SERIAL",
    DeviceUID="1.2.3.4",
    UDISequence=(item(UniqueDeviceIdentifier="UDI"),),
    SoftwareVersions="VERSION",
    ContributionDateTime="20180803",
    ContributionDescription="DESCRIPTION",
)
DEVICE_IDENTITY = {"StationName", "DeviceSerialNumber", "DeviceUID", "UDISequence"}
INSTITUTION = {
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "InstitutionalDepartmentTypeCodeSequence",
}
OPERATORS = {"OperatorsName"}
NEVER = {"OperatorIdentificationSequence"}


def left(markers: Markers, policy: Policy | None = None) -> Markers:
    """Return the markers as far as they leave."""
    context = MappingContext(policy=policy)
    (one,) = leaving_study(study(instance(1, markers)), context)[0].instances
    return one.markers


def masked(markers: Markers, policy: Policy | None = None) -> set[str]:
    (one,) = left(markers, policy).equipment
    return {keyword for keyword, content in one.elements if content is MASKED}


def resource(*instances: Instance, settings: Settings | None = None) -> JsonObject:
    context = MappingContext(settings=settings or Settings(narrative=False))
    return map_study(study(*instances), context).imaging_study


@pytest.mark.parametrize(
    ("codes", "withheld"),
    [
        ((), DEVICE_IDENTITY | INSTITUTION | OPERATORS | NEVER),
        (("113100", "113105", "113110"), DEVICE_IDENTITY | INSTITUTION | OPERATORS | NEVER),
        (("113109",), INSTITUTION | OPERATORS | NEVER),
        (("113112",), DEVICE_IDENTITY | OPERATORS | NEVER),
        (("113109", "113112"), OPERATORS | NEVER),
    ],
)
def test_of_an_equipment_item_only_what_the_codes_allow_leaves(
    codes: tuple[str, ...], withheld: set[str]
) -> None:
    assert masked(removed(method_code=dcms(*codes), equipment=(FULL,))) == withheld


def test_operators_leave_by_opt_in_only() -> None:
    markers = removed(method_code=dcms("113109", "113112"), equipment=(FULL,))
    assert masked(markers, Policy(leave=frozenset({"OperatorsName"}))) == NEVER


@pytest.mark.parametrize(
    "code",
    [
        item(CodeValue="113109", CodingSchemeDesignator="99PMP"),
        item(CodeValue="113109"),
        item(CodeMeaning="Retain Device Identity Option", CodingSchemeDesignator="DCM"),
        item(CodeValue="113112", EquivalentCodeSequence=dcms("113109")),
    ],
    ids=["private scheme", "no scheme", "meaning alone", "equivalent code"],
)
def test_what_is_no_dcm_code_unlocks_nothing(code: Item) -> None:
    markers = removed(method=("DCM:113109/113112",), method_code=(code,), equipment=(FULL,))
    assert masked(markers) == DEVICE_IDENTITY | INSTITUTION | OPERATORS | NEVER


def test_withheld_values_are_marked_in_the_item_and_on_no_device() -> None:
    text = json.dumps(
        map_study(study(instance(1, removed(equipment=(FULL,)))), MappingContext()).bundle()
    )
    secrets = ["INSTITUTION", "ADDRESS", "STATION", "DEPARTMENT", "OPERATOR", "SERIAL", "1.2.3.4"]
    assert [one for one in [*secrets, "UDI"] if f'"{one}' in text] == []
    assert text.count('"valueCode": "masked"') == 10


def test_an_element_that_is_empty_is_not_said_to_be_withheld() -> None:
    # A later pass empties Station Name (PS3.15 Table E.1-1, X/Z/D): there was nothing to withhold.
    markers = removed(equipment=(equipment(Manufacturer="A", StationName=()),))
    assert left(markers).equipment == markers.equipment


DESCRIBED: dict[str, Any] = {
    "study_description": "CT CHEST",
    "series_description": "AXIAL",
    "body_part": "CHEST",
    "title": "LOCALIZER",
}
DATED: dict[str, Any] = {
    "study_date": "20000612",
    "study_time": "101500",
    "series_date": "20000613",
    "series_time": "1016",
    "timezone": "+0100",
}


MARKED = {"extension": [data_absent("masked")]}


def coded(*codes: str) -> Markers:
    return removed(method_code=dcms(*codes))


@pytest.mark.parametrize("codes", [(), ("113100",), ("113106", "113107"), ("113109",)])
def test_descriptors_stay_without_113105(codes: tuple[str, ...]) -> None:
    found = resource(instance(1, coded(*codes), **DESCRIBED))
    series = found["series"][0]
    assert "description" not in found
    assert "description" not in series
    assert found["_description"] == series["_description"] == series["bodySite"] == MARKED
    assert "title" not in series["instance"][0]


def test_what_no_instance_gives_has_no_mark() -> None:
    found = resource(instance(1, coded("113100")))
    marks = {"_description", "_started", "bodySite", "_number"}
    assert marks & (found.keys() | found["series"][0].keys()) == set()


def test_what_the_instances_disagree_on_or_fhir_cannot_hold_is_marked_unknown() -> None:
    first = instance(1, coded("113105"), **{**DESCRIBED, "series_number": "1"})
    other = instance(2, coded("113105"), study_description="x", body_part="\0", series_number="2")
    found = resource(first, other)
    series = found["series"][0]
    unknown = {"extension": [data_absent("unknown")]}
    assert found["_description"] == series["bodySite"] == series["_number"] == unknown


def test_descriptors_leave_with_113105() -> None:
    found = resource(instance(1, coded("113105"), **DESCRIBED))
    series = found["series"][0]
    assert (found["description"], series["description"]) == ("CT CHEST", "AXIAL")
    assert series["bodySite"] == {"display": "CHEST"}
    assert series["instance"][0]["title"] == "LOCALIZER"


def test_a_description_leaves_only_if_every_instance_that_has_it_unlocks_it() -> None:
    unlocked = instance(1, coded("113105"), **DESCRIBED)
    locked = instance(2, coded("113100"), **DESCRIBED)
    without = instance(3, coded("113100"))
    for found in (resource(unlocked, locked), resource(unlocked, locked, without)):
        assert "description" not in found
        assert "description" not in found["series"][0]
    titles = [one.get("title") for one in resource(unlocked, locked)["series"][0]["instance"]]
    assert titles == ["LOCALIZER", None]
    assert resource(unlocked, without)["description"] == "CT CHEST"


def test_a_description_leaves_only_if_all_agree() -> None:
    other = {**DESCRIBED, "study_description": "CT HEAD"}
    found = resource(
        instance(1, coded("113105"), **DESCRIBED), instance(2, coded("113105"), **other)
    )
    assert "description" not in found
    assert found["series"][0]["description"] == "AXIAL"


def test_a_description_that_fhir_cannot_hold_still_locks_the_others() -> None:
    broken = {**DESCRIBED, "study_description": "CT\x01"}
    found = resource(
        instance(1, coded("113105"), **DESCRIBED), instance(2, coded("113100"), **broken)
    )
    assert "description" not in found


@pytest.mark.parametrize("codes", [(), ("113100",), ("113105", "113109")])
def test_dates_stay_without_113106_and_113107(codes: tuple[str, ...]) -> None:
    found = resource(instance(1, coded(*codes), **DATED))
    assert "started" not in found
    assert "started" not in found["series"][0]


def test_full_dates_leave_with_113106() -> None:
    found = resource(instance(1, coded("113106"), **DATED))
    assert found["started"] == "2000-06-12T10:15:00+01:00"
    assert found["series"][0]["started"] == "2000-06-13"
    assert "_started" not in found


@pytest.mark.parametrize("codes", [("113107",), ("113106", "113107")])
def test_dates_under_113107_are_marked_as_shifted(codes: tuple[str, ...]) -> None:
    found = resource(instance(1, coded(*codes), **DATED))
    shifted = {
        "extension": [
            {
                "url": "https://deidfhir.example/fhir/StructureDefinition/dates-modified",
                "valueBoolean": True,
            }
        ]
    }
    assert (found["started"], found["_started"]) == ("2000-06-12T10:15:00+01:00", shifted)
    assert found["series"][0]["_started"] == shifted
