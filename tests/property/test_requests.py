"""However a study comes in requests: it is stated as the whole, never by its good parts alone."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from deidfhir.config import Settings
from deidfhir.fhir.versions import FHIR_NAMES, FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.model.record import Instance
from deidfhir.model.verdict import Verdict, verdict_of
from deidfhir.policy.policy import Policy
from deidfhir.sync.journal import Journal
from deidfhir.sync.listing import UNLISTED
from tests.property.targets import Shelf, run
from tests.property.test_merging import POLICIES, SITES, on, stated, wholes
from tests.unit.model.records import removed

MODEST = settings(max_examples=150, deadline=None, derandomize=True)
GATEWAY = f"{UNLISTED}requests"
BAD = removed(patient_identity_removed=("NO",))


def request(
    shelf: Shelf, journal: Journal, instances: list[Instance], context: MappingContext
) -> bool:
    """Send some instances; tell whether they were stated."""
    report = run(shelf, journal, instances, GATEWAY, context, whole=False)
    return not [one for one in report.troubles if one.counts]


@MODEST
@given(
    whole=wholes(),
    parts=st.lists(st.integers(0, 3), min_size=6, max_size=6),
    site=SITES,
    policy=POLICIES,
    version=st.sampled_from(FHIR_NAMES),
)
def test_a_study_that_comes_in_requests_is_stated_as_the_whole(
    whole: list[Instance],
    parts: list[int],
    *,
    site: Settings,
    policy: Policy,
    version: FhirName,
) -> None:
    context = MappingContext(version, site, policy=policy)
    shelf, journal = Shelf(), Journal(None)
    pairs = list(zip(whole, parts, strict=False))
    requests = [[one for one, part in pairs if part == turn] for turn in range(4)]
    for one in filter(None, requests):
        if not request(shelf, journal, one, context):
            # What a Patient would have told of those that give no Patient ID is not held.
            assert site.patient == "resource"
            return
    assert on(shelf) == stated(whole, context)
    before = dict(shelf.held)
    again = [request(shelf, journal, one, context) for one in filter(None, requests)]
    assert all(again) or site.patient == "resource"
    assert shelf.held == before
    journal.close()


@MODEST
@given(
    whole=wholes(),
    sent=st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=3),
        min_size=1,
        max_size=6,
    ),
    site=SITES,
)
def test_while_any_instance_says_something_else_nothing_of_its_study_is_stated(
    whole: list[Instance], sent: list[list[tuple[int, bool]]], *, site: Settings
) -> None:
    context = MappingContext("R4", site, policy=Policy(accept=frozenset({Verdict.REMOVED})))
    shelf, journal = Shelf(), Journal(None)
    last: dict[str, Instance] = {}
    for chosen in sent:
        instances = [_made(whole[number % len(whole)], good=good) for number, good in chosen]
        one = list({each.sop_instance_uid: each for each in instances}.values())
        last |= {each.sop_instance_uid: each for each in one}
        was_stated = request(shelf, journal, one, context)
        good = all(verdict_of(each.markers)[0] is Verdict.REMOVED for each in last.values())
        if not good:
            assert not [name for name in shelf.held if name.startswith("Provenance/")]
        elif was_stated:
            assert on(shelf) == stated(list(last.values()), context)
    journal.close()


def _made(one: Instance, *, good: bool) -> Instance:
    """Return an instance with markers that say YES, or NO."""
    is_removed = verdict_of(one.markers)[0] is Verdict.REMOVED
    markers = (one.markers if is_removed else removed()) if good else BAD
    return one._replace(facts=replace(one.facts, markers=markers))
