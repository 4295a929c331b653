"""PS3.15 Table E.1-1 as data: it is whole, and the allow-list never goes beyond it unnamed."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import pytest
from pydicom.datadict import dictionary_has_tag, tag_for_keyword

from deidfhir.model.attributes import Attribute, attributes
from deidfhir.tables import table

PROFILE: Final[dict[str, dict[str, dict[str, str]]]] = table("confidentiality-profile.toml")
ROWS: Final = PROFILE["attribute"]
PATTERNS: Final = PROFILE["pattern"]
RULES: Final = table("attributes.toml")["rule"]
OPTIONS: Final = set(table("crosswalk/deid-method.toml")) - {"113100"}
"""The codes of CID 7050 but that of the Basic Profile, which is no option."""
ACTIONS: Final = {"D", "Z", "X", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"}
PLACES: Final = ("object", "equipment item", "udi item")


def row_of(keyword: str) -> dict[str, str] | None:
    return ROWS.get(f"{tag_for_keyword(keyword):08X}")


def options(row: dict[str, str]) -> dict[str, str]:
    return {key: action for key, action in row.items() if key not in ("profile", "name")}


def codes_of(rule: str) -> set[str]:
    """Return the codes by any of which a rule lets an attribute leave."""
    # A zone leaves with a date and time only, so by what unlocks these.
    return set(RULES["dates" if rule == "zone" else rule].get("codes", ()))


def unlocked() -> list[tuple[str, Attribute]]:
    """Return place and attribute of what leaves only with codes of CID 7050."""
    every = ((place, one) for place in PLACES for one in attributes(place).values())
    return [(place, one) for place, one in every if codes_of(one.leaves)]


def standing(place: str, *rules: str) -> set[str]:
    """Return the keywords of a place that leave by these rules and stand in the table."""
    rows = attributes(place).values()
    return {one.keyword for one in rows if one.leaves in rules and row_of(one.keyword)}


def test_a_row_is_a_tag_and_they_are_sorted() -> None:
    assert all(re.fullmatch(r"[0-9A-F]{8}", tag) for tag in ROWS)
    assert list(ROWS) == sorted(ROWS)
    assert set(PATTERNS) == {"50xxxxxx", "60xx3000", "60xx4000", "private"}


def test_a_row_says_an_action_and_what_options_do_instead() -> None:
    for tag, row in (ROWS | PATTERNS).items():
        assert row["profile"] in ACTIONS, tag
        assert set(options(row)) <= OPTIONS, tag
        assert set(options(row).values()) <= {"K", "C"}, tag


def test_a_row_has_a_name_only_if_the_dictionary_lacks_the_tag() -> None:
    for tag, row in ROWS.items():
        assert ("name" in row) is not dictionary_has_tag(int(tag, 16)), tag


def test_the_table_is_whole() -> None:
    assert (len(ROWS), len(PATTERNS)) == (653, 4)
    assert Counter(row["profile"] for row in ROWS.values()) == {
        "X": 413, "D": 93, "U": 55, "Z": 42,
        "X/D": 23, "X/Z": 11, "X/Z/D": 8, "Z/D": 6, "X/Z/U*": 2,
    }  # fmt: skip
    assert Counter(code for row in (ROWS | PATTERNS).values() for code in options(row)) == {
        "113103": 4, "113104": 4, "113105": 141, "113106": 169, "113107": 169, "113108": 19,
        "113109": 59, "113110": 60, "113111": 1, "113112": 10,
    }  # fmt: skip


def test_full_dates_stay_where_modified_dates_are_modified() -> None:
    for tag, row in ROWS.items():
        assert (row.get("113106"), row.get("113107")) in {("K", "C"), (None, None)}, tag


@pytest.mark.parametrize(
    ("keyword", "row"),
    [
        ("AccessionNumber", {"profile": "Z"}),
        ("PatientID", {"profile": "Z/D"}),
        ("StudyDescription", {"profile": "X", "113105": "C"}),
        ("StudyDate", {"profile": "Z", "113106": "K", "113107": "C"}),
        ("StudyInstanceUID", {"profile": "U", "113110": "K"}),
        ("StationName", {"profile": "X/Z/D", "113109": "K"}),
        ("InstitutionAddress", {"profile": "X", "113112": "K"}),
        ("PatientSex", {"profile": "Z", "113108": "K"}),
        ("ContentSequence", {"profile": "D", "113104": "C"}),
        ("DeviceUID", {"profile": "U", "113109": "K", "113110": "K"}),
        ("ReferencedImageSequence", {"profile": "X/Z/U*", "113110": "K"}),
    ],
)
def test_a_row_says_what_the_standard_prints(keyword: str, row: dict[str, str]) -> None:
    assert row_of(keyword) == row


def test_what_codes_unlock_may_stay_by_the_options_of_these_codes() -> None:
    checked = 0
    for place, one in unlocked():
        row = row_of(one.keyword)
        if row is not None:
            assert codes_of(one.leaves) <= set(options(row)), (place, one.keyword)
            checked += 1
    assert checked == 18
    assert codes_of("dates") == {"113106", "113107"}


def test_what_codes_unlock_and_the_table_leaves_alone_is_known() -> None:
    # The Basic Profile lets these stay as they are; we ask for 113105 because they are texts.
    free = {one.keyword for _, one in unlocked() if row_of(one.keyword) is None}
    assert free == {
        "BodyPartExamined",
        "ConceptNameCodeSequence",
        "ContentLabel",
        "DocumentTitle",
        "ImageType",
    }


def test_what_always_leaves_although_the_table_names_it_is_known() -> None:
    # D5: without its UIDs, as the object has them, an ImagingStudy would point at nothing.
    assert standing("object", "always") == {
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "StudyInstanceUID",
    }
    # D4: when and how the object was de-identified; the item is the de-identifier's own.
    assert standing("equipment item", "always") == {
        "ContributionDateTime",
        "ContributionDescription",
    }
    # D4: a code comes back verbatim; these are versions of a group of codes, no dates of care.
    assert standing("code item", "always") == {"ContextGroupLocalVersion", "ContextGroupVersion"}
    assert standing("udi item", "always") == set()
    assert standing("scheme item", "always") == set()


def test_what_leaves_by_a_rule_of_its_own_is_known() -> None:
    # D6: the Patient ID is the replaced one as soon as the identity is removed.
    assert standing("object", "identity-removed") == {"PatientID"}
    # D4: only the site's policy lets the name of who operated the de-identifier leave.
    assert standing("equipment item", "opt-in") == {"OperatorsName"}
    rules = {rule for rule in RULES if not codes_of(rule)}
    assert rules == {"always", "identity-removed", "opt-in", "masked", "never"}
