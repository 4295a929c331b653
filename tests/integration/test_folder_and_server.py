"""A folder of NDJSON and a server state the same, whichever of them sync is pointed at."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.support import Json, Site, held, name_of
from tests.synthetic.samples import write_samples

EVERY = ("--accept", "all")


def lines_of(folder: Path) -> dict[str, Json]:
    """Return what the folder's files hold, by reference."""
    found = {}
    for file in sorted(folder.glob("*.ndjson")):
        for line in file.read_text(encoding="utf-8").splitlines():
            resource = json.loads(line)
            found[name_of(resource)] = resource
    return found


def told(resource: Json) -> Json:
    """Return a resource without what the server adds and without the instant of recording."""
    return {
        key: value
        for key, value in resource.items()
        if key not in ("meta", "recorded", "_recorded")
    }


def assert_same(site: Site, folder: Path, *paths: object) -> None:
    """Sync both and assert that they hold the same resources."""
    site.sync(*paths)
    site.cli("sync", *paths, "--to", folder, "--fhir", site.fhir)
    lines = lines_of(folder)
    there = held(site.url, lines)
    assert {name: told(one) for name, one in there.items()} == {
        name: told(one) for name, one in lines.items()
    }
    assert all("recorded" in one for name, one in lines.items() if name.startswith("Prov"))
    assert set(lines) == set(site.stated(*paths))


def test_the_samples_are_the_same_in_a_folder_and_on_a_server(site: Site, tmp_path: Path) -> None:
    write_samples(tmp_path / "samples")
    assert_same(site, tmp_path / "fhir", tmp_path / "samples", *EVERY)


def test_the_real_objects_are_the_same_in_a_folder_and_on_a_server(
    site: Site, tmp_path: Path, real_folder: Path
) -> None:
    assert_same(site, tmp_path / "fhir", real_folder, *EVERY)


def test_the_folder_holds_one_line_an_id_sorted(site: Site, tmp_path: Path) -> None:
    write_samples(tmp_path / "samples")
    run = site.cli("sync", tmp_path / "samples", "--to", tmp_path / "fhir", "--fhir", site.fhir)
    assert run.code == 3
    files = sorted((tmp_path / "fhir").iterdir())
    assert [one.name for one in files] == [
        *("Device.ndjson", "ImagingStudy.ndjson", "Provenance.ndjson"),
    ]
    for file in files:
        ids = [json.loads(line)["id"] for line in file.read_text(encoding="utf-8").splitlines()]
        assert ids == sorted(set(ids))
