"""Rivals are measured in environments of their own; what fails is a row that says why."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from tests.synthetic.objects import instance, write
from tools.bench_rivals import Row, Values, measured, told
from tools.rivals.home import AbsentError, Needs, interpreter, reason, settled
from tools.rivals.listed import RIVALS, STUDY, Rival
from tools.rivals.turns import delivered

READER = """
from fake_rival import values
def make(way, places):
    def read(path):
        print("what a library prints is no answer")
        if path.endswith("2.dcm"):
            raise ValueError(f"{path} | is odd")
        return values(way, [one["keyword"] for one in places["object"]])
    return read
"""
LIBRARY = """
def values(way, keywords):
    found = dict.fromkeys(keywords, None) | {"Modality": "CT", "PatientSex": "", "Rows": 4}
    if way == "items":
        found["ContributingEquipmentSequence"] = [{"Manufacturer": "A"}, {"Manufacturer": ""}]
    return found
"""
CONVERTER = """
import pathlib
def make():
    return lambda folder: len(list(pathlib.Path(folder).rglob("*.dcm"))) - 1
"""
ENDS = """
import os, sys
def make(way, places):
    read = []
    def count(path):
        read.append(path)
        if len(read) > 3:  # in the first turn that is timed
            sys.stderr.write("the bindings broke\\n")
            sys.stderr.flush()
            os._exit(7)
        return {}
    return count
"""
DOES_NOT_START = "import no_such_library"


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    made = [tmp_path / "corpus" / "1" / "1" / f"{number}.dcm" for number in (1, 2, 3)]
    for number, path in enumerate(made, 1):
        write(instance(1, 1, number), path)
    return [str(path) for path in made]


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry without a network: a folder with one wheel."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    about = "fake_rival-1.0.dist-info"
    files = {
        "fake_rival.py": LIBRARY,
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: fake-rival\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{name},{_hash(text)},{len(text)}" for name, text in files.items()]
    files[f"{about}/RECORD"] = "\n".join([*record, f"{about}/RECORD,,"])
    with zipfile.ZipFile(folder / "fake_rival-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _rival(folder: Path, source: str, way: str, requirement: str) -> Rival:
    script = folder / f"{hashlib.sha256(source.encode()).hexdigest()[:8]}.py"
    script.write_text(source)
    needs = Needs(requirement.partition("=")[0], (requirement,))
    return Rival(script.stem, "1.0", needs, script, way, "most of it")


def test_rivals_are_installed_and_measured_and_what_fails_is_told(
    tmp_path: Path, paths: list[str], wheels: Path
) -> None:
    assert wheels.is_dir()
    rivals = [
        _rival(tmp_path, READER, "top", "fake-rival==1.0"),
        _rival(tmp_path, READER, "items", "fake-rival==1.0"),
        _rival(tmp_path, CONVERTER, STUDY, "fake-rival==1.0"),
        _rival(tmp_path, ENDS, "top", "fake-rival==1.0"),
        _rival(tmp_path, DOES_NOT_START, "top", "fake-rival==1.0"),
        _rival(tmp_path, READER, "top", "no-such-rival==1.0"),
    ]
    rows = measured(paths, tmp_path / "homes", 2, rivals)
    top, items, study, *others = rows
    assert [len(row.micro) for row in rows] == [2, 2, 2, 0, 0, 0]
    assert min(*top.micro, *top.ratios) > 0
    assert (top.read, top.failed, top.fault) == (2, 1, "ValueError: the file | is odd")
    assert (top.values, items.values) == (Values(1, 0), Values(1, 1))
    assert top.wanted.top > 5
    assert (study.read, study.failed, study.fault) == (2, 1, "left out without a word")
    ends, unstarted, absent = [row.reason for row in others]
    assert ends == "ended with status 7: the bindings broke"
    assert unstarted.startswith("ended with status 1: ModuleNotFoundError")
    assert absent.startswith("does not install: No matching distribution found for no-such")
    assert "| 1: ValueError: the file \\| is odd |" in told([top])[-1]


def test_an_environment_is_made_once_and_anew_when_it_no_longer_runs(tmp_path: Path) -> None:
    needs = Needs("bare", ())
    python = settled(needs, tmp_path)
    mark = python.parent / "mark"
    mark.touch()
    assert settled(needs, tmp_path) == python
    assert mark.exists()
    python.unlink()
    assert settled(needs, tmp_path) == python
    assert not mark.exists()


def test_a_version_of_python_that_is_not_here_is_a_reason() -> None:
    with pytest.raises(AbsentError, match=r"needs Python 9\.1 or newer, which is not here"):
        interpreter((9, 1))


def test_a_reason_is_the_last_error_and_names_no_host() -> None:
    said = "ERROR: first\nERROR: Pool(host='pip.example'): https://a.example/b failed\nhint\n"
    assert reason(said) == "Pool((the registry)): (the registry) failed"
    assert reason("") == "no reason given"


def test_what_is_delivered_is_counted_by_attribute_and_by_item() -> None:
    keywords = frozenset({"Modality", "ImageType", "PatientSex", "S", "T"})
    nested = [{"CodeValue": "1", "Meaning": "", "S": [{"CodeValue": ("2",)}]}]
    found = {"Modality": "CT", "ImageType": ["A", "B"], "PatientSex": (), "S": nested, "Rows": 1}
    assert delivered(found, keywords) == (2, 2)
    assert delivered({"T.0.CodeValue": "1", "T.0.Meaning": "", "U.0.X": "1"}, keywords) == (0, 1)


def test_the_tables_keep_readers_and_converters_apart() -> None:
    reader, *_, converter = RIVALS
    rows = [
        Row(reader, (30.0, 20.0, 40.0), (5.0, 4.0, 6.0), 7, 0, "", Values(22), Values(22, 22), "0"),
        Row(converter, reason="needs another"),
    ]
    lines = told(rows)
    assert lines[2].startswith(
        "| dicomsdl, top level | 0.109.4 (Python 0) | 30.0 (20.0) | 5 | 7 | 0 |"
    )
    assert "| 22 of 22 (0 of 22) | items of sequences" in lines[2]
    assert lines[3] == ""
    assert lines[-1] == "| pydcm | 0.5.0 | not measured |  |  |  |  | needs another |"


def test_each_rival_has_a_script_and_pins_the_version_that_it_names() -> None:
    for rival in RIVALS:
        assert rival.script.is_file(), rival.name
        assert rival.needs.requirements[0].endswith(f"=={rival.version}"), rival.name
