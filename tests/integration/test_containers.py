"""A folder and its zip and tar files on a real server: the same resources, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.support import Site, held, only, versions
from tests.synthetic.packing import files_below, gzip_of, pack, tar_of, zip_of
from tests.synthetic.samples import write_samples


def test_what_a_folder_stated_its_container_does_not_write_again(
    r4_site: Site, tmp_path: Path
) -> None:
    write_samples(tmp_path / "samples")
    first = r4_site.sync(tmp_path / "samples")
    stated = r4_site.stated(tmp_path / "samples")
    written = versions(r4_site.url, stated)
    for name in ("x.zip", "x.tar.gz"):
        container = pack(tmp_path / "samples", tmp_path / name)
        again = r4_site.sync(container)
        assert again.code == first.code == 3
        counts = again.report["resources"]
        assert [one for one, count in counts.items() if count] == ["unchanged"]
        assert versions(r4_site.url, stated) == written
        assert r4_site.verify(container).code == r4_site.verify(tmp_path / "samples").code


@pytest.mark.parametrize("name", ["x.zip", "x.tgz"])
def test_a_study_that_goes_from_a_container_is_retired_and_comes_back(
    r4_site: Site, tmp_path: Path, name: str
) -> None:
    write_samples(tmp_path / "samples")
    files = files_below(tmp_path / "samples" / "tcia-ct")
    files += files_below(tmp_path / "samples" / "pixelmed-with-equipment")
    path = tmp_path / name

    def put(count: int) -> None:
        some = files[:count]
        path.write_bytes(zip_of(some) if name == "x.zip" else gzip_of(tar_of(some)))

    def statuses() -> list[str]:
        studies = only("ImagingStudy", held(r4_site.url, stated))
        return sorted(one["status"] for one in studies.values())

    put(len(files))
    stated = r4_site.stated(path)
    assert r4_site.sync(path).code == 0
    assert statuses() == ["available", "available"]
    put(len(files_below(tmp_path / "samples" / "tcia-ct")))
    assert r4_site.sync(path).report["retired"] == 1
    assert statuses() == ["available", "unknown"]
    put(len(files))
    assert r4_site.sync(path).report["revived"] == 1
    assert statuses() == ["available", "available"]
