"""The tables of `mappings/` agree with the standard, with the program and among themselves."""

from __future__ import annotations

import ast
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_keyword, dictionary_VR

from deidfhir.model.attributes import attributes, by_keyword, last_marker_tag, last_tag
from deidfhir.tables import table
from tools.generate_tables import TARGET, rendered

REPO = Path(__file__).resolve().parents[3]
SOURCES = sorted((REPO / "src" / "deidfhir").rglob("*.py"))
ROWS = table("attributes.toml")["attribute"]
PLACES = {"object", "file meta", "code item", "equipment item", "udi item", "scheme item"}
RULES = {
    "always", "dates", "zone", "113105", "113108", "113109", "113112", "identity-removed", "opt-in",
    "masked", "never",
}  # fmt: skip
SEVERITIES = {"error", "warning", "information"}


def constants() -> Iterator[str]:
    """Yield every string of the program that is no docstring."""
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bodies = [node for node in ast.walk(tree) if isinstance(node, ast.Expr)]
        docstrings = {id(node.value) for node in bodies}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or id(node) in docstrings:
                continue
            if isinstance(node.value, str):
                yield node.value


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield the name and node of every call in the program."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                yield name, node


def first_text(call: ast.Call) -> str | None:
    argument = call.args[0] if call.args else None
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    return None


