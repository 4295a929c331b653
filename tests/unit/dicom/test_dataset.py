"""A data set gives the same elements however it comes: made, as a file, as DICOM JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset, config, dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from deidfhir.dicom.dataset import elements_of
from deidfhir.dicom.dicomjson import elements_of_json
from deidfhir.dicom.elements import ObjectSkipped
from deidfhir.dicom.headers import read_header
from deidfhir.model.checks import findings_of
from deidfhir.pipeline.files import read_paths
from tests.synthetic.dicomjson import json_object
from tests.synthetic.objects import element, encode, put, write
from tests.synthetic.rawbytes import relabel
from tests.synthetic.studies import STUDIES

from .files import marked_object


@pytest.mark.parametrize("name", sorted(STUDIES))
def test_an_object_says_the_same_as_data_set_file_and_json(name: str, tmp_path: Path) -> None:
    for number, made in enumerate(STUDIES[name]()):
        wanted = elements_of_json(json_object(made))
        assert wanted["StudyInstanceUID"]
        assert elements_of(made) == wanted
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian):
            path = write(made, tmp_path / f"{number}.dcm", syntax)
            assert read_header(path).elements == wanted
            assert elements_of(dcmread(path)) == wanted


CHARACTER_SETS = [
    ("ISO_IR 192", "Tórax § 胸部"),
    ("ISO_IR 100", "Tórax § é"),
    ("ISO_IR 144", "Обезличено"),
    (["", "ISO 2022 IR 87"], "匿名化"),
    ("GB18030", "去标识化"),
]


@pytest.mark.parametrize(("name", "text"), CHARACTER_SETS, ids=[one for _, one in CHARACTER_SETS])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_texts_are_read_in_the_object_s_character_set(
    name: str | list[str], text: str, syntax: str, tmp_path: Path
) -> None:
    made = marked_object(DeidentificationMethod=("first", text))
    made.SpecificCharacterSet = name
    put(made.ContributingEquipmentSequence[0], ContributionDescription=text, Manufacturer=text)
    found = read_header(write(made, tmp_path / "a.dcm", syntax)).elements
    assert found["DeidentificationMethod"] == ("first", text)
    (item,) = found["ContributingEquipmentSequence"]
    assert isinstance(item, dict)
    assert (item["Manufacturer"], item["ContributionDescription"]) == ((text,), (text,))


def test_a_marker_of_vr_un_is_read_in_the_object_s_character_set(tmp_path: Path) -> None:
    made = marked_object(SpecificCharacterSet="ISO_IR 192", DeidentificationMethod=None)
    made.add(element("DeidentificationMethod", "OB", "§ one\\two ".encode()))
    data = relabel(encode(made, ExplicitVRLittleEndian), "DeidentificationMethod", "UN")
    (tmp_path / "a.dcm").write_bytes(data)
    found = read_header(tmp_path / "a.dcm").elements
    assert found["DeidentificationMethod"] == ("§ one", "two")


def test_bytes_that_the_character_set_cannot_decode_are_a_finding(tmp_path: Path) -> None:
    made = marked_object(SpecificCharacterSet="ISO_IR 192", DeidentificationMethod="PLACEHOLDER")
    data = encode(made, ExplicitVRLittleEndian).replace(b"PLACEHOLDER", b"a\xe9bc\xff safe!")
    (tmp_path / "a.dcm").write_bytes(data)
    reading = read_paths([tmp_path])
    (found,) = reading.studies
    assert found.instances[0].markers.method == ("a\ufffdbc\ufffd safe!",)
    assert "text-undecodable" in [one.code for one in findings_of(found)]


def test_a_backslash_separates_values_except_in_long_texts(tmp_path: Path) -> None:
    made = marked_object()
    put(made.ContributingEquipmentSequence[0], SoftwareVersions=("1", "2"))
    made.ContributingEquipmentSequence[0].add(element(0x0018A003, "ST", r"a\b"))
    for found in (
        elements_of(made),
        read_header(write(made, tmp_path / "a.dcm")).elements,
        elements_of_json(json_object(made)),
    ):
        (item,) = found["ContributingEquipmentSequence"]
        assert isinstance(item, dict)
        assert item["SoftwareVersions"] == ("1", "2")
        assert item["ContributionDescription"] == (r"a\b",)


def test_only_the_root_level_is_looked_at() -> None:
    inner = Dataset()
    put(inner, PatientIdentityRemoved="YES", DeidentificationMethod="inside")
    outer = Dataset()
    put(outer, SharedFunctionalGroupsSequence=[inner], ReferencedSeriesSequence=[inner])
    assert elements_of(outer) == {}


def test_an_empty_data_set_gives_nothing() -> None:
    assert elements_of(Dataset()) == {}


@pytest.mark.parametrize("value", ["text", b"\1\2\3\4", ["a", "b"]])
def test_a_sequence_that_is_none_is_damage(value: object) -> None:
    made = Dataset()
    with config.disable_value_validation():
        made.add(element("DeidentificationMethodCodeSequence", "LO", value))
        with pytest.raises(ObjectSkipped) as caught:
            elements_of(made)
    assert caught.value.code == "damaged"
