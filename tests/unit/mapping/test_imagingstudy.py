"""ImagingStudy by HL7's mapping: identifiers, counts, numbers, and what is not guessed (D23)."""

from __future__ import annotations

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.record import Instance
from tests.unit.model.records import STUDY, dcms, instance, removed, study

ABSENT = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }
    ]
}
DCM = "http://dicom.nema.org/resources/ontology/DCM"


def mapped(*instances: Instance, version: FhirName = "R4") -> MappedStudy:
    return map_study(study(*instances), MappingContext(version, Settings(narrative=False)))


def resource(*instances: Instance, version: FhirName = "R4") -> JsonObject:
    return mapped(*instances, version=version).imaging_study


def codes_of(found: MappedStudy) -> list[str]:
    return [one.code for one in found.findings]


def test_identifiers_stand_in_the_confirmed_forms() -> None:
    found = resource(instance(1, series_number="3", instance_number="7"))
    assert found["identifier"] == [{"system": "urn:dicom:uid", "value": f"urn:oid:{STUDY}"}]
    assert found["status"] == "available"
    assert found["series"] == [
        {
            "uid": f"{STUDY}.1",
            "number": 3,
            "modality": {"system": DCM, "code": "CT"},
            "numberOfInstances": 1,
            "instance": [
                {
                    "uid": f"{STUDY}.1.1",
                    "sopClass": {
                        "system": "urn:ietf:rfc:3986",
                        "code": "urn:oid:1.2.840.10008.5.1.4.1.1.2",
                    },
                    "number": 7,
                }
            ],
        }
    ]


def test_counts_are_those_of_what_was_read() -> None:
    found = resource(instance(1), instance(2), instance(1, series=2, modality="PT"))
    assert (found["numberOfSeries"], found["numberOfInstances"]) == (2, 3)
    assert [one["numberOfInstances"] for one in found["series"]] == [2, 1]
    assert found["modality"] == [{"system": DCM, "code": "CT"}, {"system": DCM, "code": "PT"}]


def test_r5_differs_in_the_types_of_modality_and_body_site() -> None:
    coded = instance(1, removed(method_code=dcms("113105")), body_part="CHEST")
    found = resource(coded, version="R5")
    assert found["modality"] == [{"coding": [{"system": DCM, "code": "CT"}]}]
    assert found["series"][0]["modality"] == {"coding": [{"system": DCM, "code": "CT"}]}
    assert found["series"][0]["bodySite"] == {"concept": {"text": "CHEST"}}
    assert resource(coded, version="R4B") == resource(coded, version="R4")


@pytest.mark.parametrize("modality", ["", "James Bond2", "ct", "C T", "CT/MR"])
def test_a_modality_that_is_no_defined_term_is_marked_as_unknown(modality: str) -> None:
    found = mapped(instance(1, modality=modality))
    assert found.imaging_study["series"][0]["modality"] == ABSENT
    assert "modality" not in found.imaging_study
    assert codes_of(found) == ["modality-undefined"]


@pytest.mark.parametrize("modality", ["CT", "OT", "SEG", "RTSTRUCT", "CF", "ST"])
def test_defined_and_retired_terms_are_known(modality: str) -> None:
    assert codes_of(mapped(instance(1, modality=modality))) == []


def test_a_modality_that_differs_inside_a_series_is_not_guessed() -> None:
    found = mapped(instance(1), instance(2, modality="MR"), instance(1, series=2, modality="PT"))
    assert found.imaging_study["series"][0]["modality"] == ABSENT
    assert found.imaging_study["modality"] == [{"system": DCM, "code": "PT"}]
    assert codes_of(found) == ["modality-undefined"]


@pytest.mark.parametrize("uid", ["", "CT Image Storage", "1.2.x", "1" * 65])
def test_a_sop_class_that_is_none_is_marked_as_unknown(uid: str) -> None:
    found = mapped(instance(1, sop_class_uid=uid))
    assert found.imaging_study["series"][0]["instance"][0]["sopClass"] == ABSENT
    assert codes_of(found) == ["sop-class-undefined"]


def test_uids_that_are_no_oids_are_sent_as_they_are() -> None:
    found = resource(
        instance(1, study_uid="ab-01", series_uid="ab-02", sop_instance_uid="ABCDEF.3")
    )
    assert found["identifier"] == [{"system": "urn:dicom:uid", "value": "ab-01"}]
    assert found["series"][0]["uid"] == "ab-02"
    assert found["series"][0]["instance"][0]["uid"] == "ABCDEF.3"


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("007", 7), ("+7", 7), ("0", 0), ("2147483647", 2147483647)],
)
def test_whole_numbers_are_numbers(text: str, number: int) -> None:
    found = mapped(instance(1, series_number=text, instance_number=text))
    series = found.imaging_study["series"][0]
    assert (series["number"], series["instance"][0]["number"]) == (number, number)
    assert codes_of(found) == []


@pytest.mark.parametrize(
    "text", ["-1", "2147483648", "1.5", "seven", "1e3", "٧", "²", "9" * 5000, "++7", "+"],
    ids=lambda text: text[:10],
)  # fmt: skip
def test_other_numbers_are_left_out_with_a_finding(text: str) -> None:
    found = mapped(instance(1, series_number=text, instance_number=text))
    series = found.imaging_study["series"][0]
    assert "number" not in series
    assert "number" not in series["instance"][0]
    assert codes_of(found) == ["number-unusable"]


def test_absent_numbers_are_left_out_without_a_finding() -> None:
    found = mapped(instance(1))
    assert "number" not in found.imaging_study["series"][0]
    assert codes_of(found) == []


def test_a_series_number_that_differs_inside_a_series_is_left_out() -> None:
    found = mapped(instance(1, series_number="1"), instance(2, series_number="2"))
    assert "number" not in found.imaging_study["series"][0]
    assert codes_of(found) == ["number-unusable"]


def test_a_bundle_puts_every_resource_at_its_own_id_after_what_it_refers_to() -> None:
    found = mapped(instance(1)).bundle()
    assert (found["resourceType"], found["type"]) == ("Bundle", "transaction")
    kinds = [one["resource"]["resourceType"] for one in found["entry"]]
    assert kinds == ["ImagingStudy", "Provenance"]
    for entry in found["entry"]:
        own = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        assert entry["request"] == {"method": "PUT", "url": own}
        assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"
