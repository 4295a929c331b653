"""`reverse`: DICOM JSON from files and standard input; what cannot be read back is told."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.api.objects import (
    datasets_of,
    studies_from_datasets,
    studies_from_json,
    studies_from_paths,
)
from deidfhir.model.record import Markers
from tests.synthetic.objects import equipment, instance, write
from tests.synthetic.vocabulary import TCIA_TEXT

if TYPE_CHECKING:
    from tests.conftest import Cli


@pytest.fixture
def bundles(cli: Cli, tmp_path: Path) -> Path:
    """Map two studies, one of them with a withheld station name, into a file."""
    first = instance(
        1,
        PatientIdentityRemoved="YES",
        DeidentificationMethod=(TCIA_TEXT, "two"),
        ContributingEquipmentSequence=[equipment(Manufacturer="maker", StationName="station")],
    )
    write(first, tmp_path / "in" / "1.dcm")
    write(instance(2, PatientIdentityRemoved="YES"), tmp_path / "in" / "2.dcm")
    out = tmp_path / "bundles.ndjson"
    out.write_text(cli("map", tmp_path / "in").out, encoding="utf-8")
    return out


def given(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Put bytes on standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


def markers(objects: list[dict[str, Any]]) -> dict[str, Markers]:
    return {
        one.sop_instance_uid: one.markers
        for study in studies_from_json(objects)
        for one in study.instances
    }


def test_the_objects_come_back_one_a_line(cli: Cli, bundles: Path, tmp_path: Path) -> None:
    run = cli("reverse", bundles)
    assert run.code == 0
    given = {
        one.sop_instance_uid: one
        for study in studies_from_paths([tmp_path / "in"])
        for one in study.instances
    }
    found = markers(run.lines)
    assert set(found) == set(given)
    for uid, one in found.items():
        assert one.method == given[uid].markers.method
        assert one.patient_identity_removed == ("YES",)


def test_from_python_they_come_back_as_data_sets(cli: Cli, bundles: Path) -> None:
    lines = [json.loads(line) for line in bundles.read_text(encoding="utf-8").splitlines()]
    found = {one.SOPInstanceUID: one for one in datasets_of(lines)}
    assert len(found) == 2
    written = markers(cli("reverse", bundles).lines)
    for study in studies_from_datasets(found.values()):
        for one in study.instances:
            assert one.markers == written[one.sop_instance_uid]


def test_what_is_withheld_is_left_out_and_counted(cli: Cli, bundles: Path) -> None:
    run = cli("reverse", bundles)
    assert "station" not in run.out
    assert run.err == (
        "deidfhir: 2 studies, 2 objects\ndeidfhir: 1 elements are marked as withheld and left out\n"
    )


def test_standard_input_gives_the_same(
    cli: Cli, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = cli("reverse", bundles).out
    text = "\ufeff" + bundles.read_text(encoding="utf-8").replace("\n", "\r\n")
    given(monkeypatch, text.encode("utf-8"))
    assert cli("reverse", "-").out == expected


def test_a_line_in_another_encoding_is_told_and_the_others_come_back(
    cli: Cli, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = cli("reverse", bundles).lines
    first, second = bundles.read_bytes().splitlines()
    latin = b'{"resourceType": "ImagingStudy", "description": "caf\xe9"}'
    bundles.write_bytes(b"\n".join([first, latin, second]))
    given(monkeypatch, bundles.read_bytes())
    for source in (bundles, "-"):
        run = cli("reverse", source)
        assert (run.code, run.lines) == (3, expected)
        assert "deidfhir: line 2 cannot be read back, which is left out" in run.err


def test_one_document_over_several_lines_is_read_too(
    cli: Cli, bundles: Path, tmp_path: Path
) -> None:
    first = bundles.read_text(encoding="utf-8").splitlines()[0]
    document = tmp_path / "one.json"
    document.write_text("\n\n" + json.dumps(json.loads(first), indent=2), encoding="utf-8")
    run = cli("reverse", document)
    assert (run.code, run.lines) == (0, cli("reverse", bundles).lines[:1])


@pytest.mark.parametrize("broken", ["{", '{"resourceType": "Bundle", "entry": [', "x", "[1]"])
def test_a_broken_first_line_does_not_take_the_others_with_it(
    cli: Cli, bundles: Path, broken: str
) -> None:
    expected = cli("reverse", bundles).lines
    bundles.write_text(f"{broken}\n{bundles.read_text(encoding='utf-8')}", encoding="utf-8")
    run = cli("reverse", bundles)
    assert (run.code, run.lines) == (3, expected)
    assert "line 1 cannot be read back" in run.err


@pytest.mark.parametrize(
    "broken",
    [
        "no json",
        "7",
        "[]",
        '{"resourceType": "ImagingStudy", "series": 7}',
        '{"resourceType": "Bundle", "entry": [{"resource": {"id": "x"}}]}',
        '{"resourceType": "Bundle", "entry": "abc"}',
        '{"resourceType": "Bundle", "entry": [null]}',
        '{"resourceType": "Parameters", "parameter": []}',
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_fhir_is_told_by_number_and_the_rest_comes_back(
    cli: Cli, bundles: Path, broken: str
) -> None:
    lines = bundles.read_text(encoding="utf-8").splitlines()
    bundles.write_text("\n".join([lines[0], broken, lines[1]]), encoding="utf-8")
    run = cli("reverse", bundles)
    assert (run.code, len(run.lines)) == (3, 2)
    assert "line 2 cannot be read back" in run.err


def changed(bundles: Path, change: Callable[[dict[str, Any]], object]) -> list[dict[str, Any]]:
    """Change the first study's ImagingStudy, and return what the lines then hold."""
    lines = [json.loads(line) for line in bundles.read_text(encoding="utf-8").splitlines()]
    every = [entry["resource"] for entry in lines[0]["entry"]]
    change(next(one for one in every if one["resourceType"] == "ImagingStudy"))
    bundles.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return lines


