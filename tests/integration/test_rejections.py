"""What a server rejects: the study is given up with the server's code, and the run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.fake import FakeServer, Reply, accepted, capability, outcome
from tests.integration.support import Archive, counted
from tests.synthetic.objects import equipment

if TYPE_CHECKING:
    from tests.conftest import Cli
    from tests.integration.listener import Sent

PLANTED = "PLANTED-VALUE"


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (Reply(400, outcome(f"HAPI-1094: {PLANTED} is not known")), "HTTP 400 HAPI-1094"),
        (Reply(400, outcome(f"HAPI-0389: HAPI-1821: {PLANTED}")), "HTTP 400 HAPI-0389: HAPI-1821"),
        (Reply(422, outcome(PLANTED, "invariant")), "HTTP 422 invariant"),
        (Reply(422, outcome(PLANTED, PLANTED)), "HTTP 422"),
        (Reply(409, outcome(f"HAPI-0824: {PLANTED}")), "HTTP 409 HAPI-0824"),
        (Reply(413, outcome(PLANTED, "too-long")), "HTTP 413 too-long"),
        (Reply(400, {"resourceType": "OperationOutcome", "issue": [None]}), "HTTP 400"),
        (Reply(400, {"resourceType": "OperationOutcome", "issue": PLANTED}), "HTTP 400"),
    ],
    ids=["one code", "two codes", "422", "odd code", "409", "413", "null", "no list"],
)
def test_a_rejected_study_is_set_aside_with_the_servers_code_and_the_rest_is_sent(
    cli: Cli, archive: Archive, fake: FakeServer, reply: Reply, detail: str
) -> None:
    rejected = archive.put(1, DeidentificationMethod=PLANTED, PatientID=PLANTED)
    archive.put(2)

    def judge(sent: Sent) -> Reply:
        return reply if PLANTED in str(sent.body) else accepted(sent)

    fake.transaction = judge
    run = cli("sync", archive.folder, "--to", fake.url, "--timeout", "10", "--json")
    assert (run.code, run.err) == (3, "")
    assert run.report["resources"] == counted(created=2, failed=2)
    (trouble,) = run.report["troubles"]
    assert (trouble["finding"]["code"], trouble["finding"]["path"]) == ("rejected", str(rejected))
    assert trouble["detail"] == detail
    assert PLANTED not in run.out
    fake.transaction = accepted
    again = cli("sync", archive.folder, "--to", fake.url, "--json")
    assert (again.code, again.report["resources"]) == (3, counted(unchanged=2))
    (trouble,) = again.report["troubles"]
    assert trouble["finding"]["code"] == "set-aside"
    assert trouble["detail"].startswith(f"{detail}, ")
    assert cli("dead", "retry", "--all", "--to", fake.url).code == 0
    last = cli("sync", archive.folder, "--to", fake.url, "--json")
    assert (last.code, last.report["resources"]) == (0, counted(created=2, unchanged=2))


def test_a_study_that_changed_is_sent_again_though_it_was_set_aside(
    cli: Cli, archive: Archive, fake: FakeServer
) -> None:
    archive.put(1, DeidentificationMethod="a")
    fake.transaction = lambda _: Reply(422, outcome("", "invariant"))
    assert cli("sync", archive.folder, "--to", fake.url, "--json").code == 3
    fake.transaction = accepted
    archive.put(1, DeidentificationMethod="b")
    again = cli("sync", archive.folder, "--to", fake.url, "--json")
    assert (again.code, again.report["resources"]) == (0, counted(created=2))
    assert cli("dead", "list", "--to", fake.url, "--json").report["letters"] == []


def test_a_rejected_device_gives_up_its_study_and_comes_again_with_the_next(
    cli: Cli, archive: Archive, fake: FakeServer
) -> None:
    for study in (1, 2):
        archive.put(study, ContributingEquipmentSequence=[equipment(Manufacturer=f"maker {study}")])
    fake.transaction = lambda sent: (
        Reply(422, outcome("", "invalid")) if "maker 1" in str(sent.body) else accepted(sent)
    )
    run = cli("sync", archive.folder, "--to", fake.url, "--json")
    assert run.code == 3
    assert run.report["resources"] == counted(created=3, failed=3)
    fake.transaction = accepted
    again = cli("sync", archive.folder, "--to", fake.url, "--json")
    assert again.report["resources"] == counted(created=3, unchanged=3)


@pytest.mark.parametrize("code", ["HAPI-0550", "HAPI-0823", "HAPI-0825", "HAPI-0826", "HAPI-0827"])
def test_a_conflict_that_passes_is_tried_again(
    cli: Cli, archive: Archive, fake: FakeServer, code: str
) -> None:
    replies = iter([Reply(409, outcome(f"{code}: another write was first"))])
    fake.transaction = lambda sent: next(replies, None) or accepted(sent)
    run = cli("sync", archive.put(1), "--to", fake.url, "--json")
    assert (run.code, run.report["resources"]) == (0, counted(created=2))


def test_a_write_that_came_too_late_stays_due(cli: Cli, archive: Archive, fake: FakeServer) -> None:
    fake.transaction = lambda _: Reply(409, outcome(f"HAPI-0550: HAPI-0989: {PLANTED}"))
    run = cli("sync", archive.put(1), "--to", fake.url, "--json")
    assert (run.code, run.report["resources"]) == (5, counted(failed=2))
    assert [one["finding"]["code"] for one in run.report["troubles"]] == ["server-failed"]
    fake.transaction = accepted
    again = cli("sync", archive.folder, "--to", fake.url, "--json")
    assert (again.code, again.report["resources"]) == (0, counted(created=2))


@pytest.mark.parametrize(
    "body", [b"<html>NullPointerException</html>", outcome(f"HAPI-0389: {PLANTED}")]
)
def test_a_study_on_which_the_server_breaks_is_tried_three_times_and_stays_due(
    cli: Cli, archive: Archive, fake: FakeServer, body: bytes | dict[str, object]
) -> None:
    archive.put(1, DeidentificationMethod=PLANTED)
    archive.put(2)
    fake.transaction = lambda sent: (
        Reply(500, body) if PLANTED in str(sent.body) else accepted(sent)
    )
    run = cli("sync", archive.folder, "--to", fake.url, "--timeout", "20", "--json")
    # Three times together, three times alone, and the other study once.
    assert (run.code, len(fake.writes)) == (5, 7)
    assert run.report["resources"] == counted(created=2, failed=2)
    assert [one["finding"]["code"] for one in run.report["troubles"]] == ["server-failed"]
    assert PLANTED not in run.out + run.err
    fake.transaction = accepted
    again = cli("sync", archive.folder, "--to", fake.url, "--json")
    assert (again.code, again.report["resources"]) == (0, counted(created=2, unchanged=2))


def test_a_server_that_breaks_on_every_study_ends_the_run(
    cli: Cli, archive: Archive, fake: FakeServer
) -> None:
    for study in range(1, 13):
        archive.put(study)
    fake.transaction = lambda _: Reply(500, outcome())
    where = ("--to", fake.url, "--timeout", "60", "--connections", "1")
    run = cli("sync", archive.folder, *where, "--json")
    assert (run.code, run.report["resources"]) == (5, counted(failed=20))
    assert run.report["error"].startswith(f"{fake.url} asks to come back later (HTTP 500)")
    alone = [one for one in fake.writes if len(one.body["entry"]) == 2]
    assert len(alone) == 3 * 10


@pytest.mark.parametrize("kind", ["metadata", "search"])
def test_a_server_that_is_broken_when_it_is_asked_is_for_later(
    cli: Cli, archive: Archive, fake: FakeServer, kind: str
) -> None:
    setattr(fake, kind, lambda _: Reply(500, outcome(PLANTED)))
    run = cli("sync", archive.put(1), "--to", fake.url, "--timeout", "10")
    assert run.code == 5
    assert run.err.startswith(f"deidfhir: {fake.url} ")
    assert run.err.count("\n") == 1


def test_a_search_that_the_server_rejects_fails_the_run_and_names_the_server(
    cli: Cli, archive: Archive, fake: FakeServer
) -> None:
    fake.search = lambda _: Reply(400, outcome(f"HAPI-0524: {PLANTED}"))
    run = cli("sync", archive.put(1), "--to", fake.url)
    assert run.code == 1
    assert run.err.startswith(f"deidfhir: {fake.url} ")
    assert PLANTED not in run.err


@pytest.mark.parametrize("sent", ["everything", "nothing"])
def test_a_server_that_goes_away_between_transactions_is_for_later_and_keeps_what_it_has(
    cli: Cli, archive: Archive, fake: FakeServer, sent: str
) -> None:
    for study in range(1, 31):  # two transactions
        archive.put(study)
    allowed, held = (1, 50) if sent == "everything" else (0, 0)
    fake.transaction = lambda one: (
        accepted(one) if len(fake.writes) <= allowed else Reply(503, outcome())
    )
    run = cli("sync", archive.folder, "--to", fake.url, "--timeout", "1", "--json")
    assert (run.code, run.report["resources"]) == (5, counted(created=held))
    assert run.report["error"] == run.err.removeprefix("deidfhir: ").rstrip("\n")
    fake.transaction = accepted
    again = cli("sync", archive.folder, "--to", fake.url, "--json")
    assert again.report["resources"] == counted(created=60 - held, unchanged=held)


@pytest.mark.parametrize(
    "command", [("sync", "."), ("verify", "."), ("install",), ("dead", "list"), ("reverse",)]
)
def test_credentials_in_the_base_url_are_refused_and_not_shown(
    cli: Cli, fake: FakeServer, command: tuple[str, ...]
) -> None:
    url = fake.url.replace("http://", "http://someone:s3cret@")
    run = cli(*command, "--from" if command == ("reverse",) else "--to", url)
    assert (run.code, run.out, fake.log) == (2, "", [])
    assert "docs/access.md" in run.err
    assert "s3cret" not in run.err
    assert "someone" not in run.err


def test_what_a_server_returns_is_never_quoted_when_its_version_is_wrong(
    cli: Cli, archive: Archive, fake: FakeServer
) -> None:
    fake.metadata = lambda _: Reply(body=capability(f"9.9\n{PLANTED}"))
    run = cli("sync", archive.put(1), "--to", fake.url)
    assert run.code == 1
    assert run.err.count("\n") == 1
