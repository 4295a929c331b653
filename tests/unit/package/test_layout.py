"""package.tgz: the layout of FHIR packages, the same bytes every time."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.config import Settings, load_settings
from deidfhir.errors import UsageError
from deidfhir.fhir.versions import FHIR_NAMES, FhirName, fhir_version
from deidfhir.package.layout import package_bytes
from deidfhir.version import __version__

if TYPE_CHECKING:
    from tests.conftest import Cli

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


def unpacked(content: bytes) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {
            one.name: json.loads(archive.extractfile(one).read())  # type: ignore[union-attr]
            for one in archive.getmembers()
        }


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_the_package_has_manifest_index_resources_and_examples(fhir: FhirName) -> None:
    files = unpacked(package_bytes(Settings(), fhir))
    manifest = files["package/package.json"]
    assert manifest["fhirVersions"] == [fhir_version(fhir).number]
    assert (manifest["name"], manifest["version"]) == (f"deidfhir.fhir.{fhir.lower()}", __version__)
    for folder in ("package/", "package/example/"):
        index = files.pop(f"{folder}.index.json")
        assert index["index-version"] == 2
        named = {f"{folder}{one['filename']}": one for one in index["files"]}
        there = {
            name
            for name in files
            if name.rpartition("/")[0] + "/" == folder and not name.endswith("package.json")
        }
        assert set(named) == there
        for name, one in named.items():
            assert (one["resourceType"], one["id"]) == (
                files[name]["resourceType"],
                files[name]["id"],
            )


@pytest.mark.parametrize("fhir", ["R4", "R5"])
def test_every_golden_story_is_an_example(fhir: FhirName) -> None:
    files = unpacked(package_bytes(Settings(), fhir))
    examples = [one for name, one in files.items() if name.startswith("package/example/")]
    for story in GOLDEN.glob(f"*/expected.{fhir}.json"):
        bundle = json.loads(story.read_text(encoding="utf-8"))
        assert all(entry["resource"] in examples for entry in bundle["entry"]), story


def test_the_same_package_has_the_same_bytes() -> None:
    assert package_bytes(Settings(), "R4") == package_bytes(Settings(), "R4")


def test_a_sites_address_stands_in_the_examples_too() -> None:
    settings = Settings(canonical="https://imaging.example/fhir")
    text = json.dumps(unpacked(package_bytes(settings, "R4")))
    assert Settings().canonical not in text


@pytest.mark.parametrize(
    ("canonical", "kept"),
    [("https://a.example/", "https://a.example"), ("https://a.example/x//", "https://a.example/x")],
)
def test_a_canonical_base_has_no_slash_at_its_end(canonical: str, kept: str) -> None:
    assert load_settings(None, {"DEIDFHIR_CANONICAL": canonical}).canonical == kept


@pytest.mark.parametrize(
    "canonical",
    [
        "a.example",
        "urn:x:y",
        "ftp://a",
        "https://a/b|1",
        "https://a/b#c",
        "https://a/?b",
        "https://a/'b",
    ],
)
def test_a_canonical_base_that_no_address_can_start_with_is_refused(canonical: str) -> None:
    with pytest.raises(UsageError, match="canonical takes an http or https URL"):
        load_settings(None, {"DEIDFHIR_CANONICAL": canonical})


def test_the_command_writes_the_package(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "package.tgz"
    run = cli("package", "--fhir", "R5", "--out", out)
    assert (run.code, run.out) == (0, "")
    assert out.read_bytes() == package_bytes(Settings(), "R5")


def test_a_file_that_cannot_be_written_is_told_in_one_line(cli: Cli, tmp_path: Path) -> None:
    run = cli("package", "--out", tmp_path / "nowhere" / "package.tgz")
    assert run.code == 1
    assert run.err == (
        f"deidfhir: the file cannot be written: {tmp_path / 'nowhere' / 'package.tgz'}; "
        "check the folder, its permissions and the disk\n"
    )


def test_install_takes_a_server_only(cli: Cli, tmp_path: Path) -> None:
    run = cli("install", "--to", tmp_path)
    assert (run.code, run.err.count("\n")) == (2, 1)


def test_install_on_a_server_that_is_down_says_to_try_later(cli: Cli) -> None:
    run = cli("install", "--to", "http://127.0.0.1:9/fhir", "--timeout", "0.5", "--json")
    assert (run.code, run.report["exit_code"]) == (5, 5)