def test_of_a_bundle_only_the_broken_resource_is_left_out(cli: Cli, bundles: Path) -> None:
    expected = cli("reverse", bundles).lines
    lines = [json.loads(line) for line in bundles.read_text(encoding="utf-8").splitlines()]
    entries = [None, {"resource": {"id": "x"}}, *(entry for one in lines for entry in one["entry"])]
    inner = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    outer = {"resourceType": "Bundle", "type": "batch-response", "entry": [{"resource": inner}]}
    bundles.write_text(json.dumps(outer), encoding="utf-8")
    run = cli("reverse", bundles)
    assert (run.code, run.lines) == (3, expected)
    assert "line 1 cannot be read back at entry[0].resource.entry[0], which" in run.err


def test_of_a_study_only_the_broken_instance_is_left_out(cli: Cli, bundles: Path) -> None:
    expected = cli("reverse", bundles).lines
    changed(bundles, lambda r: r["series"][0]["instance"].insert(0, {"uid": 7}))
    run = cli("reverse", bundles)
    assert (run.code, run.lines) == (3, expected)
    assert re.search(
        r"line 1 cannot be read back at entry\[\d\]\.resource\.series\[0\]\.instance\[0\],", run.err
    )


def test_markers_without_a_verdict_are_not_silent(cli: Cli, bundles: Path) -> None:
    expected = cli("reverse", bundles).lines
    changed(bundles, lambda r: r["extension"][0]["extension"].pop(0))
    run = cli("reverse", bundles)
    assert (run.code, run.lines) == (0, expected)


def test_codes_in_codes_without_end_are_told(cli: Cli, bundles: Path) -> None:
    inner: dict[str, Any] = {"url": "equivalentCode", "extension": []}
    slot = {"url": "methodCode", "extension": [{"url": "item", "valuePositiveInt": 1}, inner]}
    for _ in range(200):
        inner["extension"] = [{"url": "item", "valuePositiveInt": 1}, {"url": "equivalentCode"}]
        inner = inner["extension"][1]
    changed(bundles, lambda r: r["extension"][0]["extension"].append(slot))
    run = cli("reverse", bundles)
    assert (run.code, len(run.lines)) == (3, 1)
    assert "line 1 cannot be read back" in run.err


def test_a_statement_of_unknown_form_gives_nothing_and_no_traceback(
    cli: Cli, bundles: Path
) -> None:
    text = bundles.read_text(encoding="utf-8").replace('"valueCode":"removed"', '"valueCode":"no"')
    assert '"no"' in text
    bundles.write_text(text, encoding="utf-8")
    run = cli("reverse", bundles)
    assert (run.code, run.out) == (3, "")
    assert "Traceback" not in run.err


def test_someone_elses_study_states_nothing(cli: Cli, tmp_path: Path) -> None:
    study = {
        "resourceType": "ImagingStudy",
        "series": [{"uid": "1.2", "instance": [{"uid": "1.2.3"}]}],
    }
    (tmp_path / "other.ndjson").write_text(json.dumps(study), encoding="utf-8")
    run = cli("reverse", tmp_path / "other.ndjson")
    assert (run.code, run.out) == (0, "")
    assert "1 instances state nothing" in run.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("-", "--from", "http://127.0.0.1:9/fhir"),
        ("-", "--study", "1.2"),
        ("--from", "folder"),
        ("--from", "ftp://127.0.0.1/fhir"),
        ("--from", "http://127.0.0.1:9/fhir", "--study", ""),
        ("--from", "http://127.0.0.1:9/fhir", "--study", "x y"),
    ],
)
def test_one_source_is_wanted(cli: Cli, arguments: tuple[str, ...]) -> None:
    run = cli("reverse", *arguments)
    assert (run.code, run.err.count("\n")) == (2, 1)


def test_a_file_that_cannot_be_read_is_told(cli: Cli, tmp_path: Path) -> None:
    for name in ("", "nowhere"):
        run = cli("reverse", tmp_path / name)
        assert (run.code, run.out) == (2, "")
        assert run.err == (f"deidfhir: no such file, or it cannot be read: {tmp_path / name}\n")


def test_a_server_that_is_down_is_tried_later(cli: Cli) -> None:
    run = cli("reverse", "--from", "http://127.0.0.1:9/fhir", "--timeout", "0.5")
    assert (run.code, run.out) == (5, "")
