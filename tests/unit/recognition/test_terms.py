"""Regulatory terms: usual spellings, denials, and what never stands beside a limited data set."""

from __future__ import annotations

import pytest

from deidfhir.recognition.terms import mentions, terms_in
from deidfhir.tables import table

TERMS = table("regulatory-terms.toml")["term"]


def terms_of(*texts: str) -> list[str]:
    return [code for _, codes in terms_in(texts) for code in codes]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Limited Data Set", "limited-data-set"),
        ("HIPAA limited dataset", "limited-data-set"),
        ("LIMITED_DATA_SET_V2", "limited-data-set"),
        ("45 CFR 164.514(e)", "limited-data-set"),
        ("LDS", "limited-data-set"),
        ("Safe Harbor", "safe-harbor"),
        ("safe-harbour method", "safe-harbor"),
        ("HIPAA_SAFE_HARBOR_AUTOMATED", "safe-harbor"),
        ("HIPAA § 164.514(b)(2)", "safe-harbor"),
        ("de-identified per Safe Harbor", "safe-harbor"),
        ("Re-identification risk: Expert Determination", "expert-determination"),
        ("pseudo-anonymized", "pseudonymised"),
        ("Expert Determination", "expert-determination"),
        ("expert-determination by us", "expert-determination"),
        ("164.514 (b) (1)", "expert-determination"),
        ("pseudonymised", "pseudonymised"),
        ("Pseudonymized per GDPR", "pseudonymised"),
        ("pseudo-nymised", "pseudonymised"),
        ("Pseudonymisierung", "pseudonymised"),
        ("pseudonymisée", "pseudonymised"),
        ("anonymised", "anonymised"),
        ("Enhanced Anonymization", "anonymised"),
        ("anonymisiert", "anonymised"),
        ("données anonymisées", "anonymised"),
        ("anonimizado", "anonymised"),
    ],
)
def test_usual_spellings_are_known(text: str, code: str) -> None:
    assert terms_of(text) == [code]


@pytest.mark.parametrize(
    "text",
    [
        *("RSNA DICOM ANONYMIZER", "LUWAK_ANONYMIZER", "Posda Anonymizer", "anonymize.default"),
        *("not anonymised", "non-anonymized", "never pseudonymised", "NOT yet anonymised"),
        *("nicht anonymisiert", "pas anonymisé", "partially anonymised", "to be anonymised"),
        *("Anonymised: no", "anonymized=false", "Anonymization failed", "Safe Harbor not applied"),
        *("neither anonymised nor pseudonymised", "anonymisation has not been done"),
        *("without anonymisation", "re-anonymised", "de-pseudonymised", "not a limited data set"),
        *("HELDSET", "Unlimited data", "FIELDS", "safe", "harbor", "164.514", "1164.514(e)"),
        *("unanonymised", "anonymisedX", "expert", ""),
    ],
)
def test_what_only_looks_alike_or_is_denied_is_no_term(text: str) -> None:
    assert terms_of(text) == []


def test_a_limited_data_set_is_never_called_anonymised() -> None:
    assert terms_of("Limited Data Set, anonymised") == ["limited-data-set"]
    assert terms_of("anonymised", "Safe Harbor", "LDS") == ["limited-data-set"]
    assert terms_of("pseudonymised limited data set") == ["limited-data-set", "pseudonymised"]


def test_terms_name_the_value_that_they_stand_in() -> None:
    assert terms_in(["house rules", "Safe Harbor; pseudonymised"]) == [
        (2, ("safe-harbor", "pseudonymised"))
    ]


def test_a_denied_term_is_still_mentioned() -> None:
    assert mentions("limited-data-set", "not a limited data set")
    assert not mentions("limited-data-set", "limited")


@pytest.mark.parametrize("code", TERMS)
def test_each_term_cites_the_rule_and_says_what_it_means(code: str) -> None:
    row = TERMS[code]
    assert row["source"].startswith("https://")
    assert row["definition"].startswith("The text speaks of")
    assert set(row) <= {"display", "definition", "source", "patterns", "never_with"}
    assert set(row.get("never_with", ())) <= set(TERMS)
