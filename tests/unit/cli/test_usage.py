"""A command line that is wrong: exit 2, one line that says what to type, nothing started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

WORDS = "use removed, unknown, contradictory, mixed, not-removed, or all"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write one object."""
    return write(instance(1, PatientIdentityRemoved="YES"), tmp_path / "in" / "1.dcm")


def assert_usage(run: Ran, *words: str) -> None:
    """Assert exit 2 and one line that has some words."""
    assert (run.code, run.out) == (2, "")
    assert run.err.count("\n") == 1
    assert run.err.startswith("deidfhir")
    for word in words:
        assert word in run.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["COMMAND", "see deidfhir --help"]),
        (["push", "x"], ["'push'", "show", "map", "sync", "verify", "explain"]),
        (["show"], ["PATH", "see deidfhir show --help"]),
        (["sync", "x"], ["--to", "see deidfhir sync --help"]),
        (["map", "x", "--fhir", "R6"], ["R4", "R4B", "R5"]),
        (["map", "x", "--accept", "yes"], [f"'yes': {WORDS}"]),
        (["map", "x", "--accept", ""], [f"'': {WORDS}"]),
        (["map", "x", "--accept", "removed,,mixed"], [f"'': {WORDS}"]),
        (["map", "x", "--recorded", "2026-01-31"], ["2026-01-31T12:00:00Z"]),
        (["map", "x", "--recorded", "2026-02-30T12:00:00Z"], ["2026-01-31T12:00:00Z"]),
        (["map", "x", "--recorded", "2026-01-31T12:00:00"], ["2026-01-31T12:00:00Z"]),
        (["sync", "x", "--to", "y", "--timeout", "0"], ["between 0 and 86400"]),
        (["sync", "x", "--to", "y", "--timeout", "soon"], ["between 0 and 86400"]),
        (["sync", "x", "--to", "y", "--timeout", "nan"], ["between 0 and 86400"]),
        (["sync", "x", "--to", "y", "--timeout", "inf"], ["between 0 and 86400"]),
        (["show", "x", "--dry-run"], ["--dry-run"]),
        (["explain"], ["FILE"]),
        (["sync", ".", "--to", "y", "--access", ""], ["--access is empty"]),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(
    cli: Cli, arguments: list[str], words: list[str]
) -> None:
    assert_usage(cli(*arguments), *words)


@pytest.mark.parametrize("name", ["show", "map", "sync", "verify", "explain"])
def test_a_path_that_does_not_exist_is_usage_and_named(
    cli: Cli, file: Path, tmp_path: Path, name: str
) -> None:
    missing = tmp_path / "not there"
    to = ("--to", tmp_path / "out") if name in ("sync", "verify") else ()
    paths = (missing,) if name == "explain" else (file, missing)
    assert_usage(cli(name, *paths, *to), str(missing))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("name", ["show", "sync"])
def test_a_path_with_a_line_end_in_its_name_is_still_one_line(
    cli: Cli, tmp_path: Path, name: str
) -> None:
    to = ("--to", tmp_path / "out") if name == "sync" else ()
    assert_usage(cli(name, tmp_path / "not\nthere\x1b[2J", *to))


@pytest.mark.parametrize(
    "target",
    ["ftp://127.0.0.1/fhir", "http://", "http:///fhir", "http://127.0.0.1/fhir?x=1", "https:/x"],
)
@pytest.mark.parametrize("name", ["sync", "verify"])
def test_a_target_that_is_neither_url_nor_folder_is_usage(
    cli: Cli, file: Path, target: str, name: str
) -> None:
    assert_usage(cli(name, file, "--to", target), "--to", "FHIR base URL", "folder")


@pytest.mark.parametrize(
    "target", ["http://someone:s3cret@", "http://someone:s3cret@h/f?token=s3cret"]
)
def test_a_wrong_target_with_credentials_does_not_show_them(
    cli: Cli, file: Path, target: str
) -> None:
    run = cli("sync", file, "--to", target)
    assert_usage(run)
    assert "s3cret" not in run.err


@pytest.mark.parametrize("name", ["sync", "verify"])
def test_a_target_that_is_a_file_is_usage(cli: Cli, file: Path, name: str) -> None:
    assert_usage(cli(name, file, "--to", file), f"--to is a file: {file}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('label = "SECRET"', ["label", "none or PSEUDED or ANONYED"]),
        ('colour = "red"', ["'colour'", "namespace", "label"]),
        ("namespace = 7", ["namespace", "a URI"]),
        ('namespace = "no uri"', ["namespace", "a URI"]),
        ('narrative = "perhaps"', ["narrative", "true or false"]),
        ('subject = "hashed"', ["subject", "as-is or keyed or withheld"]),
        ("not toml at all", ["is no TOML"]),
    ],
)
def test_settings_that_are_wrong_name_their_origin(
    cli: Cli, file: Path, tmp_path: Path, content: str, words: list[str]
) -> None:
    config = tmp_path / "site.toml"
    config.write_text(content)
    assert_usage(cli("map", file, "--config", config), str(config), *words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('subject = "keyed"', ["key_file", "random bytes"]),
        ('ids = "keyed"', ["key_file", "random bytes"]),
        ('key_file = "nowhere"\nids = "keyed"', ["key_file", "cannot be read"]),
        ('key_file = "short.key"\nids = "keyed"', ["short.key", "at least 32 bytes"]),
        ('policy = "nowhere.toml"', ["nowhere.toml", "cannot be read"]),
    ],
)
@pytest.mark.parametrize("command", ["map", "show", "explain", "sync --to out", "verify --to out"])
@pytest.mark.usefixtures("in_folder")
def test_a_key_or_a_policy_that_cannot_be_used_is_told_before_anything_is_read(
    cli: Cli, file: Path, content: str, words: list[str], command: str
) -> None:
    Path("site.toml").write_text(content)
    Path("short.key").write_text("too short")
    name, *to = command.split()
    assert_usage(cli(name, file, "--config", "site.toml", *to), *words)
    assert not Path("out").exists()


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)


def test_a_variable_that_is_wrong_is_named(
    cli: Cli, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_LABEL", "SECRET")
    assert_usage(cli("map", file), "DEIDFHIR_LABEL", "none or PSEUDED or ANONYED")


def test_a_settings_file_that_is_not_there_is_named(cli: Cli, file: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    assert_usage(cli("map", file, "--config", missing), str(missing))


@pytest.mark.parametrize(
    ("path", "code"), [("folder", 2), ("missing", 2), ("text.txt", 3), ("empty.dcm", 3)]
)
def test_explain_takes_one_object(cli: Cli, tmp_path: Path, path: str, code: int) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("just text")
    (tmp_path / "empty.dcm").write_bytes(b"")
    run = cli("explain", tmp_path / path)
    assert (run.code, run.out, run.err.count("\n")) == (code, "", 1)
    assert str(tmp_path / path) in run.err
