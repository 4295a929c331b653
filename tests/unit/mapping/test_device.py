"""A Device carries what its id is made of and its type, nothing else (D4, D17)."""

from __future__ import annotations

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.device import device_of
from deidfhir.mapping.study import map_study
from deidfhir.model.record import Item, Markers
from tests.unit.model.records import dcm, dcms, equipment, instance, removed, study

TYPE = {
    "coding": [
        {
            "system": "http://dicom.nema.org/resources/ontology/DCM",
            "code": "109104",
            "display": "De-identifying Equipment",
        }
    ]
}


def devices(
    *items: Item, codes: tuple[str, ...] = (), version: FhirName = "R4"
) -> list[JsonObject]:
    markers = removed(method_code=dcms(*codes), equipment=items)
    context = MappingContext(version, Settings(narrative=False))
    found = map_study(study(instance(1, markers)), context).devices
    return [{key: value for key, value in one.items() if key != "id"} for one in found]


PROFILE = "https://deidfhir.example/fhir/StructureDefinition/deidentifying-device"
FULL = equipment(
    Manufacturer="PixelMed",
    InstitutionName="INSTITUTION",
    StationName="STATION",
    ManufacturerModelName="DicomCleaner",
    DeviceSerialNumber="7",
    DeviceUID="1.2.3",
    SoftwareVersions=("1.0", "", "build 7"),
    ContributionDateTime="20180803",
    ContributionDescription="Cleaned",
    PurposeOfReferenceCodeSequence=(dcm("109104"), dcm("113100")),
)


def test_a_device_carries_what_identifies_it_and_its_type() -> None:
    assert devices(FULL) == [
        {
            "resourceType": "Device",
            "meta": {"profile": [PROFILE]},
            "manufacturer": "PixelMed",
            "deviceName": [{"name": "DicomCleaner", "type": "model-name"}],
            "type": TYPE,
            "version": [{"value": "1.0"}, {"value": "build 7"}],
        }
    ]


def test_113109_adds_serial_number_and_uid_and_no_station() -> None:
    (found,) = devices(FULL, codes=("113109", "113112"))
    assert found["serialNumber"] == "7"
    assert found["identifier"] == [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}]
    assert "INSTITUTION" not in str(found)
    assert "STATION" not in str(found)


def test_r5_names_the_model_and_lists_the_type() -> None:
    (found,) = devices(FULL, version="R5")
    assert (found["displayName"], found["type"]) == ("DicomCleaner", [TYPE])
    assert "deviceName" not in found


def test_devices_are_made_once_and_only_for_items_of_the_purpose() -> None:
    assert len(devices(equipment(Manufacturer="A"), equipment(Manufacturer="A"))) == 1
    assert len(devices(equipment(Manufacturer="A"), equipment(Manufacturer="B"))) == 2
    assert devices(equipment(StationName="S")) == []


def test_two_studies_never_rewrite_a_device_in_turn() -> None:
    first = equipment(Manufacturer="A", StationName="S", ContributionDescription="one")
    other = equipment(Manufacturer="A", ContributionDateTime="2018", InstitutionName="I")
    assert devices(first) == devices(other)


@pytest.mark.parametrize("text", ["\x01", "A\x02"])
def test_a_name_that_fhir_cannot_hold_stands_in_the_item_alone(text: str) -> None:
    (found,) = devices(equipment(Manufacturer=text, ManufacturerModelName="M"))
    assert "manufacturer" not in found


def test_instances_of_any_verdict_name_their_devices() -> None:
    markers = Markers(("NO",), equipment=(equipment(Manufacturer="A"),))
    mapped = map_study(study(instance(1, markers)), MappingContext())
    assert [one["manufacturer"] for one in mapped.devices] == ["A"]
    assert mapped.provenances == ()


def test_the_narrative_is_escaped() -> None:
    markers = removed(equipment=(equipment(Manufacturer="<A & B>"),))
    (found,) = map_study(study(instance(1, markers)), MappingContext()).devices
    assert found["text"] == {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">De-identifying equipment as images name '
        "it: &lt;A &amp; B&gt;.</div>",
    }


@pytest.mark.parametrize(
    "item",
    [
        equipment(Manufacturer="\x01"),
        equipment(Manufacturer="x" * (1024 * 1024 + 1)),
        equipment(Manufacturer="", DeviceUID="no uid"),
    ],
)
def test_what_fhir_cannot_hold_names_no_device(item: Item) -> None:
    context = MappingContext("R4")
    assert (device_of(item, context), context.namer.device(item)) == (None, None)


def test_the_first_name_that_fhir_can_hold_is_the_devices() -> None:
    found = device_of(equipment(Manufacturer=("", "N")), MappingContext("R4"))
    assert found is not None
    assert found["manufacturer"] == "N"
