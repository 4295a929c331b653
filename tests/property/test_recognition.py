"""Near misses of every known wording, and texts of any kind, are never taken for a tool."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from deidfhir.model.record import NO_EVIDENCE, Markers
from deidfhir.recognition.recognise import recognise
from deidfhir.recognition.result import Recognised
from deidfhir.recognition.vocabulary import load_vocabulary
from tests.synthetic.tool_texts import TOOLS, Written

from .test_round_trip import MODEST

FIXED = [one for one in TOOLS if not one.yields and len(one.texts) == 1]
"""Wordings that are the same every time."""


def recognised(*texts: str) -> Recognised:
    return recognise(Markers(("YES",), texts), NO_EVIDENCE, load_vocabulary())


def tools(found: Recognised) -> set[str]:
    return {one.tool for one in found.inferences} - {""}


@MODEST
@given(written=st.sampled_from(FIXED), data=st.data())
def test_a_letter_changed_makes_a_fixed_wording_unknown_or_its_own(
    written: Written, data: st.DataObject
) -> None:
    text = written.texts[0].strip()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = text[:place] + letter + text[place + 1 :]
    assume(changed != text)
    assert tools(recognised(changed)) <= {written.entry}


@MODEST
@given(texts=st.lists(st.text(max_size=80), max_size=6))
def test_any_text_is_recognised_or_unrecognised_and_no_rule_fails(texts: list[str]) -> None:
    found = recognised(*texts)
    covered = {
        number
        for one in found.inferences
        if not one.rule.startswith("term.")
        for number in one.values
    }
    filled = {number for number, text in enumerate(texts, start=1) if text.strip(" \0")}
    assert covered | set(found.unrecognised) == filled
    assert covered & set(found.unrecognised) == set()


@MODEST
@given(chain=st.lists(st.sampled_from(TOOLS), min_size=1, max_size=4))
def test_a_chain_of_tools_is_told_as_the_tools_that_wrote_it(chain: list[Written]) -> None:
    texts = [text for one in chain for text in one.texts]
    found = [one for one in recognised(*texts).inferences if one.tool]
    assert {one.tool for one in found} == {one.entry for one in chain}
    assert sorted(number for one in found for number in one.values) == list(
        range(1, len(texts) + 1)
    )
