"""Texts of any kind go into FHIR and come back (FHIR datatypes, string)."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from deidfhir.fhir.extensions import (
    MalformedError,
    absent_reason,
    absent_slot,
    address,
    is_fhir_string,
    nested,
    slot_text,
    text_slot,
)
from deidfhir.fhir.narrative import narrative

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


@pytest.mark.parametrize("text", ["a", " a ", "§", "a\tb\r\nc", "🙂", "\u00a0x"])
def test_a_plain_text_stands_as_it_is(text: str) -> None:
    assert is_fhir_string(text)
    assert text_slot("method", text) == {"url": "method", "valueString": text}


@pytest.mark.parametrize("text", [" ", "\t", "a\x00", "\x1b[1m", "a\ud800", "\x0b"])
def test_a_text_that_a_fhir_string_cannot_hold_becomes_base64(text: str) -> None:
    slot = text_slot("method", text)
    assert set(slot) == {"url", "valueBase64Binary"}
    assert slot_text(slot) == text


def test_an_empty_text_is_said_to_be_unknown() -> None:
    slot = text_slot("method", "")
    assert slot == {"url": "method", "extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    assert slot_text(slot) == ""


def test_what_is_masked_has_no_text() -> None:
    assert slot_text(absent_slot("method", "masked")) is None
    assert absent_reason(absent_slot("method", "masked")) == "masked"
    assert absent_reason({"valueString": "x"}) is None


def test_a_text_longer_than_fhir_allows_becomes_base64() -> None:
    longest = "x" * 1024 * 1024
    assert "valueString" in text_slot("method", longest)
    slot = text_slot("method", f"{longest}x")
    assert set(slot) == {"url", "valueBase64Binary"}
    assert slot_text(slot) == f"{longest}x"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"valueString": ""},
        {"valueString": 5},
        {"valueString": ["x"]},
        {"valueCode": "x"},
        {"valueString": "x", "valueBase64Binary": "eA=="},
        {"valueBase64Binary": "no base64"},
        {"valueBase64Binary": "/w=="},
        {"valueString": "x", "extension": [{"url": ABSENT, "valueCode": "masked"}]},
        {"extension": [{"url": ABSENT, "valueCode": "error"}]},
        {"extension": [{"url": ABSENT}]},
        {"extension": [{"url": ABSENT, "valueCode": "masked"}, {"url": "x", "valueCode": "y"}]},
        {"extension": [{"url": "colour", "valueString": "red"}]},
        {"extension": 7},
    ],
)
def test_a_slot_of_another_form_is_never_read_as_a_text(content: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        slot_text({"url": "method", **content})


@pytest.mark.parametrize("extension", [7, {"url": "x"}, [7], [{"url": 7}], [{}]])
def test_extensions_that_are_none_are_no_empty_list(extension: object) -> None:
    with pytest.raises(MalformedError):
        nested({"extension": extension})


def test_an_address_stands_below_the_canonical_base() -> None:
    found = address("https://site.example/fhir", "step")
    assert found == "https://site.example/fhir/StructureDefinition/deidentification-step"


def test_a_narrative_is_escaped_xhtml() -> None:
    assert narrative('<a> & "b"')["div"] == (
        '<div xmlns="http://www.w3.org/1999/xhtml">&lt;a&gt; &amp; &quot;b&quot;</div>'
    )


def test_a_narrative_has_single_blanks_as_a_server_gives_them_back() -> None:
    assert narrative(" a\n\t b\u00a0 c ")["div"] == (
        '<div xmlns="http://www.w3.org/1999/xhtml">a b c</div>'
    )


@pytest.mark.parametrize(
    "text", ["<b>", "a & b", "]]>", "&lt;", "\"'", "🙂", "a\tb\nc", "\x7f\x85", "a\ufffeb\uffff"]
)
def test_a_narrative_is_well_formed_whatever_it_says(text: str) -> None:
    # A server parses it as XML, and refuses the resource otherwise.
    parsed = ElementTree.fromstring(narrative(text)["div"])  # noqa: S314 - our own text
    assert parsed.tag == "{http://www.w3.org/1999/xhtml}div"
    assert len(parsed) == 0
