"""Activity, agent, policy, recorded: only what the object states (D12, D13, D15)."""

from __future__ import annotations

from typing import Literal

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import map_study
from deidfhir.model.record import Markers
from tests.unit.model.records import dcms, equipment, instance, item, removed, study

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
PART15 = "https://dicom.nema.org/medical/dicom/current/output/chtml/part15/"
PERFORMER = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
            "code": "performer",
            "display": "Performer",
        }
    ]
}
BOTH: list[FhirName] = ["R4", "R5"]


def provenance(
    markers: Markers | None = None,
    version: FhirName = "R4",
    settings: Settings | None = None,
    recorded: str | None = None,
) -> JsonObject:
    context = MappingContext(version, settings or Settings(), recorded)
    (one,) = map_study(study(instance(1, markers)), context).provenances
    return one


@pytest.mark.parametrize("version", ["R4", "R4B"])
def test_the_activity_of_r4_is_deid_alone(version: FhirName) -> None:
    assert provenance(version=version)["activity"] == {"coding": [{"system": ACT, "code": "DEID"}]}


def test_the_activity_of_r5_is_the_lifecycle_event_then_deid() -> None:
    assert provenance(version="R5")["activity"] == {
        "coding": [{"system": LIFECYCLE, "code": "deidentify"}, {"system": ACT, "code": "DEID"}]
    }


@pytest.mark.parametrize("activity", ["PSEUD", "ANONY"])
def test_the_site_may_know_the_activity_better(activity: Literal["PSEUD", "ANONY"]) -> None:
    found = provenance(settings=Settings(activity=activity))
    assert found["activity"] == {"coding": [{"system": ACT, "code": activity}]}


@pytest.mark.parametrize("text", ["pseudonymized", "anonymised", "Limited Data Set"])
def test_no_text_of_the_object_changes_the_activity(text: str) -> None:
    found = provenance(removed(method=(text,)))
    assert found["activity"]["coding"][0]["code"] == "DEID"


def test_the_agent_is_the_item_s_device() -> None:
    markers = removed(equipment=(equipment(Manufacturer="PixelMed"),))
    context = MappingContext()
    mapped = map_study(study(instance(1, markers)), context)
    (device,) = mapped.devices
    assert mapped.provenances[0]["agent"] == [
        {
            "type": PERFORMER,
            "who": {"reference": f"Device/{device['id']}", "type": "Device"},
        }
    ]


@pytest.mark.parametrize(
    ("markers", "words"),
    [
        (removed(), "No de-identifying equipment is recorded"),
        (removed(equipment=(equipment(),)), "The recorded de-identifying equipment is not named"),
    ],
)
def test_without_a_device_the_agent_says_what_is_recorded(markers: Markers, words: str) -> None:
    assert provenance(markers)["agent"] == [
        {
            "type": PERFORMER,
            "who": {
                "extension": [{"url": ABSENT, "valueCode": "unknown"}],
                "type": "Device",
                "display": words,
            },
        }
    ]


def test_policy_holds_what_stands_for_stated_codes_each_once() -> None:
    codes = (
        *dcms("113106", "113100", "113107", "113100"),
        item(CodeValue="113110", CodingSchemeDesignator="99PMP"),
        item(CodeValue="210001", CodingSchemeDesignator="DCM"),
    )
    found = provenance(removed(method=("DCM:113109",), method_code=codes))
    assert found["policy"] == [f"{PART15}sect_E.2.html", f"{PART15}sect_E.3.html#sect_E.3.6"]


def test_without_codes_there_is_no_policy() -> None:
    assert "policy" not in provenance(removed(method=("DCM:113100/113105",)))


@pytest.mark.parametrize("version", ["R4", "R4B"])
def test_recorded_is_said_to_be_unknown_where_it_must_stand(version: FhirName) -> None:
    found = provenance(version=version)
    assert "recorded" not in found
    assert found["_recorded"] == {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}


def test_recorded_is_left_out_where_it_may_be() -> None:
    found = provenance(version="R5")
    assert [key for key in found if "recorded" in key] == []


@pytest.mark.parametrize("version", BOTH)
def test_a_given_instant_is_recorded_as_it_is(version: FhirName) -> None:
    found = provenance(version=version, recorded="2026-01-31T12:00:00.000+01:00")
    assert found["recorded"] == "2026-01-31T12:00:00.000+01:00"
    assert "_recorded" not in found


@pytest.mark.parametrize("version", BOTH)
def test_nothing_leads_to_an_original(version: FhirName) -> None:
    found = provenance(removed(method=("text",), method_code=dcms("113100")), version)
    assert {"entity", "signature", "location", "reason"} & set(found) == set()


def test_a_provenance_carries_no_label() -> None:
    assert "security" not in provenance(settings=Settings(label="PSEUDED"))["meta"]
