"""An attribute that holds a text by the standard and items in the file: damaged, never read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from deidfhir import DeidFhirError, map_dataset
from tests.synthetic.objects import code, element, equipment, instance, item, put, write

if TYPE_CHECKING:
    from tests.conftest import Cli

ITEM = item(PatientName="LEAKED^NAME", PatientBirthDate="19610203")
TEXTS = (
    *("DeidentificationMethod", "PatientIdentityRemoved", "BurnedInAnnotation", "PatientID"),
    *("RecognizableVisualFeatures", "LongitudinalTemporalInformationModified"),
    *("StudyInstanceUID", "StudyDescription", "Modality"),
)
# An item with its tag and length, as it stands in the file.
BYTES = b"\xfe\xff\x00\xe0\x18\x00\x00\x00\x10\x00\x10\x00\x10\x00\x00\x00LEAKED^NAME^1234"


def with_items(keyword: str) -> Dataset:
    made = put(instance(1, PatientIdentityRemoved="YES"), **{keyword: None})
    made.add(element(keyword, "SQ", [ITEM]))
    return made


@pytest.mark.parametrize("undefined", [False, True], ids=["length", "undefined length"])
@pytest.mark.parametrize("keyword", TEXTS)
def test_a_sequence_in_the_place_of_a_text_makes_the_object_damaged(
    cli: Cli, tmp_path: Path, keyword: str, *, undefined: bool
) -> None:
    path = write(
        with_items(keyword), tmp_path / "1.dcm", ExplicitVRLittleEndian, undefined_length=undefined
    )
    run = cli("map", path, "--accept", "all")
    assert (run.code, run.out) == (3, "")
    assert "LEAKED" not in run.err + cli("show", path).out


@pytest.mark.parametrize("vr", ["UN", "OB", "LO"])
@pytest.mark.parametrize("keyword", ["DeidentificationMethod", "PatientID", "BurnedInAnnotation"])
def test_the_bytes_of_an_item_in_the_place_of_a_text_do_too(
    cli: Cli, tmp_path: Path, keyword: str, vr: str
) -> None:
    made = put(instance(1, PatientIdentityRemoved="YES"), **{keyword: None})
    made.add(element(keyword, "OB", BYTES))
    path = write(made, tmp_path / "1.dcm")
    content = path.read_bytes()
    tag = made[keyword].tag
    head = tag.group.to_bytes(2, "little") + tag.elem.to_bytes(2, "little")
    written = head + b"OB\0\0" + len(BYTES).to_bytes(4, "little")
    assert content.count(written) == 1
    other = written.replace(b"OB", vr.encode())
    if vr == "LO":
        other = head + b"LO" + len(BYTES).to_bytes(2, "little")
    path.write_bytes(content.replace(written, other))
    run = cli("map", path, "--accept", "all")
    assert (run.code, run.out) == (3, "")


def nested(keyword: str) -> list[Dataset]:
    """Return data sets in which an item's text holds items."""
    broken = element(keyword, "SQ", [ITEM])
    one = code("113100")
    one.add(broken)
    two = equipment()
    two.add(broken)
    stated = "YES"
    return [
        instance(1, PatientIdentityRemoved=stated, DeidentificationMethodCodeSequence=[one]),
        instance(1, PatientIdentityRemoved=stated, ContributingEquipmentSequence=[two]),
    ]


@pytest.mark.parametrize("keyword", ["CodeMeaning", "Manufacturer", "ContributionDescription"])
def test_so_it_does_inside_of_items_and_in_data_sets(keyword: str) -> None:
    for made in nested(keyword):
        try:
            text = json.dumps(map_dataset(made).bundle())
        except DeidFhirError as error:
            text = str(error)
        assert "LEAKED" not in text


@pytest.mark.parametrize("keyword", TEXTS)
def test_so_it_does_in_a_data_set_that_was_made(keyword: str) -> None:
    with pytest.raises(DeidFhirError) as raised:
        map_dataset(with_items(keyword), accept="all")
    assert raised.value.code == "damaged"
