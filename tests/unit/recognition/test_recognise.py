"""Recognition: every known wording as what it is, everything else as unknown (D16)."""

from __future__ import annotations

import time
from dataclasses import asdict
from itertools import product

import pytest

from deidfhir.model.record import NO_EVIDENCE, Evidence, Markers
from deidfhir.recognition.recognise import recognise
from deidfhir.recognition.result import Inference, Recognised
from deidfhir.recognition.vocabulary import load_vocabulary
from tests.synthetic.tool_texts import TOOLS, UNKNOWN, WORDINGS, Written
from tests.synthetic.vocabulary import DCANON_TEXTS, NIFI_TEXTS, REFACE_TEXT, TCIA_TEXT
from tests.unit.model.records import item

OURS = load_vocabulary()
EVERY = (*TOOLS, *WORDINGS)


def recognised(*texts: str, evidence: Evidence = NO_EVIDENCE) -> Recognised:
    return recognise(Markers(("YES",), texts), evidence, OURS)


def events(*texts: str) -> list[Inference]:
    """Return what is inferred, regulatory terms left out."""
    found = recognised(*texts).inferences
    return [one for one in found if not one.rule.startswith("term.")]


def shape(found: list[Inference]) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.rule.partition(".")[0], one.values) for one in found]


@pytest.mark.parametrize("written", EVERY, ids=lambda one: f"{one.entry}: {one.texts[0]}")
def test_what_a_tool_writes_is_one_event_of_that_tool(written: Written) -> None:
    (found,) = events(*written.texts)
    assert found.rule.startswith(f"{written.entry}.")
    assert found.values == tuple(range(1, len(written.texts) + 1))
    entry = OURS.entries[written.entry]
    assert (found.tool, found.name) == ((entry.id, entry.name) if entry.is_tool else ("", ""))
    told = {key: value for key, value in asdict(found).items() if value}
    for key in ("rule", "values", "tool", "name", "manufacturer"):
        told.pop(key, None)
    assert told == dict(written.yields)
    assert recognised(*written.texts).unrecognised == ()


def test_fifty_tools_and_more_are_known_and_each_is_shown_to_be() -> None:
    tools = {one.id for one in OURS.tools}
    assert len(tools) >= 50
    assert tools == {one.entry for one in TOOLS}
    assert set(OURS.entries) - tools == {one.entry for one in WORDINGS}


def test_no_text_of_one_tool_is_another_tools() -> None:
    for written, entry in product(EVERY, OURS.entries.values()):
        if entry.id == written.entry:
            continue
        first = written.texts[0].strip()
        matched = [one.id for one in entry.rules if one.first.fullmatch(first) and one.least == 1]
        assert matched == [], (written, entry.id)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: f"{one.entry}: {one.texts[0]}")
def test_two_tools_in_turn_are_two_events(one: Written) -> None:
    other = TOOLS[0] if one.entry != TOOLS[0].entry else TOOLS[4]
    found = events(*one.texts, *other.texts)
    count = len(one.texts)
    assert shape(found) == [
        (one.entry, tuple(range(1, count + 1))),
        (other.entry, tuple(range(count + 1, count + 1 + len(other.texts)))),
    ]


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_text_that_no_entry_knows_stays_unknown(text: str) -> None:
    found = recognised(text)
    assert shape(list(found.inferences)) == []
    assert found.unrecognised == (1,)


@pytest.mark.parametrize("one", TOOLS, ids=lambda one: f"{one.entry}: {one.texts[0]}")
def test_a_known_text_with_something_added_is_unknown(one: Written) -> None:
    added = "\n" if one.entry == "afni-refacer" else "§"  # a command takes any options
    for text in (f"x{one.texts[0].strip()}", f"{one.texts[0].strip()}{added}"):
        assert [found.tool for found in recognised(text).inferences if found.tool] == []


def test_reface_and_the_archives_text_are_two_events() -> None:
    assert shape(events(REFACE_TEXT, TCIA_TEXT)) == [("mri-reface", (1,)), ("ctp-annex-e", (2,))]


def test_one_text_before_the_vocabulary_of_pixelmed_is_an_event_of_its_own() -> None:
    assert shape(events(TCIA_TEXT, *NIFI_TEXTS)) == [
        ("ctp-annex-e", (1,)),
        ("pixelmed", tuple(range(2, 10))),
    ]


