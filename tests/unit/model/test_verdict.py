"""What an instance and a study claim (decisions D1, D2)."""

from __future__ import annotations

import pytest

from deidfhir.model.record import Markers
from deidfhir.model.verdict import Verdict, folded, states_method, verdict_of

from .records import dcms, equipment, instance, item, study


@pytest.mark.parametrize("word", ["YES", "yes", "Yes", "YES ", " YES", "YES\0", "yEs \0"])
def test_yes_in_any_letter_case_and_padding_is_removed(word: str) -> None:
    assert verdict_of(Markers((word,))) == (Verdict.REMOVED, ("identity-removed-yes",))


@pytest.mark.parametrize("word", ["NO", "no", "No ", "NO\0"])
def test_no_in_any_letter_case_and_padding_is_not_removed(word: str) -> None:
    assert verdict_of(Markers((word,))) == (Verdict.NOT_REMOVED, ("identity-removed-no",))


@pytest.mark.parametrize("word", ["TRUE", "Y", "1", "YES.", "YES/NO", "ＹＥＳ", "YEſ", "NOPE"])
def test_any_other_text_is_unknown(word: str) -> None:
    assert verdict_of(Markers((word,))) == (Verdict.UNKNOWN, ("identity-removed-other",))


def test_an_absent_marker_is_unknown_even_beside_a_method_and_codes() -> None:
    markers = Markers(None, ("Deidentified",), dcms("113100"))
    assert verdict_of(markers) == (Verdict.UNKNOWN, ("identity-removed-absent",))


@pytest.mark.parametrize("values", [(), ("",), (" ",), ("\0",)])
def test_an_empty_marker_is_unknown(values: tuple[str, ...]) -> None:
    assert verdict_of(Markers(values)) == (Verdict.UNKNOWN, ("identity-removed-empty",))


@pytest.mark.parametrize("values", [("YES", "NO"), ("YES", "YES"), ("YES", ""), ("NO", "NO")])
def test_several_values_where_the_standard_allows_one_say_nothing(values: tuple[str, ...]) -> None:
    assert verdict_of(Markers(values)) == (Verdict.UNKNOWN, ("identity-removed-other",))


@pytest.mark.parametrize("burned_in", ["YES", "yes", "YES "])
def test_yes_with_burned_in_yes_is_contradictory(burned_in: str) -> None:
    markers = Markers(("YES",), burned_in_annotation=(burned_in,))
    expected = (Verdict.CONTRADICTORY, ("identity-removed-yes", "burned-in-annotation-yes"))
    assert verdict_of(markers) == expected


@pytest.mark.parametrize("burned_in", [None, (), ("NO",), ("OTHER",)])
def test_yes_with_any_other_burned_in_stays_removed(burned_in: tuple[str, ...] | None) -> None:
    markers = Markers(("YES",), burned_in_annotation=burned_in)
    assert verdict_of(markers)[0] is Verdict.REMOVED


@pytest.mark.parametrize(
    "markers",
    [
        Markers(("NO",), ("Deidentified",)),
        Markers(("NO",), ("", "Deidentified")),
        Markers(("no",), None, dcms("113100")),
    ],
    ids=["text", "second text", "codes"],
)
def test_no_with_a_method_or_codes_is_contradictory(markers: Markers) -> None:
    expected = (Verdict.CONTRADICTORY, ("identity-removed-no", "method-stated"))
    assert verdict_of(markers) == expected


def test_a_study_with_no_and_codes_is_contradictory() -> None:
    markers = Markers(("NO",), None, dcms("113100"))
    assert study(instance(1, markers), instance(2, markers)).verdict is Verdict.CONTRADICTORY


@pytest.mark.parametrize("values", [(), ("",), (" ", "\0")])
def test_no_beside_an_empty_method_and_no_code_items_stays_not_removed(
    values: tuple[str, ...],
) -> None:
    assert verdict_of(Markers(("NO",), values, ()))[0] is Verdict.NOT_REMOVED


def test_no_with_burned_in_yes_stays_not_removed() -> None:
    assert verdict_of(Markers(("NO",), burned_in_annotation=("YES",)))[0] is Verdict.NOT_REMOVED


@pytest.mark.parametrize(
    "markers",
    [
        Markers(("YES",), recognizable_visual_features=("YES",)),
        Markers(("YES",), None, dcms("113100", "113106", "113107")),
        Markers(("YES",), longitudinal_temporal_information_modified=("NONSENSE",)),
        Markers(("YES",), equipment=(equipment(),)),
    ],
    ids=["recognizable", "contradicting codes", "temporal", "equipment"],
)
def test_every_other_conflict_changes_no_verdict(markers: Markers) -> None:
    assert verdict_of(markers)[0] is Verdict.REMOVED


def test_an_item_of_any_shape_counts_as_a_code() -> None:
    assert states_method(Markers(None, None, (item(CodeValue="113100"),)))
    assert not states_method(Markers(None, ("", " "), ()))


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.REMOVED, Verdict.REMOVED], Verdict.REMOVED),
        ([Verdict.NOT_REMOVED], Verdict.NOT_REMOVED),
        ([Verdict.REMOVED, Verdict.UNKNOWN], Verdict.MIXED),
        ([Verdict.CONTRADICTORY, Verdict.NOT_REMOVED], Verdict.MIXED),
        ([Verdict.REMOVED, Verdict.MIXED], Verdict.MIXED),
        ([], Verdict.UNKNOWN),
    ],
)
def test_a_study_has_the_one_verdict_of_all_its_instances_else_mixed(
    verdicts: list[Verdict], expected: Verdict
) -> None:
    assert folded(verdicts) is expected


def test_different_methods_codes_and_equipment_under_one_verdict_are_not_mixed() -> None:
    folded_study = study(
        instance(1, Markers(("YES",), ("one",))),
        instance(2, Markers(("yes",), None, dcms("113100"))),
        instance(3, Markers(("YES",), equipment=(equipment(Manufacturer="PixelMed"),))),
    )
    assert folded_study.verdict is Verdict.REMOVED


def test_a_mixed_study_names_the_reasons_of_all_its_instances() -> None:
    folded_study = study(
        instance(1), instance(2, Markers(None)), instance(3, Markers(("NO",), ("text",)))
    )
    assert folded_study.verdict is Verdict.MIXED
    assert folded_study.reasons == (
        "identity-removed-absent",
        "identity-removed-no",
        "identity-removed-yes",
        "method-stated",
    )