def yielded(path: Path) -> Iterator[str]:
    """Yield the strings that the generators of a module yield."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


ERRORS = {"UsageError", "FatalError", "RetriableError", "DataError", "SkippableError"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['within']} {row['keyword']}")
def test_every_attribute_is_the_standard_s(row: dict[str, str]) -> None:
    tag = int(row["tag"], 16)
    assert dictionary_keyword(tag) == row["keyword"]
    assert dictionary_VR(tag) == row["vr"]
    assert re.fullmatch(r"[0-9A-F]{8}", row["tag"])
    assert row["within"] in PLACES
    assert row["leaves"] in RULES
    assert re.match(r"PS3\.\d+ \S+", row["section"])
    assert row.get("items", next(iter(PLACES))) in PLACES
    assert ("items" not in row) or row["vr"] == "SQ"


def test_no_attribute_stands_twice_in_one_place() -> None:
    counted = Counter((row["within"], row["tag"]) for row in ROWS)
    assert [key for key, count in counted.items() if count > 1] == []
    assert {row["within"] for row in ROWS} == PLACES


@pytest.mark.parametrize("within", ["code item", "equipment item", "udi item"])
def test_no_two_attributes_share_a_slot(within: str) -> None:
    slots = [one.slot for one in attributes(within).values()]
    # The three slots of ours that stand beside those of an item's attributes.
    assert len({*slots, "item", "coding", "device"}) == len(slots) + 3


def test_the_markers_are_those_of_decision_four() -> None:
    markers = [one.label for one in attributes("object").values() if one.is_marker]
    assert markers == [
        "(0012,0062)", "(0012,0063)", "(0012,0064)", "(0018,A001)", "(0028,0301)", "(0028,0302)",
        "(0028,0303)",
    ]  # fmt: skip
    assert (last_marker_tag(), last_tag()) == (0x00280303, 0x04000500)


def test_of_an_equipment_item_exactly_this_leaves_always() -> None:
    rows = attributes("equipment item").values()
    always = {one.keyword for one in rows if one.leaves == "always"}
    assert always == {
        "Manufacturer",
        "ManufacturerModelName",
        "SoftwareVersions",
        "PurposeOfReferenceCodeSequence",
        "ContributionDateTime",
        "ContributionDescription",
    }


def test_nothing_is_read_that_may_never_leave_but_what_is_read_to_judge() -> None:
    never = {row["keyword"] for row in ROWS if row["leaves"] == "never"}
    assert never == {
        *("SpecificCharacterSet", "EncryptedAttributesSequence", "ImplementationClassUID"),
        *("ImplementationVersionName", "SourceApplicationEntityTitle"),
    }
    assert by_keyword("object")["PatientID"].leaves == "identity-removed"
    forbidden = {
        "PatientName", "AccessionNumber", "StudyID", "ReferringPhysicianName",
        "PerformingPhysicianName", "RequestedProcedureDescription",
    }  # fmt: skip
    assert forbidden & {row["keyword"] for row in ROWS} == set()


def test_the_generated_table_has_not_drifted() -> None:
    assert TARGET.read_text(encoding="utf-8") == rendered()


def test_the_generated_table_holds_the_context_groups_of_the_standard() -> None:
    groups = table("generated/dicom-codes.json")
    assert set(groups) == {"CID 33", "CID 7005", "CID 7050"}
    assert groups["CID 7050"] == {
        "113100": "Basic Application Confidentiality Profile",
        "113101": "Clean Pixel Data Option",
        "113102": "Clean Recognizable Visual Features Option",
        "113103": "Clean Graphics Option",
        "113104": "Clean Structured Content Option",
        "113105": "Clean Descriptors Option",
        "113106": "Retain Longitudinal Temporal Information Full Dates Option",
        "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
        "113108": "Retain Patient Characteristics Option",
        "113109": "Retain Device Identity Option",
        "113110": "Retain UIDs Option",
        "113111": "Retain Safe Private Option",
        "113112": "Retain Institution Identity Option",
    }
    assert groups["CID 7005"]["109104"] == "De-identifying Equipment"
    assert groups["CID 33"]["CT"] == "Computed Tomography"


def test_every_code_of_the_crosswalk_is_of_the_context_group() -> None:
    known = set(table("generated/dicom-codes.json")["CID 7050"])
    assert set(table("crosswalk/deid-method.toml")) == known
    assert len(known) == 13


def test_the_retired_modalities_are_retired() -> None:
    retired = table("crosswalk/modality.toml")["retired"]
    assert retired == sorted(set(retired))
    assert set(retired) & set(table("generated/dicom-codes.json")["CID 33"]) == set()


def test_every_finding_of_the_table_is_made_somewhere() -> None:
    used = set(constants()) | set(table("telling-texts.toml"))
    assert [code for code in table("findings.toml") if code not in used] == []
    assert set(table("telling-texts.toml")) <= set(table("findings.toml"))


def test_every_finding_that_is_made_stands_in_the_table() -> None:
    makers = {"Finding", "ObjectSkipped", "refusal", "agreed", "_uid", "add"}
    made = set()
    for name, call in calls():
        texts = {one.value for one in call.args if isinstance(one, ast.Constant)}
        made |= {one for one in texts if name in makers and isinstance(one, str)}
    # `add` fills other sets, too; a code has no capitals, and one word alone only when skipped.
    made = {one for one in made if re.fullmatch(r"[a-z]+(-[a-z]+)*", one)}
    made |= set(yielded(REPO / "src" / "deidfhir" / "model" / "checks.py"))
    assert len(made) >= 20
    assert made <= set(table("findings.toml"))


def test_every_finding_has_its_words() -> None:
    for code, row in table("findings.toml").items():
        words = {"severity", "issue", "text", "action", "section"}
        assert set(row) - {"site", "status"} == words, code
        assert row["severity"] in SEVERITIES, code
        assert all(row.values()), code


def test_every_error_of_the_table_is_made_somewhere() -> None:
    used = set(constants()) | {one["error"] for one in table("tls-failures.toml")["failure"]}
    assert [code for code in table("errors.toml") if code not in used] == []


def test_every_error_that_is_made_stands_in_the_table_and_fills_its_places() -> None:
    texts = table("errors.toml")
    seen = set()
    for name, call in calls():
        code = first_text(call)
        if name not in ERRORS or code is None:
            continue
        assert code in texts, code
        seen.add(code)
        given = {one.arg for one in call.keywords}
        places = {field for _, field, _, _ in string.Formatter().parse(texts[code]) if field}
        if None not in given:  # `**details` cannot be followed
            assert places <= given, code
    assert len(seen) >= 15


def test_every_address_of_fhir_stands_in_one_table() -> None:
    addresses = [one for one in constants() if re.match(r"(https?|urn):\S", one)]
    forms = {"http:", "http://", "https://", "urn:oid:", "urn:uuid:"}
    assert set(addresses) - forms == set()