def test_the_same_tool_run_twice_is_two_events() -> None:
    assert shape(events(TCIA_TEXT, TCIA_TEXT)) == [("ctp-annex-e", (1,)), ("ctp-annex-e", (2,))]
    assert shape(events(*DCANON_TEXTS, *DCANON_TEXTS)) == [
        ("dcanon", tuple(range(1, 11))),
        ("dcanon", tuple(range(11, 21))),
    ]


def test_two_tools_joined_in_one_value_are_two_inferences_of_it() -> None:
    found = recognised("ProCAncer-I Whitelist, mri_reface 0.3.3")
    assert shape(list(found.inferences)) == [("mri-reface", (1,)), ("procancer", (1,))]
    assert found.unrecognised == ()


def test_a_joined_value_of_which_a_part_is_unknown_stays_unknown() -> None:
    found = recognised("ProCAncer-I Whitelist, house rules")
    assert (found.inferences, found.unrecognised) == ((), (1,))


def test_an_unknown_text_between_known_ones_is_the_only_unknown_one() -> None:
    assert recognised(TCIA_TEXT, "house rules", "", REFACE_TEXT).unrecognised == (2,)


def test_padding_is_not_significant() -> None:
    assert shape(events(" DICOGNITO \0")) == [("dicognito", (1,))]


def test_a_text_without_end_is_unknown_and_costs_nothing() -> None:
    assert recognised("DCM:" + "113100/" * 500_000 + "113100").unrecognised == (1,)


def test_values_without_end_are_looked_at_in_no_time() -> None:
    begun = time.monotonic()
    found = recognised(TCIA_TEXT, *(["house rules"] * 200_000))
    assert time.monotonic() - begun < 5
    assert len(found.unrecognised) == 200_000


def test_no_text_gives_nothing() -> None:
    for method in (None, (), ("",)):
        assert recognise(Markers(("YES",), method), NO_EVIDENCE, OURS) == Recognised()


@pytest.mark.parametrize(
    ("texts", "evidence", "kinds"),
    [
        (
            ("RSNA DICOM ANONYMIZER",),
            Evidence("1.2.826.0.1.3680043.10.474.1", "rsna_anon_18", "", ("RSNA",)),
            ("implementation-class-uid", "implementation-version-name", "private-creator"),
        ),
        ((TCIA_TEXT,), Evidence(private_creators=("CTP", "OTHER")), ("private-creator",)),
        (
            ("BASIC APPLICATION LEVEL CONFIDENTIALITY PROFILE",),
            Evidence(source_application_entity_title="gdcmanon"),
            ("source-application-entity-title",),
        ),
        (("DICOGNITO",), Evidence("1.2.3", "dcm4che-5.14", "AET", ("CTP",)), ()),
    ],
)
def test_evidence_supports_a_tool(
    texts: tuple[str, ...], evidence: Evidence, kinds: tuple[str, ...]
) -> None:
    (found,) = recognised(*texts, evidence=evidence).inferences
    assert found.evidence == kinds


def test_evidence_alone_infers_nothing() -> None:
    evidence = Evidence("1.3.6.1.4.1.5962.99.2", "PIXELMEDJAVA001", "gdcmanon", ("CTP", "RSNA"))
    assert recognised("house rules", evidence=evidence).inferences == ()
    assert recognise(Markers(("YES",), None), evidence, OURS) == Recognised()


def test_a_private_scheme_among_the_codes_supports_its_tool() -> None:
    codes = (item(CodeValue="x", CodingSchemeDesignator="mri_reface", CodeMeaning="y"),)
    markers = Markers(("YES",), (REFACE_TEXT,), codes)
    (found,) = recognise(markers, NO_EVIDENCE, OURS).inferences
    assert found.evidence == ("coding-scheme",)


@pytest.mark.parametrize("text", ["DCM:999999", "113199", "{113199, 1}", "DCM:113199/1"])
def test_numbers_none_of_which_is_a_method_code_are_no_wording_of_a_tool(text: str) -> None:
    assert (recognised(text).inferences, recognised(text).unrecognised) == ((), (1,))
