"""Decisions are remembered for some seconds, and so many at most."""

from __future__ import annotations

import pytest

from deidfhir.pipeline.deciding import Question
from deidfhir.pipeline.judging import Decision
from deidfhir.pipeline.remembering import Remembered

YES, NO = Decision("removed", lasts=5), Decision("foreign", lasts=5)


def test_a_decision_stands_from_when_it_was_asked_for_until_its_seconds_are_over() -> None:
    known = Remembered(10)
    known.put("a", YES, begun=100)
    found = known.get("a", 104)
    assert found == YES
    assert (found.age, found.lasts) == (4, 5)
    assert known.get("a", 104.9) == YES
    assert known.get("a", 105) is None
    assert known.get("b", 100) is None


def test_the_one_that_was_needed_longest_ago_goes() -> None:
    known = Remembered(2)
    known.put("a", YES, begun=0)
    known.put("b", NO, begun=0)
    known.get("a", 1)
    known.put("c", NO, begun=1)
    assert [known.get(one, 1) for one in "abc"] == [YES, None, NO]


def test_nothing_is_remembered_for_no_seconds() -> None:
    known = Remembered(2)
    known.put("a", Decision("removed"), begun=0)
    assert known.get("a", 0) is None


def test_what_was_asked_before_the_target_changed_is_not_remembered_after() -> None:
    known = Remembered(2)
    known.forget(now=1)
    known.put("a", YES, begun=1)
    known.put("b", YES, begun=1.1)
    assert (known.get("a", 2), known.get("b", 2)) == (None, YES)


@pytest.mark.parametrize(
    ("study", "resource"),
    [
        (None, None),
        ("1.2.3", "ImagingStudy/1"),
        ("1.2.3,1.2.4", None),
        ("1.2.3|", None),
        ("", None),
        (None, ""),
        (None, "ImagingStudy/"),
        (None, "ImagingStudy/1/_history/1"),
        (None, "ImagingStudy/1?_format=xml"),
        (None, "Patient/1"),
        (None, "imagingstudy/1"),
        (None, "ImagingStudy/1\n"),
        (None, "http://host/ImagingStudy/1"),
    ],
)
def test_what_asks_for_nothing_in_particular_is_no_question(
    study: str | None, resource: str | None
) -> None:
    assert Question.of(study, resource) is None


def test_a_question_names_a_study_or_a_resource() -> None:
    assert Question.of("urn:oid:1.2.3", None) == Question(uid="1.2.3")
    assert Question.of(None, "ImagingStudy/a-1.B") == Question(id="a-1.B")
