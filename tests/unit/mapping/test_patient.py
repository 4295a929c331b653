"""The minimal Patient: by setting, where the pseudonym may leave, with the identifier alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.check import check_whole
from deidfhir.fhir.versions import FHIR_NAMES, FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.record import Instance, Markers
from tests.conftest import Cli
from tests.synthetic.objects import instance as made
from tests.synthetic.objects import write
from tests.unit.model.records import instance, study

RESOURCE = Settings(patient="resource", patient_id_system="https://site.example/pseudonyms")


def mapped(*instances: Instance, settings: Settings = RESOURCE) -> MappedStudy:
    return map_study(study(*instances), MappingContext(settings=settings))


def named(number: int = 1, patient_id: str = "PSEUDO-7", **facts: Any) -> Instance:  # noqa: ANN401 - whatever Instance takes
    return instance(number, patient_id=patient_id, **facts)


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_it_holds_the_identifier_alone(fhir: FhirName) -> None:
    found = map_study(study(named()), MappingContext(fhir, RESOURCE))
    assert found.patient is not None
    assert set(found.patient) == {"resourceType", "id", "text", "identifier"}
    assert found.patient["identifier"] == [
        {"system": "https://site.example/pseudonyms", "value": "PSEUDO-7"}
    ]
    assert "PSEUDO-7" not in found.patient["text"]["div"]
    reference = {"reference": f"Patient/{found.patient['id']}", "type": "Patient"}
    assert found.imaging_study["subject"] == reference
    assert found.resources.index(found.patient) < found.resources.index(found.imaging_study)
    for resource in found.resources:
        check_whole(resource, MappingContext(fhir).version)


def test_by_default_there_is_none() -> None:
    found = mapped(named(), settings=Settings())
    assert found.patient is None
    assert found.imaging_study["subject"]["identifier"]["value"] == "PSEUDO-7"


def test_explain_tells_where_the_patient_id_goes(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(made(1, PatientIdentityRemoved="YES", PatientID="P"), tmp_path / "1.dcm")
    told = []
    for choice in ("reference", "resource"):
        monkeypatch.setenv("DEIDFHIR_PATIENT", choice)
        (found,) = cli("explain", tmp_path / "1.dcm", "--json").report["objects"]
        told += [one["to"] for one in found["attributes"] if one["attribute"] == "PatientID"]
    assert told == [["ImagingStudy.subject.identifier"], ["Patient.identifier"]]


def test_its_id_does_not_depend_on_the_patient_id() -> None:
    one, other = mapped(named()).patient, mapped(named(patient_id="PSEUDO-8")).patient
    assert one is not None
    assert other is not None
    assert one["id"] == other["id"]
    third = mapped(named(study_uid="1.2.826.9")).patient
    assert third is not None
    assert third["id"] != one["id"]


@pytest.mark.parametrize(
    "instances",
    [
        (named(1), named(2, patient_id="PSEUDO-8")),
        (named(1, patient_id=""),),
        (named(1, markers=Markers(("NO",))),),
        (named(1), named(2, markers=Markers(None))),
        (named(1, patient_id="\x01"),),
    ],
    ids=["two pseudonyms", "none", "not removed", "mixed", "no FHIR string"],
)
def test_where_the_pseudonym_may_not_leave_there_is_none(instances: tuple[Instance, ...]) -> None:
    found = mapped(*instances)
    assert found.patient is None
    assert set(found.imaging_study["subject"]) == {"extension", "type", "display"}
