"""Whatever parts of a study are seen, in whatever order: what is stated is the whole's (D19)."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from deidfhir.config import Settings
from deidfhir.fhir.types import reference
from deidfhir.fhir.versions import FHIR_NAMES, FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import map_study
from deidfhir.model.record import Evidence, Instance
from deidfhir.model.verdict import Verdict
from deidfhir.policy.policy import Policy
from deidfhir.sync.comparing import comparable
from deidfhir.sync.journal import Journal
from tests.property.strategies import MARKERS, TEXT
from tests.property.targets import Shelf, run
from tests.unit.model.records import dcms, equipment, instance, item, removed, study

MODEST = settings(max_examples=250, deadline=None, derandomize=True)
SITES: Final = st.builds(
    Settings,
    patient=st.sampled_from(["reference", "resource"]),
    label=st.sampled_from(["none", "PSEUDED", "ANONYED"]),
    subject=st.sampled_from(["as-is", "withheld"]),
    narrative=st.booleans(),
)
POLICIES: Final = st.builds(
    Policy,
    accept=st.just(frozenset(Verdict)),
    withhold=st.frozensets(st.sampled_from(["DeidentificationMethod", "SeriesNumber"]), max_size=1),
    inferred_codes=st.booleans(),
)
CODES: Final = ("113100", "113105", "113106", "113107", "113108")
OWN: Final = item(CodeValue="1", CodingSchemeDesignator="99PMP", CodeMeaning="own")
PLAUSIBLE: Final = st.builds(
    lambda codes, own, method, made, when: removed(
        method_code=(*dcms(*codes), *([OWN] if own else [])),
        coding_schemes=(("99PMP", "1.2.3"), ("DCM", "1.2.840.10008.2.16.4")) if own else (),
        method=method,
        equipment=(equipment(Manufacturer=made, ContributionDateTime=when),) if made else (),
    ),
    st.sampled_from(
        [("113100",), CODES[:2], CODES[:3], (*CODES[:2], "113107"), CODES[:1] + CODES[4:]]
    ),
    st.booleans(),
    st.sampled_from([None, ("tool 1",), ("Orthanc 1.9.7",)]),
    st.sampled_from(["", "PixelMed", "Other"]),
    st.sampled_from(["20200101", "20200102101112+0100", "20200103", "20200103101112"]),
)


@st.composite
def wholes(draw: st.DrawFn) -> list[Instance]:
    """Draw the two to six instances of a study whose facts mostly agree."""
    pool = draw(st.lists(st.one_of(PLAUSIBLE, MARKERS), min_size=1, max_size=3))
    places = draw(
        st.lists(
            st.tuples(st.integers(1, 2), st.integers(1, 3)), min_size=2, max_size=6, unique=True
        )
    )
    usual: dict[str, Any] = {
        "patient_id": draw(st.sampled_from(["SUBJ-1", ""])),
        "patient_sex": draw(st.sampled_from(["F", "", "X"])),
        "study_date": draw(st.sampled_from(["20200101", ""])),
        "study_time": draw(st.sampled_from(["101500", "1015", ""])),
        "study_description": draw(st.sampled_from(["CT CHEST", "", "a\x01"])),
        "timezone": draw(st.sampled_from(["+0100", ""])),
    }
    other: dict[str, Any] = {
        "patient_id": "SUBJ-2",
        "patient_sex": "M",
        "study_date": "20200203",
        "study_description": "OTHER",
        "modality": "",
        "series_number": "x",
        "body_part": "ARM",
        "series_description": "",
        "encrypted": True,
        "evidence": Evidence(implementation_version_name="OFFIS_DCMTK_367"),
    }
    made = []
    for series, number in places:
        facts = {
            **usual,
            "series_number": str(series),
            "instance_number": str(number),
            "series_description": "AXIAL",
            "series_date": "20200102",
            "body_part": "CHEST",
            "title": draw(st.one_of(st.just("ORIGINAL"), TEXT)),
        }
        for odd in draw(st.lists(st.sampled_from(sorted(other)), max_size=2)):
            facts[odd] = other[odd]
        made.append(instance(number, draw(st.sampled_from(pool)), series=series, **facts))
    return made


def stated(instances: list[Instance], context: MappingContext) -> dict[str, str]:
    """Return what one run over everything states, as it is compared."""
    made = map_study(study(*instances), context)
    own = (*made.patients, made.imaging_study, *made.provenances)
    return {reference(one): comparable(one) for one in own}


def on(shelf: Shelf) -> dict[str, str]:
    """Return what a target holds, but for what studies share."""
    return {name: comparable(one) for name, one in shelf.held.items() if "Device/" not in name}


@MODEST
@given(
    whole=wholes(),
    parts=st.lists(st.integers(0, 2), min_size=6, max_size=6),
    turns=st.permutations([0, 1, 2]),
    site=SITES,
    policy=POLICIES,
    version=st.sampled_from(FHIR_NAMES),
    one_journal=st.booleans(),
)
def test_parts_in_any_order_give_what_the_whole_gives(
    whole: list[Instance],
    parts: list[int],
    turns: list[int],
    *,
    site: Settings,
    policy: Policy,
    version: FhirName,
    one_journal: bool,
) -> None:
    context = MappingContext(version, site, policy=policy)
    shelf, shared = Shelf(), Journal(None)
    journals = {turn: shared if one_journal else Journal(None) for turn in turns}
    split = {
        turn: [one for one, part in zip(whole, parts, strict=False) if part == turn]
        for turn in turns
    }
    for turn in turns:
        report = run(shelf, journals[turn], split[turn], f"part {turn}", context)
        if [one.code for one in report.troubles if one.counts]:
            # What a Patient would have told of those that give no Patient ID is not held.
            assert site.patient == "resource"
            assert {bool(one.facts.patient_id) for one in whole} == {True, False}
            return
    assert on(shelf) == stated(whole, context)
    before = dict(shelf.held)
    for turn in turns:
        run(shelf, journals[turn], split[turn], f"part {turn}", context)
    assert shelf.held == before
    for journal in {id(one): one for one in journals.values()}.values():
        journal.close()


@MODEST
@given(
    whole=wholes(),
    changed=wholes(),
    parts=st.lists(st.integers(0, 1), min_size=6, max_size=6),
    gone=st.sets(st.integers(0, 5), max_size=1),
    site=SITES,
    one_journal=st.booleans(),
)
def test_what_changes_in_a_part_is_stated_as_of_the_whole_or_left_alone(
    whole: list[Instance],
    changed: list[Instance],
    parts: list[int],
    *,
    gone: set[int],
    site: Settings,
    one_journal: bool,
) -> None:
    context = MappingContext("R4", site, policy=Policy(accept=frozenset(Verdict)))
    shelf, shared = Shelf(), Journal(None)
    journals = [shared, shared if one_journal else Journal(None)]
    split = [[one for one, part in zip(whole, parts, strict=False) if part == n] for n in (0, 1)]
    refused = [run(shelf, journals[n], split[n], f"part {n}", context).exit_code for n in (0, 1)]
    # Afterwards the objects of the first part are others, or are gone.
    by_uid = {one.sop_instance_uid: one for one in changed}
    split[0] = [
        by_uid.get(one.sop_instance_uid, one)
        for number, one in enumerate(split[0])
        if number not in gone
    ]
    before = on(shelf)
    report = run(shelf, journals[0], split[0], "part 0", context)
    if [one.code for one in report.troubles if one.counts]:
        assert on(shelf) == before
    elif split[0] and not any(refused):
        assert on(shelf) == stated([*split[0], *split[1]], context)
    for journal in journals:
        journal.close()
