"""Tool entries: ours, a site's, and what is wrong with an entry, by file, entry and key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.errors import UsageError
from deidfhir.model.record import NO_EVIDENCE, Markers
from deidfhir.recognition.recognise import recognise
from deidfhir.recognition.vocabulary import load_vocabulary
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli

ENTRY = """
[house]
name = "House tool"
source = ["the site's own script"]
[[house.rule]]
id = "version"
pattern = 'House (?P<version>[0-9.]+)'
"""


def site(folder: Path, text: str, name: str = "site.toml") -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def test_a_sites_entry_is_added_to_ours(tmp_path: Path) -> None:
    vocabulary = load_vocabulary(site(tmp_path / "tools", ENTRY))
    assert len(vocabulary.entries) == len(load_vocabulary().entries) + 1
    found = recognise(Markers(("YES",), ("House 7.1", "DICOGNITO")), NO_EVIDENCE, vocabulary)
    assert [(one.tool, one.version) for one in found.inferences] == [
        ("house", "7.1"),
        ("dicognito", ""),
    ]


def test_a_sites_entry_replaces_ours_of_the_same_id(tmp_path: Path) -> None:
    text = ENTRY.replace("house", "dicognito")
    vocabulary = load_vocabulary(site(tmp_path / "tools", text))
    assert vocabulary.entries["dicognito"].name == "House tool"
    found = recognise(Markers(("YES",), ("DICOGNITO",)), NO_EVIDENCE, vocabulary)
    assert found.unrecognised == (1,)


def test_files_that_are_no_toml_by_name_are_passed_over(tmp_path: Path) -> None:
    folder = site(tmp_path / "tools", ENTRY)
    site(tmp_path / "tools", "read me", "notes.txt")
    assert "house" in load_vocabulary(folder).entries


@pytest.mark.parametrize(
    ("text", "entry", "key"),
    [
        (ENTRY + "maker = 1\n", "house", "rule.maker"),
        (ENTRY.replace("name =", "nam ="), "house", "nam"),
        (ENTRY.replace('name = "House tool"\n', ""), "house", "name"),
        (ENTRY.replace('"House tool"', "7"), "house", "name"),
        (ENTRY.replace('"House tool"', '" "'), "house", "name"),
        (ENTRY.replace('["the site\'s own script"]', '"script"'), "house", "source"),
        (ENTRY.replace('["the site\'s own script"]', "[7]"), "house", "source"),
        (ENTRY.replace("source", "kind"), "house", "kind"),
        (ENTRY.replace("name =", 'kind = "wording"\nname ='), "house", "name"),
        (ENTRY.replace("[0-9.]+", "[0-9.+"), "house", "rule.pattern"),
        (ENTRY.replace("'House (?P<version>[0-9.]+)'", "'(?:House)?'"), "house", "rule.pattern"),
        (ENTRY.replace("<version>", "<build>"), "house", "rule.pattern"),
        (ENTRY + 'texts = ["House"]\n', "house", "rule.texts"),
        (ENTRY + "least = 2\n", "house", "rule.least"),
        (ENTRY + 'least = "2"\n', "house", "rule.least"),
        (ENTRY.replace('id = "version"', 'id = "Version 1"'), "house", "rule.id"),
        (ENTRY.replace('id = "version"\n', ""), "house", "rule.id"),
        (ENTRY + ENTRY.partition("[[")[2].join(["[[", ""]), "house", "rule.id"),
        (ENTRY.partition("[[")[0], "house", "rule"),
        (ENTRY.partition("[[")[0] + "rule = [7]\n", "house", "rule"),
        (ENTRY.replace("house", "House"), "House", "House"),
        ("house = 7\n", "house", "house"),
        (ENTRY.replace("source =", "private_creator = 7\nsource ="), "house", "private_creator"),
    ],
)
def test_a_fault_is_told_with_file_entry_and_key(
    tmp_path: Path, text: str, entry: str, key: str
) -> None:
    folder = site(tmp_path / "tools", text)
    with pytest.raises(UsageError) as fault:
        load_vocabulary(folder)
    assert fault.value.code == "tools-entry"
    told = str(fault.value)
    assert told.startswith(f"{Path(folder) / 'site.toml'}: entry {entry!r}, key {key!r}: ")
    assert "\n" not in told


def test_an_entry_that_stands_in_two_files_is_a_fault(tmp_path: Path) -> None:
    folder = site(tmp_path / "tools", ENTRY)
    site(tmp_path / "tools", ENTRY, "twice.toml")
    with pytest.raises(UsageError, match="stands in another file, too"):
        load_vocabulary(folder)


@pytest.mark.parametrize("content", [b"[house", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    with pytest.raises(UsageError) as fault:
        load_vocabulary(str(tmp_path))
    assert str(tmp_path / "bad.toml") in str(fault.value)


def test_the_option_names_a_folder_that_must_be_there(cli: Cli, tmp_path: Path) -> None:
    write(instance(1), tmp_path / "in" / "1.dcm")
    run = cli("show", tmp_path / "in", "--tools", tmp_path / "nowhere")
    assert run.code == 2
    assert run.err.count("\n") == 1
    assert str(tmp_path / "nowhere") in run.err


def test_the_option_and_the_setting_do_the_same(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = site(tmp_path / "tools", ENTRY)
    one = instance(1, PatientIdentityRemoved="YES", DeidentificationMethod="House 7.1")
    write(one, tmp_path / "in" / "1.dcm")
    plain = cli("show", tmp_path / "in", "--json").report["studies"][0]
    assert (plain["tools"], plain["unrecognised"]) == ([], ["House 7.1"])
    by_option = cli("show", tmp_path / "in", "--json", "--tools", folder).report
    monkeypatch.setenv("DEIDFHIR_TOOLS", folder)
    by_setting = cli("show", tmp_path / "in", "--json").report
    assert by_option == by_setting
    (tool,) = by_option["studies"][0]["tools"]
    assert (tool["tool"], tool["name"], tool["version"]) == ("house", "House tool", "7.1")
    assert by_option["studies"][0]["unrecognised"] == []
