"""What a target holds of a study counts only if the mapping in force would state just that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.mapping.context import MappingContext
from deidfhir.model.record import Evidence, Instance
from deidfhir.policy.policy import Policy
from deidfhir.sync.journal import Journal
from tests.property.targets import Shelf, run
from tests.unit.model.records import dcms, equipment, instance, removed

USUAL = MappingContext()
DESCRIBED = removed(method_code=dcms("113100", "113105"), method=("tool 1",))


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Give a journal that is forgotten."""
    made = Journal(None)
    yield made
    made.close()


def codes(
    shelf: Shelf, journal: Journal, *instances: Instance, context: MappingContext = USUAL
) -> list[str]:
    """Sync one instance each as a source of its own; return what the last run says."""
    report = None
    for one in instances:
        report = run(shelf, journal, [one], one.path, context)
    assert report is not None
    return [one.code for one in report.troubles]


def study_on(shelf: Shelf) -> dict[str, Any]:
    """Return the ImagingStudy that a shelf holds."""
    return next(one for one in shelf.held.values() if one["resourceType"] == "ImagingStudy")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Policy(withhold=frozenset({"StudyDescription"})), Policy()),
        (Policy(), Policy(withhold=frozenset({"StudyDescription"}))),
        (Policy(withhold=frozenset({"DeidentificationMethod"})), Policy()),
        (Policy(), Policy(withhold=frozenset({"DeidentificationMethod"}))),
        (Policy(withhold=frozenset({"Manufacturer"})), Policy()),
        (Policy(), Policy(withhold=frozenset({"Manufacturer"}))),
        (Policy(), Policy(withhold=frozenset({"ImageType"}))),
        (Policy(), Policy(withhold=frozenset({"PatientID"}))),
    ],
)
def test_what_another_policy_let_leave_is_not_mixed_with_this_ones(
    journal: Journal, before: Policy, after: Policy
) -> None:
    shelf = Shelf()
    markers = removed(
        method_code=dcms("113105"), method=("x",), equipment=(equipment(Manufacturer="Maker"),)
    )
    facts: dict[str, Any] = {
        "study_description": "CT CHEST",
        "title": "AXIAL",
        "patient_id": "SUBJ-1",
    }
    first, second = (instance(number, markers, **facts) for number in (1, 2))
    assert codes(shelf, journal, first, context=MappingContext(policy=before)) == []
    held = dict(shelf.held)
    assert codes(shelf, journal, second, context=MappingContext(policy=after)) == ["partial-study"]
    assert shelf.held == held
    whole = run(shelf, journal, [first, second], "whole", MappingContext(policy=after))
    assert whole.troubles == []
    assert shelf.held != held


@pytest.mark.parametrize(
    "after",
    [
        Settings(subject="withheld"),
        Settings(patient="resource"),
        Settings(narrative=False),
        Settings(label="PSEUDED"),
        Settings(canonical="https://other.example/fhir"),
    ],
)
def test_what_other_settings_stated_is_not_mixed_with_these(
    journal: Journal, after: Settings
) -> None:
    shelf = Shelf()
    first, second = (instance(number, DESCRIBED, patient_id="SUBJ-1") for number in (1, 2))
    assert codes(shelf, journal, first) == []
    context = MappingContext(settings=after)
    assert codes(shelf, journal, second, context=context) == ["partial-study"]


def test_a_description_that_two_parts_disagree_on_stays_away_whatever_a_third_says(
    journal: Journal,
) -> None:
    shelf = Shelf()
    parts = [
        instance(number, DESCRIBED, study_description=text)
        for number, text in enumerate(("CT CHEST", "CT HEAD", "CT CHEST"), 1)
    ]
    assert codes(shelf, journal, *parts) == []
    assert "description" not in study_on(shelf)


def test_what_supports_an_inference_is_not_lost_although_it_never_leaves(journal: Journal) -> None:
    shelf = Shelf()
    markers = removed(method=("Orthanc 1.9.7",))
    evidence = Evidence(implementation_version_name="OFFIS_DCMTK_367")
    for number in (1, 2):
        assert codes(shelf, journal, instance(number, markers, evidence=evidence)) == []
    ours = MappingContext().url("inferred")
    inferred = [one for one in study_on(shelf)["extension"] if one["url"] == ours]
    whole = Shelf()
    both = [instance(number, markers, evidence=evidence) for number in (1, 2)]
    run(whole, Journal(None), both, "whole", USUAL)
    assert inferred
    assert study_on(shelf)["extension"] == study_on(whole)["extension"]


def test_an_object_that_changed_alone_may_have_given_what_the_study_states(
    journal: Journal,
) -> None:
    shelf = Shelf()
    first, second = (
        instance(1, DESCRIBED, study_description="CT CHEST"),
        instance(2, DESCRIBED),
    )
    assert codes(shelf, journal, first, second) == []
    assert study_on(shelf)["description"] == "CT CHEST"
    unchanged = run(shelf, journal, [first], first.path, USUAL)
    assert unchanged.troubles == []
    changed = instance(1, DESCRIBED)
    assert codes(shelf, journal, changed) == ["partial-study"]
    assert study_on(shelf)["description"] == "CT CHEST"
