"""Instances fold into studies whatever their order; copies and conflicts are data (D19)."""

from __future__ import annotations

from itertools import permutations

import pytest

from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance, Markers
from deidfhir.model.study import Study, StudyFold

from .records import STUDY, dcms, instance, removed


def fold(*instances: Instance) -> list[Study]:
    gathered = StudyFold()
    for one in instances:
        gathered.add(one)
    return list(gathered)


def test_studies_come_sorted_by_uid_and_instances_by_series_and_uid() -> None:
    other = instance(1, study_uid="1.2.826.1", series_uid="1.2.826.1.1")
    studies = fold(instance(2, series=2), instance(9), other, instance(1))
    assert [one.uid for one in studies] == ["1.2.826.1", STUDY]
    assert [one.sop_instance_uid for one in studies[1].instances] == [
        f"{STUDY}.1.1",
        f"{STUDY}.1.9",
        f"{STUDY}.2.2",
    ]


def test_a_series_groups_its_instances() -> None:
    (study,) = fold(instance(1), instance(1, series=2), instance(2))
    found = {uid: len(members) for uid, members in study.series().items()}
    assert found == {f"{STUDY}.1": 2, f"{STUDY}.2": 1}


def test_the_path_of_a_study_is_its_first_in_order() -> None:
    (study,) = fold(instance(2, path="b.dcm"), instance(1, path="c.dcm"), instance(3, path="a.dcm"))
    assert study.path == "a.dcm"


def test_the_same_object_twice_counts_once_with_a_finding() -> None:
    (study,) = fold(instance(1, path="a.dcm"), instance(1, path="b.dcm"))
    assert len(study.instances) == 1
    assert [one.code for one in study.findings] == ["duplicate-instance"]
    assert not study.conflicting


@pytest.mark.parametrize(
    "markers",
    [
        Markers(None),
        removed(method=("text",)),
        removed(method_code=dcms("113100")),
        removed(burned_in_annotation=("NO",)),
        removed(method=()),
    ],
    ids=["absent", "method", "codes", "burned in", "empty is not absent"],
)
def test_copies_with_different_markers_are_a_conflict(markers: Markers) -> None:
    (study,) = fold(instance(1, path="a.dcm"), instance(1, markers, path="b.dcm"))
    assert study.conflicting
    assert [one.code for one in study.findings] == ["duplicate-instance-differs"]


def test_a_third_copy_does_not_heal_a_conflict() -> None:
    first, other = instance(1, path="a.dcm"), instance(1, Markers(None), path="b.dcm")
    (study,) = fold(first, other, first._replace(path="c.dcm"))
    assert study.conflicting


def test_copies_that_differ_in_an_identified_scheme_alone_have_identical_markers() -> None:
    # (0008,0110) is none of D4's attributes.
    codes = dcms("113100")
    one = instance(1, removed(method_code=codes), path="a.dcm")
    other = instance(
        1, removed(method_code=codes, coding_schemes=(("DCM", "1.2.840.10008.2.16.4"),)), path="b"
    )
    (study,) = fold(one, other)
    assert not study.conflicting


def test_the_order_of_reading_changes_nothing() -> None:
    instances = (
        instance(1, path="c.dcm", patient_id="ONE"),
        instance(1, path="a.dcm", patient_id="TWO"),
        instance(2, path="b.dcm"),
        instance(1, series=2, path="d.dcm"),
    )
    first = fold(*instances)
    assert first[0].instances[0].facts.patient_id == ""  # copies that disagree in it (D6)
    assert "patient-ids-differ" in {one.code for one in first[0].findings}
    for shuffled in permutations(instances):
        assert fold(*shuffled) == first


def test_the_order_of_reading_does_not_change_a_conflicting_study() -> None:
    one, other = instance(1, path="a.dcm"), instance(1, Markers(("NO",)), path="b.dcm")
    assert fold(one, other) == fold(other, one)


def test_findings_of_reading_are_kept_once() -> None:
    gathered = StudyFold()
    gathered.add(instance(1), [Finding("uid-not-oid", "a.dcm")])
    gathered.add(instance(2), [Finding("uid-not-oid", "a.dcm")])
    (study,) = gathered
    assert study.findings == (Finding("uid-not-oid", "a.dcm"),)
    assert len(gathered) == 1
