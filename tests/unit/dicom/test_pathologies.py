"""Every oddity seen in real files comes through: from the file to the record, to FHIR, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deidfhir.fhir.check import check_whole
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.reverse import read_back
from deidfhir.mapping.study import map_study
from deidfhir.model.record import MASKED, Item, Markers
from deidfhir.model.verdict import verdict_of
from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.reading import Reading
from tests.synthetic.pathologies import PATHOLOGIES
from tests.synthetic.pathology import Pathology

NAMES = [f"{one.number} {one.name}" for one in PATHOLOGIES]
FIELDS = {
    "PatientIdentityRemoved": "patient_identity_removed",
    "DeidentificationMethod": "method",
    "DeidentificationMethodCodeSequence": "method_code",
    "BurnedInAnnotation": "burned_in_annotation",
    "RecognizableVisualFeatures": "recognizable_visual_features",
    "LongitudinalTemporalInformationModified": "longitudinal_temporal_information_modified",
    "ContributingEquipment": "equipment",
}
every_pathology = pytest.mark.parametrize("pathology", PATHOLOGIES, ids=NAMES)


def read(pathology: Pathology, folder: Path) -> Reading:
    pathology.write(folder)
    return read_paths([folder])


def plain(markers: Markers) -> dict[str, Any]:
    """Return markers in the form in which the pathologies state them."""
    return {name: _plain(getattr(markers, field)) for name, field in FIELDS.items()}


def _plain(content: object) -> object:
    if isinstance(content, tuple):
        return [_plain(one) for one in content]
    if isinstance(content, Item):
        return {keyword: _plain(value) for keyword, value in content.elements}
    return content


def stated(expected: dict[str, Any]) -> dict[str, Any]:
    """Return what a pathology states; a record has no sequence where it has no item."""
    return {**expected, "ContributingEquipment": expected["ContributingEquipment"] or []}


def withheld(expected: dict[str, Any]) -> dict[str, Any]:
    """Return what may come back from FHIR: StationName leaves only with 113109 (D4)."""
    codes = [one.get("CodeValue") for one in expected["DeidentificationMethodCodeSequence"] or ()]
    assert ["113109"] not in codes or not expected["ContributingEquipment"]
    items = [
        {keyword: MASKED if keyword == "StationName" else value for keyword, value in one.items()}
        for one in expected["ContributingEquipment"]
    ]
    return {**expected, "ContributingEquipment": items}


@every_pathology
def test_each_pathology_is_read_as_it_is_meant(pathology: Pathology, tmp_path: Path) -> None:
    reading = read(pathology, tmp_path)
    assert reading.skipped == []
    assert reading.foreign == 0
    instances = [one for study in reading.studies for one in study.instances]
    found = {one.sop_instance_uid: plain(one.markers) for one in instances}
    assert found == {uid: stated(one) for uid, one in pathology.expected.items()}
    verdicts = {one.sop_instance_uid: verdict_of(one.markers)[0].value for one in instances}
    assert verdicts == pathology.verdicts


@every_pathology
@pytest.mark.parametrize("version", ["R4", "R5"])
def test_each_pathology_comes_back_from_fhir_within_what_may_leave(
    pathology: Pathology, version: FhirName, tmp_path: Path
) -> None:
    context = MappingContext(version)
    bundles = []
    for study in read(pathology, tmp_path).studies:
        mapped = map_study(study, context)
        for resource in mapped.resources:
            check_whole(resource, context.version)
        bundles.append(mapped.bundle())
    instances = [one for study in read_back(bundles) for one in study.instances]
    found = {one.sop_instance_uid: plain(one.markers) for one in instances}
    assert found == {uid: withheld(stated(one)) for uid, one in pathology.expected.items()}
    verdicts = {one.sop_instance_uid: one.verdict for one in instances}
    assert verdicts == pathology.verdicts


def test_the_pathologies_cover_the_whole_survey() -> None:
    assert {one.number for one in PATHOLOGIES} == set(range(1, 35))
