"""--json: one object on stdout; its keys are a contract, so they stand here as they are."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.model.finding import Finding
from deidfhir.policy.policy import Policy, policy_line
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal
from deidfhir.web.diagnostics import Issue
from tests.synthetic.objects import codes, equipment, instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "json.md"
FINDING = {"code", "path", "severity", "issue", "text", "action", "section"}
SHARED = {
    *("command", "target", "fhir", "accept", "studies", "instances", "verdicts", "refused"),
    *("skipped", "foreign", "findings", "requests", "resources", "refusals", "skips"),
    *("error", "exit_code", "tools", "unrecognised", "outcome", "policy", "traffic", "duration"),
    *("existing", "troubles", "server"),
}
EXISTING = {"mode", "linked", "enriched", "owned", "failed"}
SYNC = SHARED | {
    *("settled", "dry_run", "withdrawn", "vanished", "retired", "deleted", "revived"),
}
VERIFY = SHARED | {"ok", "missing", "drifted", "vanished", "differences", "repair"}
REPAIR = {"resources", "retired", "deleted", "revived", "troubles"}
REPAIR |= {"ok", "missing", "drifted", "vanished"}
RESOURCES = ["created", "updated", "unchanged", "deleted", "failed"]
VERDICTS = {"removed", "not-removed", "contradictory", "unknown", "mixed"}
REFUSAL = {"path", "verdict", "reasons", "finding", "detail"}
SHOW = {"studies", "instances", "skipped", "foreign", "outcome", "policy"}
POLICY = {"name", "digest", "accept", "finding", "attribute", "inferred_codes", "agents"}
DECIDED = POLICY | {"subject", "label", "ids"}
STUDY = {
    *("path", "uid", "verdict", "reasons", "series", "instances", "identity_removed", "methods"),
    *("codes", "equipment", "burned_in_annotation", "recognizable_visual_features"),
    *("longitudinal_temporal_information_modified", "findings"),
    *("tools", "wordings", "unrecognised"),
}
EXPLAIN = {"path", "objects", "policy"}
OBJECT = {"verdict", "reasons", "refused_by_default", "refused", "attributes", "findings"}
OBJECT |= {"inferred", "unrecognised"}
DOCTOR = {
    *("command", "target", "fhir", "legs", "archive", "source_legs"),
    *("error", "exit_code"),
}
LEG = {"leg", "state", "code", "text"}
TRAFFIC = {
    *("statuses", "unanswered", "repeated", "waited", "rate", "sent", "received", "seconds"),
}
DEAD = {"command", "action", "target", "letters", "error", "exit_code"}
LETTER = {"id", "cause", "status", "server_code", "since", "dropped", "issues"}
ISSUE = {"severity", "code", "codes", "elements"}
ROW = {"tag", "attribute", "section", "leaves", "to", "rule", "values", "items"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Write a removed study with all markers, a refused one, a broken file and a foreign one."""
    folder = tmp_path / "in"
    removed = instance(
        1,
        PatientIdentityRemoved="YES",
        DeidentificationMethod=("one", "two"),
        DeidentificationMethodCodeSequence=codes("113100", "113105"),
        ContributingEquipmentSequence=[equipment(Manufacturer="maker", StationName="station")],
    )
    write(removed, folder / "1.dcm")
    write(instance(2, PatientIdentityRemoved="NO"), folder / "2.dcm")
    (folder / "empty.dcm").write_bytes(b"")
    (folder / "notes.txt").write_text("foreign")
    return folder


def object_of(run: Ran) -> dict[str, Any]:
    """Return the one object, which is all that stands on stdout, on one line."""
    assert run.out.count("\n") == 1
    found: dict[str, Any] = json.loads(run.out)
    return found


@pytest.fixture
def sync(cli: Cli, archive: Path, tmp_path: Path) -> dict[str, Any]:
    """Return what sync prints."""
    return object_of(cli("sync", archive, "--to", tmp_path / "out", "--json"))


@pytest.fixture
def verify(cli: Cli, archive: Path, tmp_path: Path) -> dict[str, Any]:
    """Return what verify prints of a folder that has nothing."""
    return object_of(cli("verify", archive, "--to", tmp_path / "out", "--json"))


def test_sync_prints_these_keys(sync: dict[str, Any]) -> None:
    assert set(sync) == SYNC
    assert list(sync["resources"]) == RESOURCES
    assert set(sync["traffic"]) == TRAFFIC
    assert set(sync["existing"]) == EXISTING
    assert set(sync["policy"]) == DECIDED
    assert set(sync["verdicts"]) == VERDICTS
    assert set(sync["refusals"][0]) == REFUSAL
    assert set(sync["refusals"][0]["finding"]) == FINDING
    assert set(sync["skips"][0]) == FINDING


def test_sync_counts(sync: dict[str, Any], tmp_path: Path) -> None:
    assert (sync["command"], sync["target"]) == ("sync", str(tmp_path / "out"))
    assert (sync["fhir"], sync["accept"], sync["dry_run"]) == ("R4", ["removed"], False)
    counts = ("studies", "instances", "refused", "skipped", "foreign", "findings", "requests")
    assert [sync[key] for key in counts] == [2, 2, 1, 1, 1, 1, 0]
    assert sync["resources"] == dict(zip(RESOURCES, [3, 0, 0, 0, 0], strict=True))
    assert (sync["error"], sync["exit_code"], sync["withdrawn"]) == (None, 3, 0)


def test_verify_prints_these_keys(verify: dict[str, Any]) -> None:
    assert set(verify) == VERIFY
    assert set(verify["differences"][0]) == {"resource", "path", "state"}
    assert list(verify["resources"]) == RESOURCES


