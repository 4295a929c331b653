"""Codes become Codings only where their system is known; nothing is invented (D22)."""

from __future__ import annotations

import pytest

from deidfhir.mapping.terminology import (
    coding_of,
    is_defined_modality,
    policy_of,
    standard_meaning,
)
from deidfhir.model.record import Item
from tests.unit.model.records import dcm, item

DCM = "http://dicom.nema.org/resources/ontology/DCM"
PROFILE = "Basic Application Confidentiality Profile"


def code(value: str, scheme: str | None = "DCM", meaning: str | None = None) -> Item:
    parts = {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}
    return item(**{keyword: part for keyword, part in parts.items() if part is not None})


def test_a_code_with_the_standard_s_meaning_has_a_display() -> None:
    assert coding_of(dcm("113100")) == {"system": DCM, "code": "113100", "display": PROFILE}


@pytest.mark.parametrize(
    "meaning",
    [None, "", PROFILE.lower(), "De-identification", f"{PROFILE} Option", "Clean Descriptors"],
)
def test_any_other_meaning_gives_none(meaning: str | None) -> None:
    assert coding_of(code("113100", meaning=meaning)) == {"system": DCM, "code": "113100"}


def test_padding_is_no_part_of_a_meaning_or_a_code() -> None:
    found = coding_of(code("113100 ", "DCM ", f"{PROFILE} "))
    assert found == {"system": DCM, "code": "113100", "display": PROFILE}


@pytest.mark.parametrize(
    ("scheme", "system"),
    [
        ("DCM", DCM),
        ("dcm", DCM),
        ("SCT", "http://snomed.info/sct"),
        ("LN", "http://loinc.org"),
        ("UCUM", "http://unitsofmeasure.org"),
        ("RADLEX", "http://www.radlex.org"),
        ("MDC", "urn:iso:std:iso:11073:10101"),
    ],
)
def test_known_schemes_have_their_system(scheme: str, system: str) -> None:
    assert coding_of(code("1", scheme)) == {"system": system, "code": "1"}


@pytest.mark.parametrize("scheme", ["99PMP", "mri_reface", "2012CDX", "UNKNOWN", "SRT", "99SDM"])
def test_for_other_schemes_no_system_is_invented(scheme: str) -> None:
    assert coding_of(code("113100", scheme, PROFILE)) is None


def test_a_scheme_that_the_object_identifies_has_the_uid_given() -> None:
    schemes = (("99PMP", "1.3.6.1.4.1.5962.98.1"),)
    found = coding_of(code("210001", "99PMP"), schemes)
    assert found == {"system": "urn:oid:1.3.6.1.4.1.5962.98.1", "code": "210001"}
    assert coding_of(code("210001", "99PM"), schemes) is None


def test_old_snomed_codes_never_become_snomed_ct_by_their_shared_oid() -> None:
    # PS3.16 Table 8-1 gives SRT the OID of SCT, but T-15460 is no identifier of SNOMED CT.
    assert coding_of(code("T-15460", "SRT"), (("SRT", "2.16.840.1.113883.6.96"),)) is None


@pytest.mark.parametrize(
    "broken",
    [
        item(),
        item(CodeMeaning=PROFILE),
        item(CodingSchemeDesignator=("113100", "113105")),
        item(CodeValue="113100"),
        item(CodeValue="113100", CodingSchemeDesignator=()),
        item(CodeValue=(), CodingSchemeDesignator="DCM"),
        item(CodeValue="two  blanks", CodingSchemeDesignator="DCM"),
        item(CodeValue="line\nbreak", CodingSchemeDesignator="DCM"),
        item(CodeValue="control\x01", CodingSchemeDesignator="DCM"),
        item(CodeValue="half \ud800", CodingSchemeDesignator="DCM"),
        item(URNCodeValue="urn:two  blanks"),
        item(URNCodeValue="urn:control\x01"),
        item(URNCodeValue="no address"),
    ],
    ids=repr,
)
def test_what_fhir_cannot_hold_as_a_code_gives_no_coding(broken: Item) -> None:
    assert coding_of(broken) is None


def test_a_code_may_hold_single_blanks() -> None:
    assert coding_of(code("two words")) == {"system": DCM, "code": "two words"}


def test_long_codes_and_urns_are_codes() -> None:
    long = "https://example.org/a-code-value-far-longer-than-sixteen-characters"
    assert coding_of(item(LongCodeValue=long, CodingSchemeDesignator="DCM")) == {
        "system": DCM,
        "code": long,
    }
    assert coding_of(item(URNCodeValue="urn:lex:us:federal:codified.regulation")) == {
        "system": "urn:ietf:rfc:3986",
        "code": "urn:lex:us:federal:codified.regulation",
    }


def test_the_meanings_are_those_of_the_standard() -> None:
    assert standard_meaning("113100") == PROFILE
    assert standard_meaning("109104") == "De-identifying Equipment"
    assert standard_meaning("210001") is None


def test_modalities_are_the_defined_terms() -> None:
    known = ("CT", "MR", "SEG", "RTDOSE", "CF")
    assert [one for one in (*known, "", "ct", "109104") if is_defined_modality(one)] == [*known]


def test_each_code_of_the_context_group_stands_for_a_policy() -> None:
    codes = [str(number) for number in range(113100, 113113)]
    assert all(policy_of(one) for one in codes)
    assert policy_of("113113") is None
    assert policy_of("113105") == (
        "https://dicom.nema.org/medical/dicom/current/output/chtml/part15/sect_E.3.html#sect_E.3.5"
    )
