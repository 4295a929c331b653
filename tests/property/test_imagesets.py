"""What AWS HealthImaging keeps of objects gives the same Bundles as the objects do."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, config, dcmread

import deidfhir
from deidfhir import MappingContext, studies_from_json, studies_from_paths
from deidfhir.archive.imagesets import instances_in, unpacked
from deidfhir.model.uid import is_usable
from tests.simulated.imagesets import Level, blob, image_set, published
from tests.synthetic.objects import codes, equipment, instance, write
from tests.synthetic.studies import STUDIES

MODEST = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CONTEXT = MappingContext("R5")


def bundles(studies: Iterable[deidfhir.Study]) -> list[str]:
    """Return what is made of studies, refused by none."""
    return [
        json.dumps(deidfhir.map_study(one, CONTEXT, accept="all").bundle(), sort_keys=True)
        for one in studies
    ]


def of_image_set(datasets: Sequence[Dataset], level: Level) -> list[str]:
    """Return the Bundles of the image set that is made of some objects."""
    metadata = unpacked(blob(image_set(datasets, level)).read())
    return bundles(studies_from_json(one for _, one in instances_in(metadata)))


@pytest.mark.parametrize("name", STUDIES)
def test_sample_studies_give_the_same_bundles(name: str, tmp_path: Path) -> None:
    paths = [write(one, tmp_path / f"{number}.dcm") for number, one in enumerate(STUDIES[name]())]
    with config.disable_value_validation():
        read = [dcmread(one, stop_before_pixels=True) for one in paths]
        assert of_image_set(read, published) == bundles(studies_from_paths(paths))


def test_real_objects_give_the_same_bundles(real_folder: Path) -> None:
    studies: dict[str, dict[Path, Dataset]] = defaultdict(dict)
    with config.disable_value_validation():
        for path in sorted(real_folder.glob("*.dcm")):
            dataset = dcmread(path, stop_before_pixels=True, force=True)
            if is_usable(str(dataset.get("SOPInstanceUID", ""))):  # a service stores no others
                studies[str(dataset.get("StudyInstanceUID", ""))][path] = dataset
        differing = [
            [path.name for path in objects]
            for objects in studies.values()
            if of_image_set(list(objects.values()), published)
            != bundles(studies_from_paths(objects))
        ]
    assert len(studies) > 20
    assert differing == []


LEVELS = ("Patient", "Study", "Series", "Instance")
STATED: dict[str, list[object]] = {
    "PatientIdentityRemoved": ["YES", "NO", ""],
    "DeidentificationMethod": ["tool", ["first", "second"], ""],
    "DeidentificationMethodCodeSequence": [codes("113100"), codes("113100", "113105"), []],
    "BurnedInAnnotation": ["NO", "YES"],
    "RecognizableVisualFeatures": ["YES"],
    "LongitudinalTemporalInformationModified": ["REMOVED", "MODIFIED"],
    "ContributingEquipmentSequence": [[equipment(Manufacturer="one")], [equipment("109103")]],
    "StudyDescription": ["HEAD"],
}
markers = st.fixed_dictionaries({}, optional={key: st.sampled_from(STATED[key]) for key in STATED})
places = st.sets(st.tuples(st.integers(1, 2), st.integers(1, 2)), min_size=1).map(sorted)


@MODEST
@given(places=places, stated=st.lists(markers, min_size=1, max_size=3), data=st.data())
def test_it_matters_not_at_which_level_what_all_state_stands(
    places: list[tuple[int, int]],
    stated: list[dict[str, Any]],
    data: st.DataObject,
    tmp_path: Path,
) -> None:
    made = [
        instance(1, series, number, **stated[turn % len(stated)])
        for turn, (series, number) in enumerate(places)
    ]
    keywords = sorted({one.keyword for each in made for one in each} - {"StudyInstanceUID"})
    chosen = data.draw(st.lists(st.sampled_from(LEVELS), min_size=len(keywords)))
    level = dict(zip(keywords, chosen, strict=False)).get
    found = of_image_set(made, lambda keyword: level(keyword) or "Study")
    paths = [write(one, tmp_path / f"{number}.dcm") for number, one in enumerate(made)]
    assert found == bundles(studies_from_paths(paths))
