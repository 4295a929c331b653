"""Findings that follow from an instance's markers: none stops a run or changes a verdict (D1)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Markers
from deidfhir.model.study import Study

from .records import STUDY, dcms, equipment, instance, item, removed, study


def codes(markers: Markers) -> list[str]:
    return [one.code for one in findings_of(study(instance(1, markers)))]


def beside_method(**fields: Any) -> Markers:  # noqa: ANN401 - whatever Markers takes
    return removed(**{"method": ("text",), **fields})


@pytest.mark.parametrize(
    ("codes_stated", "expected"),
    [
        (("113100", "113105"), []),
        (("113105",), ["profile-missing"]),
        (("113100", "113106", "113107"), ["full-and-modified-in-one", "temporal-missing"]),
        (
            ("113100", "113107", "113109"),
            ["modified-dates-and-device", "temporal-missing"],
        ),
        (("113100", "113101"), ["pixels-not-confirmed"]),
        (("113100", "113102"), ["features-not-confirmed"]),
        (("113100", "113110"), ["uids-retained"]),
    ],
)
def test_codes_that_contradict_each_other_or_confirm_nothing_are_found(
    codes_stated: tuple[str, ...], expected: list[str]
) -> None:
    assert codes(removed(method_code=dcms(*codes_stated))) == expected


@pytest.mark.parametrize("value", ["NO", "no "])
def test_cleaned_pixels_and_features_are_confirmed_by_no(value: str) -> None:
    markers = removed(
        method_code=dcms("113100", "113101", "113102"),
        burned_in_annotation=(value,),
        recognizable_visual_features=(value,),
    )
    assert codes(markers) == []


@pytest.mark.parametrize(
    ("codes_stated", "word", "odd"),
    [
        (("113100", "113106"), "UNMODIFIED", False),
        (("113100", "113106"), "MODIFIED", True),
        (("113100", "113107"), "MODIFIED", False),
        (("113100", "113107"), "REMOVED", True),
        (("113100",), "REMOVED", False),
        (("113100",), "MODIFIED", True),
        (("113100",), "NONSENSE", True),
        ((), "MODIFIED", False),
        (("113100", "113107"), "", False),
    ],
)
def test_the_temporal_marker_must_fit_the_codes(
    codes_stated: tuple[str, ...], word: str, *, odd: bool
) -> None:
    markers = beside_method(
        method_code=dcms(*codes_stated), longitudinal_temporal_information_modified=(word,)
    )
    assert ("temporal-contradicts" in codes(markers)) is odd


@pytest.mark.parametrize("part", ["a-", "a.", "@", "/a", "w^", "a"])
def test_a_long_text_is_looked_at_in_no_time(part: str) -> None:
    # Implicit VR has no limit of length: what is not linear here stops a walk over an archive.
    one = instance(1, removed(method=(part * 10_000,)))
    begun = time.monotonic()
    findings_of(study(one))
    assert time.monotonic() - begun < 1


def test_text_that_could_not_be_decoded_is_found_at_any_depth() -> None:
    nested = item(CodeValue="1", EquivalentCodeSequence=(item(CodeMeaning="a\ufffd"),))
    assert "text-undecodable" in codes(beside_method(method_code=(nested,)))
    assert "text-undecodable" in codes(beside_method(equipment=(equipment(Manufacturer="\ufffd"),)))


def test_encrypted_attributes_are_a_finding() -> None:
    found = findings_of(study(instance(1, beside_method(), encrypted=True)))
    assert [one.code for one in found] == ["encrypted-attributes"]


@pytest.mark.parametrize(
    ("markers", "expected"),
    [
        (removed(method=("text",)), []),
        (removed(method_code=dcms("113100")), []),
        (removed(), ["method-missing"]),
        (removed(method=(), method_code=()), ["method-missing"]),
        (Markers(("Yes",), ("text",)), ["marker-spelling"]),
        (Markers(("no",)), ["marker-spelling"]),
        (Markers(("YES ",), ("text",)), []),
        (Markers(None), []),
        (Markers(None, ("text",)), ["method-without-marker"]),
        (Markers((), None, dcms("113100")), ["method-without-marker"]),
        (Markers(("TRUE",), ("text",)), []),
        (Markers(("NO",)), []),
        (Markers(("NO",), ("text",)), ["method-although-not-removed"]),
        (removed(method=("text",), burned_in_annotation=("YES",)), ["burned-in-identity"]),
        (Markers(("NO",), burned_in_annotation=("YES",)), []),
    ],
)
def test_each_oddity_of_the_markers_has_its_finding(markers: Markers, expected: list[str]) -> None:
    assert codes(markers) == expected


def test_a_finding_is_given_once_with_the_first_input_that_shows_it() -> None:
    found = findings_of(study(instance(2, path="b.dcm"), instance(1, path="a.dcm")))
    assert found == (Finding("method-missing", "a.dcm"),)


def test_findings_of_reading_stand_beside_those_of_the_markers() -> None:
    odd = Study(STUDY, (instance(1),), (Finding("uid-not-oid", "1-1.dcm"),))
    assert [one.code for one in findings_of(odd)] == ["method-missing", "uid-not-oid"]


def test_a_finding_speaks_in_the_words_of_the_table() -> None:
    assert Finding("method-missing", "a.dcm").as_dict() == {
        "code": "method-missing",
        "path": "a.dcm",
        "severity": "warning",
        "issue": "required",
        "text": "Patient Identity Removed is YES, but neither a method nor a method code is given",
        "action": "have the de-identifying tool state its method",
        "section": "PS3.3 C.7.1.1",
    }
