"""A header is read whole or not at all: what was cut off must never look absent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.headers import header_of_bytes, read_header
from deidfhir.dicom.reader import instance_of
from deidfhir.pipeline.files import read_paths
from tests.synthetic.objects import element, encode, write
from tests.unit.model.records import STUDY

from .files import marked_object, starts

FORMS = [
    (ExplicitVRLittleEndian, False),
    (ExplicitVRLittleEndian, True),
    (ImplicitVRLittleEndian, False),
    (ImplicitVRLittleEndian, True),
    (ExplicitVRBigEndian, False),
]
IDS = ["explicit", "explicit delimited", "implicit", "implicit delimited", "big endian"]
SERIES_UID, LAST_MARKER = 0x0020000E, 0x00280303


def outcome(path: Path) -> str:
    """Return why a file gives no object, or `object` with what it says of the last marker."""
    reading = read_paths([path])
    if reading.skipped:
        return reading.skipped[0].code
    (study,) = reading.studies
    temporal = study.instances[0].markers.longitudinal_temporal_information_modified
    return f"object with {temporal}"


def outcomes(data: bytes, lengths: Iterable[int], folder: Path) -> dict[int, str]:
    """Return what each of some cuts of a file gives."""
    found = {}
    for length in lengths:
        (folder / "cut.dcm").write_bytes(data[:length])
        found[length] = outcome(folder / "cut.dcm")
    return found


@pytest.mark.parametrize(("syntax", "delimited"), FORMS, ids=IDS)
def test_a_file_cut_inside_an_element_gives_no_object(
    syntax: str, *, delimited: bool, tmp_path: Path
) -> None:
    made = marked_object()
    data = encode(made, syntax, undefined_length=delimited)
    begins = starts(made, data, syntax)
    assert begins[LAST_MARKER] > begins[SERIES_UID]
    # A cut exactly between two root elements looks like a smaller object; nothing can tell.
    inside = sorted(set(range(begins[SERIES_UID], len(data))) - set(begins.values()))
    found = outcomes(data, inside, tmp_path)
    assert {length: code for length, code in found.items() if code.startswith("object")} == {}


@pytest.mark.parametrize(("syntax", "delimited"), FORMS[::4], ids=IDS[::4])
def test_a_file_that_is_cut_is_said_to_be_cut(
    syntax: str, *, delimited: bool, tmp_path: Path
) -> None:
    made = marked_object()
    data = encode(made, syntax, undefined_length=delimited)
    begins = starts(made, data, syntax)
    inside = sorted(set(range(140, begins[SERIES_UID])) - set(begins.values()))
    found = outcomes(data, inside, tmp_path)
    assert set(found.values()) <= {"truncated", "not-dicom"}


def test_a_deflated_file_cut_anywhere_gives_no_object(tmp_path: Path) -> None:
    data = encode(marked_object(), DeflatedExplicitVRLittleEndian)
    found = outcomes(data, range(132, len(data) - 1), tmp_path)  # the last byte may be padding
    assert set(found.values()) <= {"truncated", "not-dicom"}


def test_of_a_deflated_file_what_stands_behind_the_header_may_be_cut_as_in_any_other(
    tmp_path: Path,
) -> None:
    made = marked_object()
    made.add(element(0x7FE00010, "OB", bytes(range(256)) * 4096))
    data = encode(made, DeflatedExplicitVRLittleEndian)
    found = outcomes(data, [len(data) - 100, len(data)], tmp_path)
    assert set(found.values()) == {"object with ('MODIFIED',)"}


def test_a_deflated_file_that_inflates_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = marked_object()
    made.add(element(0x00090010, "LO", "TESTS"))
    made.add(element(0x00091001, "OB", b"\0" * (4 << 20)))
    (tmp_path / "large.dcm").write_bytes(encode(made, DeflatedExplicitVRLittleEndian))
    assert outcome(tmp_path / "large.dcm") == "object with ('MODIFIED',)"
    monkeypatch.setattr("deidfhir.dicom.fallback._MOST_INFLATED", 3 << 20)
    assert outcome(tmp_path / "large.dcm") == "deflated-too-large"


@pytest.mark.parametrize(("syntax", "delimited"), FORMS, ids=IDS)
def test_bytes_give_what_a_file_of_them_gives(
    syntax: str, *, delimited: bool, tmp_path: Path
) -> None:
    data = encode(marked_object(), syntax, undefined_length=delimited)
    for length in (*range(0, len(data), 7), len(data)):
        (tmp_path / "cut.dcm").write_bytes(data[:length])
        assert _header_or_code(header_of_bytes, data[:length]) == _header_or_code(
            read_header, tmp_path / "cut.dcm"
        )


def _header_or_code(read: Callable[[Any], Header], source: object) -> object:
    try:
        return read(source)
    except ObjectSkipped as skip:
        return skip.code


@pytest.mark.parametrize("length", [7, 8, 60, 127, 128, 131])
def test_a_piece_of_a_preamble_is_no_dicom(length: int, tmp_path: Path) -> None:
    (tmp_path / "cut.dcm").write_bytes((b"\0" * 128 + b"DICM")[:length])
    assert outcome(tmp_path / "cut.dcm") == "not-dicom"


@pytest.mark.parametrize(("syntax", "delimited"), FORMS, ids=IDS)
def test_a_whole_file_gives_all_markers(syntax: str, *, delimited: bool, tmp_path: Path) -> None:
    path = write(marked_object(), tmp_path / "a.dcm", syntax, undefined_length=delimited)
    header = read_header(path)
    assert not header.tail_broken
    assert header.elements["DeidentificationMethod"] == ("first", "second")
    assert header.elements["LongitudinalTemporalInformationModified"] == ("MODIFIED",)
    assert len(header.elements["DeidentificationMethodCodeSequence"]) == 2


@pytest.mark.parametrize(
    ("syntax", "head"), [(ExplicitVRLittleEndian, 12), (ImplicitVRLittleEndian, 8)]
)
def test_pixels_may_be_cut_off_since_they_are_never_read(
    syntax: str, head: int, tmp_path: Path
) -> None:
    made = marked_object()
    made.add(element("PixelData", "OB", b"\0" * 64))
    data = encode(made, syntax)
    for length in range(starts(made, data, syntax)[0x7FE00010] + head, len(data)):
        (tmp_path / "cut.dcm").write_bytes(data[:length])
        assert outcome(tmp_path / "cut.dcm") == "object with ('MODIFIED',)"


@pytest.mark.parametrize(
    ("syntax", "meta"),
    [
        (ExplicitVRLittleEndian, True),
        (ImplicitVRLittleEndian, True),
        (ExplicitVRBigEndian, True),
        (DeflatedExplicitVRLittleEndian, True),
        (ImplicitVRLittleEndian, False),
        (ExplicitVRLittleEndian, False),
    ],
)
def test_a_missing_preamble_or_head_hides_nothing(
    syntax: str, *, meta: bool, tmp_path: Path
) -> None:
    path = write(marked_object(), tmp_path / "no-name", syntax, preamble=False, meta=meta)
    assert outcome(path) == "object with ('MODIFIED',)"


def _with_broken_tail(tmp_path: Path, tag: int) -> Path:
    """Write an object in which the element of a tag claims more bytes than there are."""
    made = marked_object()
    made.add(element(tag, "OB", b"\1\2\3\4"))
    data = encode(made, ExplicitVRLittleEndian)
    start = starts(made, data, ExplicitVRLittleEndian)[tag]
    length = (0xFFFF).to_bytes(4, "little")
    path = tmp_path / "tail.dcm"
    path.write_bytes(data[: start + 8] + length + data[start + 12 :])
    return path


def test_a_header_broken_after_the_markers_gives_them_with_a_finding(tmp_path: Path) -> None:
    header = read_header(_with_broken_tail(tmp_path, 0x00400275))
    instance, findings = instance_of(header, "tail")
    assert [one.code for one in findings] == ["header-tail-broken"]
    assert instance.markers.method == ("first", "second")
    # What cannot be read may be Encrypted Attributes, which a label depends on (D8).
    assert instance.facts.tail_broken
    assert not instance.facts.encrypted


@pytest.mark.parametrize("tag", [0x00081140, 0x00189346, 0x00200052])
def test_a_header_broken_before_the_last_marker_gives_no_object(tag: int, tmp_path: Path) -> None:
    assert outcome(_with_broken_tail(tmp_path, tag)) == "truncated"


def test_a_folder_or_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.dcm"):
        with pytest.raises(ObjectSkipped) as caught:
            read_header(path)
        assert caught.value.code == "file-unreadable"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file-empty"),
        (b"no DICOM at all, but a text of some length\n" * 20, "not-dicom"),
        (bytes(range(256)) * 4, "not-dicom"),
        (b"\0" * 128 + b"DICM", "not-dicom"),
    ],
)
def test_what_is_named_as_dicom_but_is_none_is_said_to_be_none(
    content: bytes, code: str, tmp_path: Path
) -> None:
    (tmp_path / "a.dcm").write_bytes(content)
    assert outcome(tmp_path / "a.dcm") == code


def test_encrypted_attributes_are_noticed_behind_all_markers(tmp_path: Path) -> None:
    made = marked_object(EncryptedAttributesSequence=[])
    header = read_header(write(made, tmp_path / "a.dcm"))
    assert instance_of(header)[0].facts.encrypted
    plain = read_header(write(marked_object(), tmp_path / "b.dcm"))
    assert not instance_of(plain)[0].facts.encrypted


def test_reading_logs_no_value(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = marked_object(SpecificCharacterSet="ISO_IR 192")
    made.add(element("PatientName", "PN", "Ä"))
    data = encode(made, ExplicitVRLittleEndian).replace(b"ISO_IR 192", b"SECRET SET")
    # The File Meta repeats the SOP Instance UID, which a tool may have forgotten to replace there.
    data = data.replace(f"{STUDY}.1.1".encode(), b"1.2.SECRET.11", 1)
    (tmp_path / "a.dcm").write_bytes(data)
    caplog.clear()
    assert outcome(tmp_path / "a.dcm") == "object with ('MODIFIED',)"
    assert "SECRET" not in caplog.text
