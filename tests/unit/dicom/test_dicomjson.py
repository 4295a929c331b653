"""DICOM JSON of any shape (PS3.18 F.2): read as it is meant, or skipped, never half understood."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from deidfhir.dicom.dicomjson import elements_of_json, read_json
from deidfhir.dicom.elements import ObjectSkipped

METHOD, CODES, IDENTITY, EQUIPMENT = "00120063", "00120064", "00120062", "0018A001"


def method_of(element: dict[str, Any]) -> object:
    return elements_of_json({METHOD: element}).get("DeidentificationMethod")


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"vr": "LO", "Value": ["a", "b"]}, ("a", "b")),
        ({"vr": "LO", "Value": ["a\\b", "c"]}, ("a", "b", "c")),
        ({"vr": "LO", "Value": ["a ", " b\0"]}, ("a", " b")),
        ({"vr": "LO", "Value": [None, "b"]}, ("", "b")),
        ({"vr": "LO", "Value": "a"}, ("a",)),
        ({"vr": "LO", "Value": [7]}, ("7",)),
        ({"vr": "DS", "Value": [1.5]}, ("1.5",)),
        ({"Value": ["a"]}, ("a",)),
        ({"vr": "LO"}, ()),
        ({"vr": "LO", "Value": []}, ()),
        ({"vr": "LO", "Value": [""]}, ()),
        ({"vr": "LO", "Value": ["  "]}, ()),
        ({"vr": "LO", "Value": [None]}, ()),
        ({"vr": "LO", "Value": None}, ()),
        ({"vr": "UN", "InlineBinary": "YVxiIA=="}, ("a", "b")),
        ({"vr": "UN", "BulkDataURI": "../bulk/1"}, ()),
    ],
)
def test_values_come_as_the_object_means_them(
    element: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert method_of(element) == expected


@pytest.mark.parametrize(
    "element",
    [
        {"vr": "LO", "Value": [True]},
        {"vr": "LO", "Value": [["a"]]},
        {"vr": "LO", "Value": [{"text": "a"}]},
        {"vr": "UN", "InlineBinary": "no base64!"},
        {"vr": "UN", "InlineBinary": 7},
    ],
)
def test_a_wanted_value_of_an_impossible_form_is_damage(element: dict[str, Any]) -> None:
    with pytest.raises(ObjectSkipped) as caught:
        method_of(element)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("value", ["text", {"0": {}}, [1], ["item"], [None], 0])
def test_a_sequence_of_an_impossible_form_is_damage(value: object) -> None:
    with pytest.raises(ObjectSkipped) as caught:
        elements_of_json({CODES: {"vr": "SQ", "Value": value}})
    assert caught.value.code == "damaged"


def test_text_beyond_ascii_in_inline_binary_is_read_in_its_character_set() -> None:
    # PS3.18 F.2.7: the bytes stand as in the file, so (0008,0005) governs them.
    inline = base64.b64encode("HIPAA § 164".encode()).decode()
    source = {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        METHOD: {"vr": "UN", "InlineBinary": inline},
    }
    assert elements_of_json(source)["DeidentificationMethod"] == ("HIPAA § 164",)


def test_a_code_sequence_as_inline_binary_never_looks_empty() -> None:
    item = b"\x08\x00\x00\x01\x06\x00\x00\x00113100"
    value = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
    element = {"vr": "UN", "InlineBinary": base64.b64encode(value).decode()}
    try:
        found = elements_of_json({CODES: element})["DeidentificationMethodCodeSequence"]
    except ObjectSkipped:
        return
    assert found == ({"CodeValue": ("113100",)},)


def test_items_keep_their_order_and_what_is_empty() -> None:
    value = [{"00080100": {"vr": "SH", "Value": ["113100"]}}, {}, {"00080102": {"vr": "SH"}}]
    found = elements_of_json({CODES: {"vr": "SQ", "Value": value}})
    assert found["DeidentificationMethodCodeSequence"] == (
        {"CodeValue": ("113100",)},
        {},
        {"CodingSchemeDesignator": ()},
    )


def test_a_person_name_is_joined_as_in_a_file() -> None:
    name = {"Alphabetic": "A^B", "Phonetic": "C^D"}
    item = {"00081070": {"vr": "PN", "Value": [name, {"Alphabetic": None}]}}
    (found,) = elements_of_json({EQUIPMENT: {"vr": "SQ", "Value": [item]}})[
        "ContributingEquipmentSequence"
    ]
    assert found == {"OperatorsName": ("A^B==C^D", "")}


@pytest.mark.parametrize(("depth", "damaged"), [(1, False), (6, False), (50, True), (300, True)])
def test_codes_nested_beyond_all_reason_are_damage_and_no_crash(
    depth: int, *, damaged: bool
) -> None:
    item: dict[str, Any] = {"00080100": {"vr": "SH", "Value": ["113100"]}}
    for _ in range(depth):
        item = {"00080121": {"vr": "SQ", "Value": [item]}}
    source = {CODES: {"vr": "SQ", "Value": [item]}}
    if not damaged:
        assert "113100" in str(elements_of_json(source))
        return
    with pytest.raises(ObjectSkipped) as caught:
        elements_of_json(source)
    assert caught.value.code == "damaged"


def test_lower_case_tags_are_tags() -> None:
    found = elements_of_json({"0018a001": {"vr": "SQ", "Value": [{}]}})
    assert found == {"ContributingEquipmentSequence": ({},)}


def test_what_is_not_in_the_table_is_not_read() -> None:
    source = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "A"}]}, "7FE00010": {"vr": "OW"}}
    assert elements_of_json(source) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "7",
        '"text"',
        "[]",
        "{}",
        "[7]",
        "[[]]",
        "[{}]",
        '{"resourceType": "Patient"}',
        '{"00120062": "YES"}',
        '{"PatientIdentityRemoved": {"vr": "CS"}}',
        '[{"00120062": {"vr": "CS"}}, 7]',
        "[" * 100_000,
        '{"00120062": {"vr": "CS", "Value": [' + "1" * 5000 + "]}}",
    ],
    ids=lambda text: text[:20],
)
def test_json_that_is_no_dicom_json_is_said_to_be_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ObjectSkipped) as caught:
        list(read_json(tmp_path / "a.json"))
    assert caught.value.code == "not-dicom-json"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_one_object_or_an_array_is_read_in_any_encoding_of_json(
    encoding: str, tmp_path: Path
) -> None:
    one = {METHOD: {"vr": "LO", "Value": ["§"]}}
    path = tmp_path / "a.json"
    path.write_bytes(json.dumps(one, ensure_ascii=False).encode(encoding))
    assert list(read_json(path)) == [one]
    path.write_bytes(json.dumps([one, one], ensure_ascii=False).encode(encoding))
    assert list(read_json(path)) == [one, one]
