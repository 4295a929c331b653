"""The scan gives just what pydicom gives, or leaves the file to it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from struct import pack

import pydicom.data
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.fallback import header_by_pydicom
from deidfhir.dicom.scan import header
from deidfhir.dicom.scan.header import header_of
from deidfhir.dicom.scan.heads import (
    ITEM,
    ITEM_END,
    LONG_VRS,
    SEQUENCE_END,
    SHORT_VRS,
    UNDEFINED,
)
from deidfhir.dicom.scan.memory import Memory
from deidfhir.dicom.scan.prefix import opened
from deidfhir.dicom.scan.signs import OddError, ShortError
from tests.conftest import REAL
from tests.synthetic.objects import element, encode, put, write, write_bytes
from tests.synthetic.studies import pixelmed_with_equipment
from tools.bench_corpus import make

from .files import marked_object, starts

SHIPPED = Path(pydicom.data.__file__).parent
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
WHOLE = {str(one): encode(next(pixelmed_with_equipment()), one) for one in SYNTAXES}
OTHERS = {
    str(one): [
        encode(put(made, SOPInstanceUID=f"1.2.{number}", InstanceNumber=str(number)), one)
        for number, made in enumerate(pixelmed_with_equipment(), 8)
    ]
    for one in SYNTAXES
}
MANY = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def expected(path: Path) -> Header | str:
    """Return what pydicom gives, or why it gives nothing."""
    try:
        return header_by_pydicom(path)
    except ObjectSkipped as skip:
        return skip.code


def scan(data: bytes) -> Header | None:
    """Return what the scan gives of a whole file, or None where it leaves it to pydicom."""
    try:
        return header_of(data, whole=True)
    except (OddError, ShortError):
        return None


def remember(syntax: str) -> None:
    """Let the scan know neighbours of a file, so that the next one is compared with them."""
    header._MEMORY = Memory()
    for data in (*OTHERS[syntax], WHOLE[syntax]):
        assert scan(data) is not None
    assert header._MEMORY.read(WHOLE[syntax]) is not None


def agree(path: Path) -> bool:
    """Assert that the scan gives what pydicom gives, to the order of the elements, or nothing.

    Returns:
        Whether it gives something.
    """
    found, wanted = opened(str(path)).header, expected(path)
    if found is None:
        return False
    assert found == wanted, path.name
    assert isinstance(wanted, Header)
    assert list(found.elements) == list(wanted.elements)
    return True


def files(*folders: Path) -> Iterator[Path]:
    """Yield the files below some folders."""
    for folder in folders:
        yield from sorted(one for one in folder.rglob("*") if one.is_file())


def test_every_real_file_and_every_one_that_pydicom_ships_is_read_alike() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scans = [agree(path) for path in files(REAL, SHIPPED)]
    # What is left to pydicom: big endian, no preamble, markers of other VRs, what is no image.
    assert sum(scans) > 0.75 * len(scans)


@pytest.mark.parametrize("syntax", [*SYNTAXES, JPEG2000Lossless, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize("delimited", [False, True])
def test_the_usual_transfer_syntaxes_are_scanned(
    syntax: str, *, delimited: bool, tmp_path: Path
) -> None:
    made = marked_object()
    made.add(element(0x7FE00010, "OB", bytes(200_000)))
    path = write(made, tmp_path / "a.dcm", syntax, undefined_length=delimited)
    assert agree(path)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("delimited", [False, True])
def test_a_prefix_that_is_short_never_hides_an_attribute(syntax: str, *, delimited: bool) -> None:
    made = marked_object()
    made.add(element(0x7FE00010, "OB", bytes(100)))
    data = encode(made, syntax, undefined_length=delimited)
    whole = scan(data)
    assert whole is not None
    for length in range(132, len(data)):
        try:
            assert header_of(data[:length], whole=False) == whole
        except ShortError:
            continue


def test_a_long_private_element_before_the_markers_is_read_over(tmp_path: Path) -> None:
    for size in (20_000, 200_000, 2_000_000):
        made = marked_object()
        made.add(element(0x00090010, "LO", b"PRIVATE "))
        made.add(element(0x00091001, "OB", bytes(size)))
        made.add(element(0x7FE00010, "OB", bytes(100)))
        path = write(made, tmp_path / f"{size}.dcm", ExplicitVRLittleEndian)
        assert agree(path) is (size < 1_000_000)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_file_cut_anywhere_is_read_alike(syntax: str, tmp_path: Path) -> None:
    data, path = WHOLE[str(syntax)], tmp_path / "cut.dcm"
    for length in range(132, len(data), 5):
        path.write_bytes(data[:length])
        remember(str(syntax))
        agree(path)


@pytest.mark.parametrize("syntax", SYNTAXES)
@MANY
@given(data=st.data())
def test_changed_bytes_are_read_alike(data: st.DataObject, syntax: str, tmp_path: Path) -> None:
    content, path = bytearray(WHOLE[str(syntax)]), tmp_path / "a.dcm"
    changes = st.tuples(st.integers(132, len(content) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(changes, min_size=1, max_size=3)):
        content[place] = value
    path.write_bytes(bytes(content))
    remember(str(syntax))
    agree(path)
    agree(path)


@pytest.mark.parametrize("syntax", SYNTAXES)
@MANY
@given(cut=st.tuples(*[st.integers(132, 4000)] * 3))
def test_moved_and_missing_bytes_are_read_alike(
    cut: tuple[int, int, int], syntax: str, tmp_path: Path
) -> None:
    content, path = WHOLE[str(syntax)], tmp_path / "a.dcm"
    first, second, third = sorted(cut)
    path.write_bytes(content[:first] + content[second:third] + content[first:second])
    remember(str(syntax))
    agree(path)
    path.write_bytes(content[:first] + content[second:])
    agree(path)


def test_what_is_compared_with_its_neighbour_is_read_as_if_it_stood_alone(tmp_path: Path) -> None:
    make(tmp_path, 1, pixels=64)
    paths = files(tmp_path)
    compared = [opened(str(path)).header for path in paths]
    for path, found in zip(files(tmp_path), compared, strict=True):
        alone = Memory()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("deidfhir.dicom.scan.header._MEMORY", alone)
            assert opened(str(path)).header == found == header_by_pydicom(path)


def test_after_many_files_that_are_not_alike_those_that_are_alike_are_compared_again() -> None:
    memory = header._MEMORY = Memory()
    for number in range(40):
        made = put(marked_object(), SpecificCharacterSet=("ISO_IR 100", "ISO_IR 192")[number % 2])
        assert scan(encode(made, ExplicitVRLittleEndian)) is not None
    alike = [
        encode(put(marked_object(), SOPInstanceUID=f"1.2.{one}"), SYNTAXES[0]) for one in range(199)
    ]
    compared = [memory.read(data) is not None or scan(data) is None for data in alike]
    assert sum(compared) > len(alike) / 2


@pytest.mark.parametrize("several", [5, 6, 7])
def test_files_of_several_series_among_each_other_are_compared_with_those_of_their_own(
    several: int,
) -> None:
    memory = header._MEMORY = Memory()
    compared = 0
    for number in range(120):
        series = number * 11 % several
        made = put(
            marked_object(), SOPInstanceUID=f"1.2.{number}", Modality=("CT", "MR")[series % 2]
        )
        put(made, SeriesInstanceUID=f"1.3.{series}", SeriesDescription=f"series {series}")
        data = encode(made, SYNTAXES[series % len(SYNTAXES)])
        compared += memory.read(data) is not None
        assert scan(data) is not None
    assert compared > 80


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_another_transfer_syntax_or_character_set_is_never_taken_for_the_one_before(
    syntax: str, tmp_path: Path
) -> None:
    for number, charset in enumerate(("ISO_IR 100", "ISO_IR 192", "ISO_IR 100", "ISO_IR 192")):
        for other in (syntax, *SYNTAXES):
            made = put(marked_object(), SpecificCharacterSet=charset)
            put(made, SOPInstanceUID=f"1.2.{number}", StudyDescription="Kopf \u00e4")
            path = write(made, tmp_path / "a.dcm", other)
            assert agree(path)


def file_of(*elements: tuple[int, bytes, bytes]) -> bytes:
    """Return a file of elements as they are given: tag, VR, value."""
    found = bytes(128) + b"DICM"
    for tag, vr, value in elements:
        long = vr in LONG_VRS
        length = len(value).to_bytes(4 if long else 2, "little")
        found += pack("<HH2s", tag >> 16, tag & 0xFFFF, vr) + bytes(2 * long) + length + value
    return found


EXPLICIT = (0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")
VERSION = (0x00020013, b"SH", b"TOOL")
IMAGE = ((0x00080018, b"UI", b"1.2.3\0"), (0x00120062, b"CS", b"YES "))


@pytest.mark.parametrize(
    "meta",
    [
        ((0x00020000, b"UV", bytes(4)), EXPLICIT),
        ((0x00020000, b"FD", bytes(4)), EXPLICIT),
        ((0x00020002, b"US", b"1"), EXPLICIT),
        ((0x00020000, b"UL", bytes(4)), (0x00020010, b"FL", EXPLICIT[2] + b"\0\0")),
    ],
)
def test_file_meta_that_pydicom_cannot_decode_is_left_to_it(
    meta: tuple[tuple[int, bytes, bytes], ...], tmp_path: Path
) -> None:
    path = write_bytes(file_of(*meta, *IMAGE), tmp_path / "a.dcm")
    assert expected(path) == "not-dicom"
    for value in (b"1.2.4\0", b"1.2.5\0", b"1.2.6\0"):
        first = (meta[0][0], b"UL" if meta[0][0] == 0x00020000 else b"UI", b"1234")
        scan(file_of(first, EXPLICIT, (0x00080018, b"UI", value), *IMAGE[1:]))
    assert not agree(path)


def test_file_meta_that_goes_on_after_a_neighbour_without_data_set_is_read_to_its_end(
    tmp_path: Path,
) -> None:
    path = write_bytes(file_of(EXPLICIT, VERSION, *IMAGE), tmp_path / "a.dcm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deidfhir.dicom.scan.header._MEMORY", Memory())
        for _ in range(2):
            assert scan(file_of(EXPLICIT, (0x7FE00010, b"OB", b"00"))) is None
        assert agree(path)


def implicit_of(*elements: tuple[int, bytes]) -> bytes:
    """Return elements without VR; those without a value have none, as delimiters do."""
    found = b""
    for tag, value in elements:
        delimits = tag in (ITEM_END, SEQUENCE_END)
        length = len(value) if value or delimits else UNDEFINED
        found += pack("<HHI", tag >> 16, tag & 0xFFFF, length) + value
    return found


def test_what_is_no_sequence_but_looks_like_a_nested_one_is_left_to_pydicom(tmp_path: Path) -> None:
    ends = ((ITEM_END, b""), (SEQUENCE_END, b""))
    nested = ((ITEM, b""), (0x0040A170, b""), (ITEM, b""), *ends, *ends)
    image = ((0x00080018, b"1.2.3\0"), (0x00120062, b"YES "))
    equipment = ((0x0018A001, b""), (ITEM, b""))
    for number, (elements, is_scanned) in enumerate(
        [
            ((*image, (0x00181199, b""), *nested), False),  # unknown
            ((*image, (0x0018A002, b""), *nested), False),  # Contribution Date Time
            ((*image, *equipment, (0x0018A002, b""), *nested, *ends), False),
            ((*image, (0x0018A002, b""), (ITEM, b""), *ends), True),
        ]
    ):
        meta = file_of((0x00020010, b"UI", b"1.2.840.10008.1.2\0"))
        path = write_bytes(meta + implicit_of(*elements), tmp_path / f"{number}.dcm")
        assert agree(path) is is_scanned


def test_a_file_system_that_gives_less_than_was_asked_for_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = marked_object()
    path = write(made, tmp_path / "a.dcm", ExplicitVRLittleEndian)
    cut = starts(made, path.read_bytes(), ExplicitVRLittleEndian)[0x00280301]
    whole, read = opened(str(path)).header, os.read
    # The first read ends just between two elements.
    monkeypatch.setattr(os, "read", lambda descriptor, size: read(descriptor, min(size, cut)))
    assert opened(str(path)).header == whole
    assert whole is not None
    assert "BurnedInAnnotation" in whole.elements


def test_the_vrs_and_transfer_syntaxes_of_the_scan_are_those_that_pydicom_knows() -> None:
    standard = {one.value.encode() for one in STANDARD_VR}
    assert standard == SHORT_VRS | LONG_VRS
    assert {one.value.encode() for one in EXPLICIT_VR_LENGTH_32} == LONG_VRS
    assert header._IMPLICIT.decode() == ImplicitVRLittleEndian
    assert header._EXPLICIT.decode() == ExplicitVRLittleEndian
    assert header._DEFLATED.decode() == DeflatedExplicitVRLittleEndian
