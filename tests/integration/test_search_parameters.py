"""Searching a real server by each of our search parameters finds exactly what it should."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from deidfhir import MappingContext, load_settings, map_study, studies_from_paths
from tests.conftest import Cli, Server
from tests.integration.packaged import searchable
from tests.synthetic.samples import write_samples

DCM = "http://dicom.nema.org/resources/ontology/DCM"


def found(url: str, kind: str, query: str) -> set[str]:
    """Return the ids of all pages of a search."""
    ids: set[str] = set()
    address: str | None = f"{url}/{kind}?{query}&_count=200"
    while address:
        answer = requests.get(address, headers={"Cache-Control": "no-cache"}, timeout=60)
        assert answer.ok, answer.text[:300]
        bundle = answer.json()
        ids |= {entry["resource"]["id"] for entry in bundle.get("entry", ())}
        links = [one["url"] for one in bundle.get("link", ()) if one["relation"] == "next"]
        address = links[0] if links else None
    return ids


@pytest.mark.usefixtures("namespace")
def test_each_search_finds_exactly_the_studies_that_it_should(
    cli: Cli, server: Server, tmp_path: Path
) -> None:
    url = searchable(server)
    write_samples(tmp_path / "in")
    run = cli("sync", tmp_path / "in", "--to", url, "--fhir", server.fhir, "--accept", "all")
    assert run.code == 3

    context = MappingContext(server.fhir, load_settings(None))
    shown = {one["path"]: one for one in cli("show", tmp_path / "in", "--json").report["studies"]}
    own: dict[str, set[str]] = {"all": set()}
    for study in studies_from_paths([tmp_path / "in"]):
        if study.conflicting:
            continue
        mapped = map_study(study, context, accept="all")
        identity = mapped.imaging_study["id"]
        told = shown[study.path]
        names = {f"deid-verdict={study.verdict}"}
        names |= {f"deid-inferred-tool={one['tool']}" for one in told["tools"]}
        for one in study.instances:
            codes = one.markers.option_codes()
            names |= {f"deid-method-code={DCM}|{code}" for code in codes}
            names |= {f"deid-method-code={code}" for code in codes}
        for name in (*names, "all"):
            own.setdefault(name, set()).add(identity)
    searches = sorted(set(own) - {"all"})
    assert {name.partition("=")[0] for name in searches} == {
        *("deid-verdict", "deid-method-code", "deid-inferred-tool")
    }
    assert len(searches) > 15
    for query in searches:
        assert found(url, "ImagingStudy", query) & own["all"] == own[query], query
