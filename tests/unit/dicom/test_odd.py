"""What the encoding of the markers shows, as findings of reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataelem import DataElement

from deidfhir.api.objects import studies_from_datasets, studies_from_json, studies_from_paths
from deidfhir.model.study import Study
from tests.synthetic.objects import codes, equipment, instance, write


def found(study: Study) -> set[str]:
    return {one.code for one in study.findings}


def as_json(**elements: dict[str, Any]) -> dict[str, Any]:
    dataset = instance(1, PatientIdentityRemoved="YES").to_json_dict()
    return {**dataset, **{key.removeprefix("t"): value for key, value in elements.items()}}


@pytest.mark.parametrize(("vr", "odd"), [("SH", True), ("CS", False)])
def test_another_vr_than_the_standards_is_found_and_the_value_read(
    tmp_path: Path, vr: str, *, odd: bool
) -> None:
    dataset = instance(1, PatientIdentityRemoved="YES")
    dataset[0x00280303] = DataElement(0x00280303, vr, "MODIFIED")
    write(dataset, tmp_path / "1.dcm")
    (study,) = studies_from_paths([tmp_path])
    assert ("marker-vr" in found(study)) is odd
    markers = study.instances[0].markers
    assert markers.longitudinal_temporal_information_modified == ("MODIFIED",)


@pytest.mark.parametrize(
    ("element", "code"),
    [
        ({"vr": "LO", "BulkDataURI": "https://archive.example/bulk/1"}, "marker-in-bulk"),
        ({"vr": "LO", "Value": ["one\\two"]}, "values-in-one-string"),
        ({"vr": "UN", "Value": ["one"]}, "marker-vr"),
    ],
)
def test_odd_forms_of_dicom_json_are_found(element: dict[str, Any], code: str) -> None:
    (study,) = studies_from_json([as_json(t00120063=element)])
    assert found(study) == {code}


def test_the_usual_form_of_dicom_json_shows_nothing() -> None:
    (study,) = studies_from_json([as_json(t00120063={"vr": "LO", "Value": ["one", "two"]})])
    assert found(study) == set()


@pytest.mark.parametrize(("purpose", "odd"), [("113100", True), ("109104", False)])
def test_a_method_code_as_the_purpose_of_equipment_is_found(purpose: str, *, odd: bool) -> None:
    item = equipment(Manufacturer="maker")
    item.PurposeOfReferenceCodeSequence = codes(purpose)
    dataset = instance(1, PatientIdentityRemoved="YES", ContributingEquipmentSequence=[item])
    (study,) = studies_from_datasets([dataset])
    assert ("equipment-purpose-wrong" in found(study)) is odd
    assert len(study.instances[0].markers.equipment) == (not odd)