def test_a_repair_prints_these_keys(cli: Cli, archive: Path, tmp_path: Path) -> None:
    told = object_of(cli("verify", archive, "--to", tmp_path / "out", "--json", "--repair"))
    assert set(told["repair"]) == REPAIR
    assert (told["missing"], told["repair"]["missing"], told["repair"]["ok"]) == (3, 0, 3)


def test_verify_counts(verify: dict[str, Any]) -> None:
    counts = ("studies", "instances", "refused", "skipped", "foreign", "findings", "requests")
    assert [verify[key] for key in counts] == [2, 2, 1, 1, 1, 1, 0]
    assert [verify[key] for key in ("ok", "missing", "drifted", "exit_code")] == [0, 3, 0, 3]


def test_troubles_have_a_finding_and_a_detail(cli: Cli, archive: Path, tmp_path: Path) -> None:
    cli("sync", archive, "--to", tmp_path / "out")
    write(instance(1, PatientIdentityRemoved="NO"), archive / "1.dcm")
    told = object_of(cli("sync", archive, "--to", tmp_path / "out", "--json"))
    assert [set(one) for one in told["troubles"]] == [{"finding", "detail"}]
    assert set(told["troubles"][0]["finding"]) == FINDING


def test_show_prints_these_keys(cli: Cli, archive: Path) -> None:
    told = object_of(cli("show", archive, "--json"))
    assert set(told) == SHOW
    assert set(told["policy"]) == DECIDED
    assert [set(one) for one in told["studies"]] == [STUDY, STUDY]
    assert set(told["skipped"][0]) == FINDING
    first, second = sorted(told["studies"], key=lambda one: str(one["path"]))
    assert first["methods"] == [["one", "two"]]
    assert first["codes"][0][0] == {
        "CodeValue": ["113100"],
        "CodingSchemeDesignator": ["DCM"],
        "CodeMeaning": ["Basic Application Confidentiality Profile"],
    }
    assert first["equipment"][0][0]["StationName"] == {"withheld": True}
    assert (first["uid"], second["uid"]) == ("1.2.826.0.1.3680043.8.498.62.1", None)


def test_explain_prints_these_keys(cli: Cli, archive: Path) -> None:
    told = object_of(cli("explain", archive / "1.dcm", "--json"))
    assert set(told) == EXPLAIN
    assert set(told["policy"]) == DECIDED
    assert set(told["objects"][0]) == OBJECT
    assert all(set(one) == ROW for one in told["objects"][0]["attributes"])


def test_dead_prints_these_keys(cli: Cli, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with closing(Journal(journal)) as made:
        letter = DeadLetter("s1", "sha", 422, "invariant", "instant", dropped=False)
        made.dead.put(replace(letter, issues=(Issue("error", "invariant"),)))
    told = object_of(cli("dead", "list", "--to", "http://h/fhir", "--journal", journal, "--json"))
    assert set(told) == DEAD
    assert set(told["letters"][0]) == LETTER
    assert [set(one) for one in told["letters"][0]["issues"]] == [ISSUE]


def test_doctor_prints_these_keys(cli: Cli, tmp_path: Path) -> None:
    told = object_of(cli("doctor", "--to", tmp_path / "out", "--json"))
    assert set(told) == DOCTOR
    assert [set(one) for one in told["legs"]] == [LEG, LEG]


@pytest.mark.parametrize(
    "key",
    sorted(
        SYNC
        | (VERIFY | SHOW | STUDY | EXPLAIN | OBJECT | ROW)
        | (DOCTOR | LEG)
        | (REFUSAL | FINDING | DECIDED | DEAD | LETTER | ISSUE | TRAFFIC)
    ),
)
def test_every_key_is_documented(key: str) -> None:
    assert f"`{key}`" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["sync", "verify"])
def test_an_error_that_ends_the_run_is_in_the_object_and_on_stderr(
    cli: Cli, archive: Path, name: str
) -> None:
    run = cli(name, archive, "--to", "http://127.0.0.1:9/fhir", "--timeout", "0.5", "--json")
    told = object_of(run)
    assert run.err == f"deidfhir: {told['error']}\n"
    assert (told["exit_code"], run.code) == (5, 5)


def test_an_error_before_the_run_is_an_object_too(cli: Cli, archive: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes(b"no journal" * 1000)
    run = cli("sync", archive, "--to", tmp_path / "out", "--journal", journal, "--json")
    told = object_of(run)
    assert (run.code, told["exit_code"], set(told)) == (1, 1, {"error", "exit_code"})
    assert run.err == f"deidfhir: {told['error']}\n"


def test_the_words_for_people_tell_the_same_counts(cli: Cli, archive: Path, tmp_path: Path) -> None:
    lines = cli("sync", archive, "--to", tmp_path / "out").out.splitlines()
    assert lines == [
        "read      2 studies, 2 instances, 1 foreign files passed over",
        f"policy    {policy_line(Policy().as_dict())}",
        "verdicts  1 removed, 1 not-removed",
        "refused   1 (see what they claim with `deidfhir show`)",
        f"          - {archive / '2.dcm'}: not-removed",
        "skipped   1",
        f"          - {archive / 'empty.dcm'}: the file is empty",
        "unknown   2 method texts (`deidfhir show --json` lists them; add entries with --tools)",
        "findings  1",
        f"          - equipment-undated in 1: {Finding('equipment-undated').text}",
        f"target    {tmp_path / 'out'} (FHIR R4)",
        "resources 3 created",
        "requests  0",
    ]
