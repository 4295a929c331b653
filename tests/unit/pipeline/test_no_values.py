"""A value of an attribute shows in no error, report, progress, journal or file name (D9)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydicom.datadict import dictionary_VR
from pydicom.uid import ImplicitVRLittleEndian

from deidfhir.model.attributes import attributes
from tests.synthetic.dicomjson import json_object, write_json
from tests.synthetic.objects import (
    element,
    encode,
    equipment,
    instance,
    item,
    sop_uid,
    study_uid,
    write,
)

if TYPE_CHECKING:
    from pydicom import Dataset

    from tests.conftest import Cli, Ran

MARK = "PLANTED"
TEXT_VRS = {"CS", "SH", "LO", "ST", "LT", "UT", "PN", "UC", "UR", "DA", "TM", "DT", "IS", "DS"}
UIDS = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"}
BEYOND = ("PatientName", "AccessionNumber", "ReferringPhysicianName", "InstitutionName", "StudyID")


def planted(state: str, **more: object) -> Dataset:
    """Make an object with a value of its own in every attribute that is read, and in others."""
    made = instance(1, PatientIdentityRemoved=state)
    own = {one.keyword for one in attributes("object").values() if one.vr in TEXT_VRS}
    for keyword in sorted({*own, *BEYOND} - {"PatientIdentityRemoved", "SpecificCharacterSet"}):
        _plant(made, keyword, f"{MARK}{keyword}"[:16])
    made.DeidentificationMethodCodeSequence = [_filled("code item")]
    made.ContributingEquipmentSequence = [_equipment()]
    for keyword, value in more.items():
        _plant(made, keyword, value)
    return made


def _plant(dataset: Dataset, keyword: str, value: object) -> None:
    vr = dictionary_VR(keyword)
    # pydicom makes numbers of IS at once; a text VR carries what is no number.
    dataset.add(element(keyword, "LO" if vr in ("IS", "DS") else vr, value))


def _filled(within: str) -> Dataset:
    """Make an item with a planted value in each of its text attributes."""
    made = item()
    for one in attributes(within).values():
        if one.vr in TEXT_VRS:
            _plant(made, one.keyword, f"{MARK}{one.keyword}"[:16])
    return made


def _equipment() -> Dataset:
    made = equipment()
    made.update(_filled("equipment item"))
    return made


def assert_nothing_shows(run: Ran, place: Path) -> None:
    """Assert that no planted value is in what was said, nor in the journals."""
    assert MARK not in run.err
    assert "Traceback" not in run.err
    assert MARK not in run.out
    for file in (place / "home").rglob("*"):
        assert MARK.encode() not in file.name.encode()
        assert not file.is_file() or MARK.encode() not in file.read_bytes()


STATES = {"refused": "NO", "unknown": MARK, "accepted": "YES"}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize(
    "command", [("sync", "--json"), ("sync",), ("verify", "--json"), ("verify",)]
)
@pytest.mark.parametrize("accept", ["removed", "all"])
def test_a_report_holds_no_value_of_an_object(
    cli: Cli, tmp_path: Path, state: str, command: tuple[str, ...], accept: str
) -> None:
    write(planted(state), tmp_path / "in" / "1.dcm")
    run = cli(*command, tmp_path / "in", "--to", tmp_path / "out", "--accept", accept)
    assert run.code in (0, 3)
    assert_nothing_shows(run, tmp_path)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
def test_map_says_no_value_beside_its_bundles(cli: Cli, tmp_path: Path, state: str) -> None:
    run = cli("map", write(planted(state), tmp_path / "1.dcm"))
    assert MARK not in run.err
    assert (MARK in run.out) is (state == "YES")


@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
def test_an_object_that_is_cut_anywhere_shows_no_value(
    cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture, syntax: str
) -> None:
    caplog.set_level(logging.DEBUG)
    whole = encode(
        planted("YES"), ImplicitVRLittleEndian if syntax == "implicit" else "1.2.840.10008.1.2.1"
    )
    for end in range(132, len(whole), 61):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{end}.dcm").write_bytes(whole[:end])
    for arguments in (("sync", "--to", tmp_path / "out", "--json"), ("map",)):
        run = cli(arguments[0], tmp_path / "in", *arguments[1:])
        assert run.code == 3
        assert_nothing_shows(run if arguments[0] == "sync" else _without_output(run), tmp_path)
    assert MARK not in caplog.text


def _without_output(run: Ran) -> Ran:
    return type(run)(run.code, "", run.err)


RULES = [
    {"StudyInstanceUID": MARK},
    {"SeriesInstanceUID": MARK},
    {"SOPInstanceUID": MARK},
    {"StudyInstanceUID": ""},
    {"SOPClassUID": MARK},
    {"Modality": MARK},
    {"SeriesNumber": MARK},
    {"StudyDate": MARK},
]


@pytest.mark.parametrize("form", ["dcm", "json"])
def test_objects_that_break_a_rule_show_no_value_even_in_a_process_of_its_own(
    process: Cli, tmp_path: Path, form: str
) -> None:
    (tmp_path / "in").mkdir()
    for number, more in enumerate(RULES, start=1):
        own = {"StudyInstanceUID": study_uid(number), "SOPInstanceUID": sop_uid(number)}
        made = planted("YES", **{**own, **more})
        if form == "dcm":
            write(made, tmp_path / "in" / f"{number}.dcm")
        else:
            write_json(json_object(made), tmp_path / "in" / f"{number}.json")
    run = process("sync", tmp_path / "in", "--to", tmp_path / "out", "--json")
    assert (run.code, run.report["skipped"], run.report["studies"]) == (3, 4, 4)
    assert_nothing_shows(run, tmp_path)


def test_two_objects_that_contradict_each_other_show_no_value(cli: Cli, tmp_path: Path) -> None:
    write(planted("YES"), tmp_path / "in" / "1.dcm")
    write(planted("YES", DeidentificationMethod=f"{MARK}other"), tmp_path / "in" / "2.dcm")
    run = cli("sync", tmp_path / "in", "--to", tmp_path / "out", "--json")
    assert (run.code, run.report["refused"]) == (3, 1)
    assert_nothing_shows(run, tmp_path)


@pytest.mark.parametrize("name", ["show", "sync"])
def test_a_refused_study_is_named_by_its_path_and_not_by_its_uid(
    cli: Cli, tmp_path: Path, name: str
) -> None:
    path = write(instance(4711, PatientIdentityRemoved="NO"), tmp_path / "in" / "1.dcm")
    to = ("--to", tmp_path / "out") if name == "sync" else ()
    for how in ((), ("--json",)):
        run = cli(name, tmp_path / "in", *to, *how)
        assert str(path) in run.out
        assert "4711" not in run.out + run.err
    for file in (tmp_path / "home").rglob("*"):
        assert not file.is_file() or b".4711" not in file.read_bytes()


def test_show_of_a_refused_object_shows_its_markers_alone(cli: Cli, tmp_path: Path) -> None:
    path = write(planted("NO"), tmp_path / "1.dcm")
    shown = cli("show", path).out + cli("show", path, "--json").out
    for keyword in (*BEYOND, "PatientID", "StudyDescription", "StudyDate", "OperatorsName"):
        assert f"{MARK}{keyword}"[:16] not in shown
    assert f"{MARK}DeidentificationMethod"[:16] in shown


def test_explain_shows_only_what_leaves(cli: Cli, tmp_path: Path) -> None:
    path = write(planted("NO"), tmp_path / "1.dcm")
    shown = cli("explain", path).out + cli("explain", path, "--json").out
    for keyword in (*BEYOND, "PatientID", "StudyDescription", "StudyDate", "OperatorsName"):
        assert f"{MARK}{keyword}"[:16] not in shown


def test_the_test_plants_something_everywhere() -> None:
    made = planted("YES")
    text = str(made)
    assert text.count(MARK) > 40
    assert {one.keyword for one in made} >= UIDS
