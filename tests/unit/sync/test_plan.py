"""What must be sent for a study, given what the journal and the target know of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deidfhir.sync.journal import DELIVERED, Part, StudyRow
from deidfhir.sync.listing import Listing
from deidfhir.sync.merging import kept_of
from deidfhir.sync.planner import Planner
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Parted, Refused, Unit
from deidfhir.web.numbers import encoded, spelled
from tests.unit.sync.memory import Statements

Json = dict[str, Any]
NOW, BEFORE = "2026-01-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00"
HERE, THERE = "this source", "another source"
NOTHING = Found(None, ())


class Ours(Statements):
    """Ours are the Provenance whose id begins with `our`."""

    def is_ours(self, provenance: Json, key: str) -> bool:
        """Tell by the id."""
        return str(provenance["id"]).startswith("our") and key == "1.2.3"

    def stands_for(self, uid: str) -> str:
        """Let it stand for itself, but for one that is long."""
        return "short" if uid == "1.2.3.4.5" else uid


def study(*uids: str) -> Json:
    """Return an ImagingStudy that lists some instances."""
    series = [{"uid": "1.2.3.1", "instance": [{"uid": uid} for uid in uids]}]
    return {"resourceType": "ImagingStudy", "id": "s", "extension": [], "series": series}


def provenance(identity: str, **more: object) -> Json:
    """Return a Provenance."""
    return {"resourceType": "Provenance", "id": identity, "activity": {}, **more}


def unit(*uids: str, provenances: tuple[str, ...] = ("our1",), claim: str = "c") -> Unit:
    """Return a study with some instances that all claim the same."""
    made = tuple(provenance(one) for one in provenances)
    return Unit(study(*uids), made, (), "1.2.3", dict.fromkeys(uids, claim), "path")


def refused(*uids: str, decisive: bool = True) -> Refused:
    """Return a refused study."""
    return Refused("s", "1.2.3", dict.fromkeys(uids, "c"), decisive, "path")


def row(
    *uids: str,
    state: str = "sent",
    source: str = HERE,
    statements: dict[str, str | None] | None = None,
    sha: str = "",
    claim: str = "c",
) -> StudyRow:
    """Return what the journal knows."""
    listed = {source: dict.fromkeys(uids, claim)}
    return StudyRow(state, sha, statements or {}, listed)


def planner(skipped: frozenset[str] = frozenset(), before: frozenset[str] = frozenset()) -> Planner:
    """Return the planner of a run."""
    return Planner(Listing(HERE, skipped), before, Ours())


def test_what_an_unread_instance_claims_stays_known_when_it_was_ever_delivered() -> None:
    before = row("a", "b")
    before.sources[DELIVERED] = {"a": "", "b": ""}
    mine = {"a": "c"}
    sources = planner().sources(mine, before, sent=True, unread=frozenset("b"))
    assert sources == {HERE: {"a": "c", "b": "c"}}


def test_what_was_acknowledged_and_has_not_changed_is_settled() -> None:
    one = unit("a", "b")
    assert planner().is_settled(one, row("a", "b", sha=one.sha))


@pytest.mark.parametrize(
    "known",
    [
        None,
        row("a", "b", sha="other"),
        row("a", "b", sha=unit("a", "b").sha, state="planned"),
        row("a", "b", sha=unit("a", "b").sha, state="refused"),
        row("a", sha=unit("a", "b").sha),
        row("a", "b", sha=unit("a", "b").sha, source=THERE),
    ],
    ids=["unknown", "changed", "planned", "refused", "other instances", "other source"],
)
def test_anything_else_is_due(known: StudyRow | None) -> None:
    assert not planner().is_settled(unit("a", "b"), known)


def test_a_refused_study_is_settled_once_that_is_known() -> None:
    assert planner().is_settled(refused("a"), row("a", state="refused"))
    assert not planner().is_settled(refused("a"), row("a", state="sent"))
    assert not planner().is_settled(refused("a"), None)


def test_the_digest_of_a_study_leaves_recorded_out_and_nothing_else() -> None:
    plain = unit("a")
    dated = Unit(plain.study, (provenance("our1", recorded=NOW),), (), "1.2.3", {}, "other path")
    other = Unit(plain.study, (provenance("our1", text="x"),), (), "1.2.3", {}, "path")
    assert dated.sha == plain.sha
    assert other.sha != plain.sha


def test_a_first_statement_gets_the_present_instant_and_keeps_it_in_the_journal() -> None:
    plan = planner().unit(unit("a"), NOTHING, None, NOW)
    assert [one.get("recorded") for one in plan.puts] == [None, NOW]
    assert plan.row.statements == plan.before.statements == {"our1": NOW}
    assert (plan.before.state, plan.before.sha) == ("planned", "")
    assert (plan.row.state, plan.row.sha) == ("sent", unit("a").sha)


@pytest.mark.parametrize(
    ("known", "held", "instant"),
    [
        ({"our1": BEFORE}, {}, BEFORE),
        ({"our1": BEFORE}, {"recorded": NOW}, BEFORE),
        ({"our1": None}, {"recorded": BEFORE}, None),
        ({}, {"recorded": BEFORE}, BEFORE),
        ({}, {}, None),
        ({}, {"recorded": BEFORE, "withdrawn": True}, NOW),
    ],
    ids=[
        *("journal", "journal before target", "journal says none", "target", "target has none"),
        "withdrawn starts anew",
    ],
)
def test_a_statement_keeps_the_instant_at_which_it_was_first_made(
    known: dict[str, str | None], held: Json, instant: str | None
) -> None:
    found = Found(study("a"), (provenance("our1", **held),))
    plan = planner().unit(unit("a"), found, row("a", statements=known) if known else None, NOW)
    assert plan.row.statements == {"our1": instant}
    assert plan.puts[1].get("recorded") == instant


def test_the_instant_stands_in_its_place_instead_of_the_reason_for_its_absence() -> None:
    one = Unit(study("a"), (provenance("our1", _recorded={}, agent=[]),), (), "1.2.3", {}, "path")
    (_, put) = planner().unit(one, NOTHING, None, NOW).puts
    assert list(put) == ["resourceType", "id", "recorded", "activity", "agent"]


def test_what_is_no_longer_stated_is_stale_if_it_is_ours() -> None:
    found = Found(study("a"), (provenance("our1"), provenance("our2"), provenance("theirs")))
    plan = planner().unit(unit("a"), found, None, NOW)
    assert plan.deletes == ["Provenance/our2"]


def test_what_the_journal_knows_as_ours_is_ours_under_any_id() -> None:
    found = Found(study("a"), (provenance("odd"), provenance("theirs")))
    plan = planner().unit(unit("a"), found, row("a", statements={"odd": NOW}), NOW)
    assert plan.deletes == ["Provenance/odd"]


def test_what_is_withdrawn_already_is_not_withdrawn_again() -> None:
    found = Found(study("a"), (provenance("our2", withdrawn=True),))
    assert planner().unit(unit("a"), found, None, NOW).deletes == []


def test_the_journal_forgets_a_statement_only_when_its_end_is_acknowledged() -> None:
    found = Found(study("a"), (provenance("our1"), provenance("our2")))
    known = row("a", statements={"our1": BEFORE, "our2": BEFORE})
    plan = planner().unit(unit("a"), found, known, NOW)
    assert plan.before.statements == {"our1": BEFORE, "our2": BEFORE}
    assert plan.row.statements == {"our1": BEFORE}


def test_a_withdrawal_deletes_what_is_ours_and_bares_the_study() -> None:
    found = Found(study("a"), (provenance("our1"), provenance("theirs")))
    plan = planner().withdrawal(refused("a"), found, None)
    assert plan.deletes == ["Provenance/our1"]
    assert plan.puts == [{"resourceType": "ImagingStudy", "id": "s"}]
    assert (plan.row.state, plan.row.statements) == ("refused", {})


def test_what_a_withdrawn_study_still_lists_is_no_strangers_when_it_is_stated_again() -> None:
    found = Found(study("a", "b"), (provenance("our1"),))
    withdrawn = planner().withdrawal(refused("a"), found, row("a", "b")).row
    left = Found(study("a", "b"), ())
    assert not kept_of(planner(), unit("a", "c"), left, withdrawn).instances
    more = Found(study("a", "b", "d"), ())
    assert kept_of(planner(), unit("a", "c"), more, withdrawn).strangers == {"d"}


@pytest.mark.parametrize("found", [NOTHING, Found({"resourceType": "ImagingStudy", "id": "s"}, ())])
def test_a_refused_study_of_which_nothing_is_stated_calls_for_nothing(found: Found) -> None:
    plan = planner().withdrawal(refused("a"), found, None)
    assert (plan.puts, plan.deletes) == ([], [])


@pytest.mark.parametrize(
    ("held", "known", "kept", "strangers", "lost"),
    [
        (("a",), row("a"), "", "", ""),
        (("a", "b"), row("a", "b"), "", "", ""),
        (("a", "b"), None, "b", "b", ""),
        (("a", "b"), row("a"), "b", "b", ""),
        (("a", "b"), row("a", "b", source=THERE), "b", "", ""),
        (("a",), row("a", "b", source=THERE), "", "", "b"),
        ((), row("a"), "", "", ""),
        (("a", "b", "c"), row("a", "b"), "c", "c", ""),
    ],
    ids=[
        *("same", "gone from its source", "journal lost", "of unknown source", "of another source"),
        *("lost by the target", "first", "one of two unknown"),
    ],
)
def test_what_its_own_source_no_longer_lists_goes_and_all_else_stays(
    held: tuple[str, ...], known: StudyRow | None, kept: str, strangers: str, lost: str
) -> None:
    found = kept_of(planner(), unit("a"), Found(study(*held), ()), known)
    assert (found.instances, found.strangers, found.lost, found.unread) == (
        frozenset(kept),
        frozenset(strangers),
        frozenset(lost),
        frozenset(),
    )


@pytest.mark.parametrize(
    ("skipped", "before", "unread"),
    [(("f",), ("f",), ""), (("f",), (), "b"), (("f", "g"), ("f",), "b"), ((), ("f",), "")],
)
def test_a_file_that_is_newly_skipped_keeps_a_study_from_shrinking(
    skipped: tuple[str, ...], before: tuple[str, ...], unread: str
) -> None:
    found = Found(study("a", "b"), ())
    one = planner(frozenset(skipped), frozenset(before))
    assert kept_of(one, unit("a"), found, row("a", "b")).unread == frozenset(unread)
    assert not kept_of(one, unit("a", "b"), found, row("a", "b")).instances


@pytest.mark.parametrize(
    ("file", "unread"), [("0123456789.s1", ""), ("abcdefabcd.s1", "b"), ("", "b")]
)
def test_a_broken_file_that_delivered_another_instance_hides_only_that(
    file: str, unread: str
) -> None:
    known = replace(row("a", "b"), parts={HERE: Part("", {"b": file} if file else {})})
    broken = Listing(HERE, frozenset({"abcdefabcd0000"}))
    one = Planner(broken, frozenset(), Ours(), unexplained=False)
    found = kept_of(one, unit("a"), Found(study("a", "b"), ()), known)
    assert found.unread == frozenset(unread)


def test_instances_that_may_be_unread_stay_those_of_their_source() -> None:
    one = planner(frozenset({"f"}))
    sources = one.sources(one.mine(unit("a")), row("a", "b"), sent=True, unread=frozenset("b"))
    assert sources == {HERE: {"a": "c", "b": "c"}}
    known = StudyRow("sent", "", {}, sources, {HERE: Part(unit("a").sha, {})})
    assert not one.is_settled(unit("a"), known)


def test_what_another_source_has_had_stated_since_leaves_a_study_settled() -> None:
    one = unit("a")
    known = replace(row("a", sha="of the other"), parts={HERE: Part(one.sha, {})})
    assert planner().is_settled(one, known)
    assert not planner().is_settled(one, replace(known, parts={THERE: Part(one.sha, {})}))


def test_a_source_whose_instances_the_target_lost_must_state_them_anew() -> None:
    known = replace(
        row("b", source=THERE),
        parts={HERE: Part("1", {}), THERE: Part("2", {}), "x": Part("3", {})},
    )
    part = Parted(unit("a"), lost=frozenset("b"))
    plan = planner().unit(unit("a"), NOTHING, known, "now", part)
    assert plan.row.parts.keys() == {DELIVERED, HERE, "x"}


def test_two_sources_conflict_only_over_an_instance_that_both_list() -> None:
    elsewhere = row("a", source=THERE, claim="c")
    assert not planner().conflicts(unit("a", "b"), elsewhere)
    assert planner().conflicts(unit("a", "b", claim="d"), elsewhere)
    assert not planner().conflicts(unit("b", claim="d"), elsewhere)
    # What was noted under another policy cannot be compared.
    noted = row("a", source=THERE, claim="old:c")
    assert not planner().conflicts(unit("a", claim="new:d"), noted)
    assert planner().conflicts(unit("a", claim="old:d"), noted)
    assert not planner().conflicts(unit("a", claim="d"), row("a", source=HERE, claim="c"))
    assert not planner().conflicts(unit("a"), None)


def test_the_journal_holds_no_uid_but_a_digest_of_it() -> None:
    plan = planner().unit(unit("1.2.3.4.5"), NOTHING, None, NOW)
    assert "1.2.3" not in repr(plan.row) + repr(plan.before)


def test_what_is_put_is_written_out_as_it_stands() -> None:
    one = planner().unit(unit("a", "b"), NOTHING, None, NOW)
    assert [spelled(each) for each in one.puts] == [encoded(dict(each)) for each in one.puts]
    assert one.puts[1]["recorded"] == NOW
    assert one.size == sum(len(encoded(dict(each))) for each in one.puts)


def test_of_a_source_that_comes_in_parts_what_came_before_is_still_listed() -> None:
    parts = Planner(Listing(HERE, frozenset(), whole=False), frozenset(), Ours())
    before = row("a", "b", claim="old")
    for sent in (True, False):
        sources = parts.sources({"b": "c"}, before, sent=sent)
        assert sources[HERE] == {"a": "old", "b": "c"}
    assert parts.elsewhere(before) == {"a", "b"}
    assert planner().elsewhere(before) == frozenset()
    assert parts.elsewhere(None) == frozenset()
