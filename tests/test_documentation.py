"""What the documents say is run, or held against the program."""

from __future__ import annotations

import re
import shlex
from contextlib import redirect_stdout
from dataclasses import fields
from pathlib import Path

import pytest

import deidfhir
from deidfhir.cli.main import main
from deidfhir.config import Settings
from tests.synthetic.samples import write_samples

REPO = Path(__file__).resolve().parent.parent
README = (REPO / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- run: (\w+) -->\n```\w+\n(.*?)```", re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(README) if found == kind]


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_samples(tmp_path / "samples")
    return tmp_path


def arguments_of(line: str) -> list[str]:
    command = line.removeprefix("$ ").split("#")[0].split(">")[0]
    words = shlex.split(command)
    assert words[0] == "deidfhir"
    return words[1:]


def ran(line: str) -> int:
    """Run a line of the README, with its redirection if it has one."""
    target = line.split("#", maxsplit=1)[0].partition(" > ")[2].strip()
    if not target:
        return main(arguments_of(line))
    with Path(target).open("w", encoding="utf-8") as stream, redirect_stdout(stream):
        return main(arguments_of(line))


@pytest.mark.usefixtures("samples")
def test_the_commands_of_the_readme_run() -> None:
    (block,) = blocks("samples")
    codes = {line: ran(line) for line in block.splitlines()}
    assert set(codes.values()) == {0}
    assert len(codes) == 9


@pytest.mark.usefixtures("samples")
def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), scope)  # noqa: S102 - that is the point
    printed = capsys.readouterr().out
    assert "0 {'created': " in printed
    assert "removed ('Per DICOM PS 3.15 AnnexE. Details in 0012,0064',)" in printed


def test_the_first_shell_block_of_the_readme_has_the_two_commands() -> None:
    match = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert match is not None
    assert [line.split("#")[0].strip() for line in match[1].splitlines()] == [
        "make demo",
        "make test",
    ]
    assert len(README.splitlines()) <= 250


def test_ci_calls_the_test_command_of_the_readme() -> None:
    lines = (REPO / ".ci" / "run").read_text().splitlines()
    assert lines[-1] == "make test"


def test_every_setting_stands_in_the_readme() -> None:
    missing = [one.name for one in fields(Settings) if f"| `{one.name}` |" not in README]
    assert missing == []


def test_the_links_between_the_documents_lead_somewhere() -> None:
    broken = []
    for page in (*REPO.glob("*.md"), *(REPO / "docs").glob("*.md"), REPO / "mappings/README.md"):
        links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        local = [link for link in links if "://" not in link]
        broken += [f"{page.name}: {link}" for link in local if not (page.parent / link).exists()]
    assert broken == []


def test_every_table_is_described_in_the_folder_of_tables() -> None:
    told = (REPO / "mappings" / "README.md").read_text(encoding="utf-8")
    tables = [
        path for path in (REPO / "mappings").rglob("*.*") if path.suffix in (".toml", ".json")
    ]
    missing = [
        path.name
        for path in tables
        if "generated/package" not in path.as_posix()
        and f"`{path.relative_to(REPO / 'mappings').as_posix()}`" not in told
    ]
    assert missing == []
    assert len(tables) >= 8


def test_the_changelog_is_open_for_the_version_at_work() -> None:
    assert "## [Unreleased]" in (REPO / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.fullmatch(r"\d+\.\d+\.\d+", deidfhir.__version__)
