"""`deidfhir dead`: the studies that a target refused for good."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal
from deidfhir.web.diagnostics import Issue

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

URL = "http://127.0.0.1:9/fhir"
SINCE = "2026-01-31T12:00:00+00:00"
ONE = DeadLetter("aaa", "sha", 422, "invariant", SINCE, dropped=False)
WHY = (
    Issue("error", "processing", ("HAPI-1821",), ("Provenance.agent.who", "Provenance.agent[0]")),
    Issue("fatal", ""),
)
TWO = DeadLetter("bbb", "sha", 400, "HAPI-1821", SINCE, dropped=False, issues=WHY)
IDS = (
    "deidfhir: dead list takes no ID; show, retry and drop take IDs as `deidfhir dead list` tells "
    "them, or --all\n"
)


class Dead:
    """The command, on a journal with two letters."""

    def __init__(self, cli: Cli, journal: Path) -> None:
        self.cli, self.journal = cli, journal
        with closing(Journal(journal)) as made:
            made.dead.put(TWO)
            made.dead.put(ONE)

    def __call__(self, *arguments: str) -> Ran:
        """Run it."""
        return self.cli("dead", *arguments, "--to", URL, "--journal", self.journal)

    @property
    def letters(self) -> dict[str, bool]:
        """What is set aside → whether it was given up."""
        with closing(Journal(self.journal, read_only=True)) as made:
            return {one.id: one.dropped for one in made.dead.every()}


@pytest.fixture
def dead(cli: Cli, tmp_path: Path) -> Dead:
    """Give the command, on a journal with two letters."""
    return Dead(cli, tmp_path / "journal")


def test_list_tells_each_with_id_instant_and_answer_in_order(dead: Dead) -> None:
    run = dead("list")
    assert (run.code, run.err) == (0, "")
    assert run.out.splitlines() == [
        "set aside: 2",
        f"  aaa  {SINCE}  HTTP 422 invariant",
        f"  bbb  {SINCE}  HTTP 400 HAPI-1821",
    ]


def test_show_tells_all_that_is_known_of_one(dead: Dead) -> None:
    assert dead("show", "bbb").out.splitlines() == [
        "study     ImagingStudy/bbb",
        "cause     data",
        "answer    HTTP 400 HAPI-1821",
        "because   error processing HAPI-1821 at Provenance.agent.who, Provenance.agent[0]",
        "because   fatal",
        f"since     {SINCE}",
        "given up  no",
    ]
    assert dead("show", "--all").out.count("study ") == 2


def test_retry_takes_the_named_ones_away(dead: Dead) -> None:
    assert dead("retry", "bbb").out.splitlines() == [
        "due again: 1; the next sync sends them",
        f"  bbb  {SINCE}  HTTP 400 HAPI-1821",
    ]
    assert dead.letters == {"aaa": False}
    dead("retry", "--all")
    assert dead.letters == {}
    assert dead("list").out == "set aside: 0\n"


def test_drop_keeps_them_as_given_up(dead: Dead) -> None:
    assert dead("drop", "aaa").out.splitlines()[0] == (
        "given up: 1; neither sent nor told of until they change"
    )
    assert dead.letters == {"aaa": True, "bbb": False}
    assert dead("list").out.splitlines()[1] == f"  aaa  {SINCE}  HTTP 422 invariant (given up)"
    assert dead("show", "aaa").out.splitlines()[-1] == "given up  yes"
    dead("retry", "aaa")
    assert dead.letters == {"bbb": False}


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "aaa"),
        ("list", "--all"),
        ("show",),
        ("retry",),
        ("drop",),
        ("retry", "aaa", "--all"),
    ],
)
def test_what_is_meant_must_be_said_once(dead: Dead, arguments: tuple[str, ...]) -> None:
    run = dead(*arguments)
    assert (run.code, run.out, run.err) == (2, "", IDS)
    assert dead.letters == {"aaa": False, "bbb": False}


@pytest.mark.parametrize("action", ["show", "retry", "drop"])
def test_an_id_that_is_not_set_aside_changes_nothing(dead: Dead, action: str) -> None:
    run = dead(action, "aaa", "ccc")
    assert (run.code, run.out) == (2, "")
    assert run.err == (
        "deidfhir: the journal has not set aside 1 of the studies given: "
        "see `deidfhir dead list`, with the same --to, --fhir and --journal\n"
    )
    assert dead.letters == {"aaa": False, "bbb": False}


@pytest.mark.parametrize("action", ["list", "show", "retry", "drop"])
def test_the_target_is_told(dead: Dead, action: str) -> None:
    run = dead(action, *(() if action == "list" else ("--all",)), "--json")
    assert run.report["target"] == URL
    assert [one["id"] for one in run.report["letters"]] == ["aaa", "bbb"]


def test_looking_makes_no_journal(cli: Cli, tmp_path: Path) -> None:
    journal = tmp_path / "none"
    run = cli("dead", "list", "--to", tmp_path / "out", "--journal", journal)
    assert (run.code, run.out) == (0, "set aside: 0\n")
    assert not journal.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("changed", [("--fhir", "R5"), ("--to", "http://127.0.0.1:9/other")])
def test_the_journal_of_another_target_is_refused(dead: Dead, changed: tuple[str, str]) -> None:
    assert dead("retry", "aaa").code == 0
    run = dead.cli(
        *("dead", "retry", "bbb", "--to", URL, "--journal", dead.journal),
        *changed,
    )
    assert run.code == 1
    assert dead.letters == {"bbb": False}
