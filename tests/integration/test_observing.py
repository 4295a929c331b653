"""--metrics and --log on real HAPI: they say what the report says and what the server holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.integration.support import Archive, Site, only, versions


def numbers(path: Path) -> dict[str, float]:
    """Return name and labels beside the shared ones → number."""
    shared = {"command", "target", "fhir"}
    found = {}
    for family in text_string_to_metric_families(path.read_text("utf-8")):
        for one in family.samples:
            more = [text for key, text in one.labels.items() if key not in shared]
            found[" ".join([one.name.removeprefix("deidfhir_"), *more])] = one.value
    return found


def events(path: Path, name: str) -> list[dict[str, Any]]:
    """Return the events of a name."""
    every = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [one for one in every if one["event"] == name]


def test_a_sync_tells_what_it_did(site: Site, archive: Archive, tmp_path: Path) -> None:
    log, prom = tmp_path / "log", tmp_path / "x.prom"
    observed = ("--log", log, "--metrics", prom)
    for study in range(5):
        archive.put(study)
    first = site.sync(archive.folder, *observed)
    stated = site.stated(archive.folder)
    assert versions(site.url, stated) == dict.fromkeys(stated, "1")
    told = numbers(prom)
    assert told["resources_total created"] == first.report["resources"]["created"] == 10
    assert told["request_duration_seconds_count"] == first.report["requests"]
    assert told["requests_total 200"] == first.report["requests"]
    assert told["sent_bytes_total"] == first.report["traffic"]["sent"]
    studies = {name.partition("/")[2] for name in only("ImagingStudy", stated)}
    assert {one["study"] for one in events(log, "acknowledged")} == studies
    assert {one["study"] for one in events(log, "planned")} == studies

    answered = events(log, "answered")
    assert len(answered) == first.report["requests"]
    assert {one["status"] for one in answered} == {200}
    written = [one for one in answered if one["kind"] == "transaction"]
    assert {study for one in written for study in one["study_list"]} == studies

    again = site.sync(archive.folder, *observed)
    assert again.report["requests"] == 0
    after = numbers(prom)
    assert after["resources_total created"] == 10
    assert after["resources_total unchanged"] == 10
    assert after["requests_total 200"] == told["requests_total 200"]
    assert len(events(log, "planned")) == 5

    verified = site.verify(archive.folder, "--metrics", tmp_path / "verify.prom", "--log", log)
    assert numbers(tmp_path / "verify.prom")["last_run_compared_resources ok"] == 10
    assert verified.code == 0
    assert [one["exit_code"] for one in events(log, "run-ended")] == [0, 0, 0]
