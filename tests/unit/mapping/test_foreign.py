"""Someone else's ImagingStudy: what stands by it, how it is enriched, and given back (D21)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.check import check_whole
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.enriched import enriched, stripped
from deidfhir.mapping.foreign import Foreign, uids_replaced
from deidfhir.mapping.reverse import read_back
from deidfhir.mapping.study import foreign_provenances, map_study
from deidfhir.model.study import Study
from tests.unit.model.records import dcm, equipment, instance, removed, study

Json = dict[str, Any]
CONTEXT = MappingContext("R4", Settings(label="PSEUDED"))
REPLACED = (dcm("113100"),)


def two_sets() -> Study:
    """Return a study whose instances differ in their times, and one in its method."""
    at = [equipment(Manufacturer="Acme", ContributionDateTime=f"2020010{day}") for day in (1, 2, 3)]
    return study(
        instance(1, removed(method=("a",), equipment=(at[0],), method_code=REPLACED)),
        instance(2, removed(method=("a",), equipment=(at[1],), method_code=REPLACED)),
        instance(3, removed(method=("b", ""), equipment=(at[2],)), series=2),
    )


def one_set() -> Study:
    """Return a study whose instances agree in all."""
    return study(*(instance(number, removed(method_code=REPLACED)) for number in (1, 2)))


def theirs(of: Study, *, only: int = 99, more: tuple[str, ...] = (), **changes: object) -> Json:
    """Return an ImagingStudy of someone else that lists some instances of a study."""
    series = [
        {
            "uid": uid,
            "instance": [{"uid": one.sop_instance_uid, "number": 1} for one in members[:only]]
            + [{"uid": one} for one in more],
        }
        for uid, members in of.series().items()
    ]
    resource = {
        "resourceType": "ImagingStudy",
        "id": "pacs-1",
        "meta": {"versionId": "4", "security": [{"system": "https://pacs.example", "code": "r"}]},
        "extension": [{"url": "https://pacs.example/a", "valueString": "theirs"}],
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{of.uid}"}],
        "unknownElement": {"kept": [1, 2]},
        "series": series if only else [],
    }
    return resource | changes


LISTINGS: dict[str, dict[str, Any]] = {
    "all": {},
    "none": {"only": 0},
    "fewer": {"only": 1},
    "more": {"more": ("1.2.3.99",)},
    "a count that says more": {"numberOfInstances": 50},
}


def markers(resources: list[Json]) -> dict[str, tuple[Any, ...]]:
    """Return what is read back of each instance."""
    return {
        one.sop_instance_uid: (one.series_uid, one.verdict, one.markers)
        for found in read_back(resources)
        for one in found.instances
        if one.verdict is not None
    }


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("of", [two_sets(), one_set()], ids=["two sets", "one set"])
@pytest.mark.parametrize("how", ["linked", "enriched"])
def test_all_markers_come_back_as_from_ours(of: Study, listing: str, how: str) -> None:
    own = map_study(of, CONTEXT)
    resource = theirs(of, **LISTINGS[listing])
    if how == "enriched":
        made = enriched(resource, own.imaging_study, of, CONTEXT)
        assert made is not None
        resource = made
    foreign = Foreign.of(resource, enriched=how == "enriched")
    provenances = foreign_provenances(of, foreign, CONTEXT)
    for one in provenances:
        check_whole(one, CONTEXT.version)
    assert markers([resource, *provenances]) == markers([*own.resources])
    assert [one["id"] for one in provenances] == [one["id"] for one in own.provenances]


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("of", [two_sets(), one_set()], ids=["two sets", "one set"])
def test_what_was_added_goes_and_leaves_no_letter_changed(of: Study, listing: str) -> None:
    own = map_study(of, CONTEXT).imaging_study
    before = theirs(of, **LISTINGS[listing])
    kept = json.dumps(before)
    added = enriched(before, own, of, CONTEXT)
    assert added is not None
    assert added != before
    assert enriched(added, own, of, CONTEXT) == added
    assert json.dumps(before) == kept
    assert stripped(added, own["id"], CONTEXT) == before
    assert stripped(before, own["id"], CONTEXT) is before
    assert stripped(added, "the id of another site", CONTEXT) is added


@pytest.mark.parametrize(
    ("listing", "whole"), [(one, one == "all") for one in LISTINGS], ids=list(LISTINGS)
)
def test_nothing_is_said_of_the_whole_unless_all_that_is_listed_was_read(
    listing: str, *, whole: bool
) -> None:
    of = one_set()
    own = map_study(of, CONTEXT).imaging_study
    resource = theirs(of, **LISTINGS[listing])
    (provenance,) = foreign_provenances(of, Foreign.of(resource), CONTEXT)
    named = [one for one in provenance["extension"] if one["url"].endswith("-instances")]
    assert ("extension" not in provenance["target"][0], not named) == (whole, whole)
    added = enriched(resource, own, of, CONTEXT)
    assert added is not None
    urls = [one["url"].rsplit("-", 1)[1] for one in added["extension"][1:]]
    assert urls == (["markers", "added"] if whole else ["instances", "added"])
    labels = [one["code"] for one in added["meta"]["security"]]
    assert labels == (["r", "PSEUDED"] if whole else ["r"])


def test_a_label_that_was_there_is_theirs_and_stays() -> None:
    of = one_set()
    own = map_study(of, CONTEXT).imaging_study
    label = own["meta"]["security"][0]
    before = theirs(of, meta={"security": [label]})
    added = enriched(before, own, of, CONTEXT)
    assert added is not None
    assert added["meta"] == before["meta"]
    assert stripped(added, own["id"], CONTEXT) == before


def test_the_markers_of_another_site_are_not_overwritten() -> None:
    of = one_set()
    own = map_study(of, CONTEXT).imaging_study
    other = {**own, "id": "of-another-site"}
    assert enriched(other, own, of, CONTEXT) is None


@pytest.mark.parametrize(
    ("codes", "replaced"),
    [
        (("113100",), True),
        (("113100", "113107"), True),
        (("113100", "113110"), False),
        (("113107",), False),
        ((), False),
    ],
    ids=str,
)
def test_only_codes_of_every_instance_say_that_uids_were_replaced(
    codes: tuple[str, ...], *, replaced: bool
) -> None:
    stated = tuple(dcm(one) for one in codes)
    alone = study(instance(1, removed(method_code=stated)))
    beside = study(instance(1, removed(method_code=stated)), instance(2, removed()))
    assert uids_replaced(alone, CONTEXT) is replaced
    assert not uids_replaced(beside, CONTEXT)


def test_codes_that_contradict_the_verdict_say_nothing() -> None:
    markers_of = removed(method_code=REPLACED)
    denied = replace(markers_of, patient_identity_removed=("NO",))
    assert not uids_replaced(study(instance(1, denied)), CONTEXT)


@pytest.mark.parametrize("listing", LISTINGS)
def test_no_site_touches_what_another_has_added(listing: str) -> None:
    of = two_sets()
    mine = map_study(of, CONTEXT).imaging_study
    others = {**mine, "id": "the id of another site"}
    before = theirs(of, **LISTINGS[listing])
    first, second = (enriched(before, one, of, CONTEXT) for one in (mine, others))
    assert first is not None
    assert second is not None
    assert enriched(first, others, of, CONTEXT) is None
    assert enriched(second, mine, of, CONTEXT) is None


def test_where_two_sites_stand_each_takes_its_own_away() -> None:
    of = two_sets()
    mine = map_study(of, CONTEXT).imaging_study
    others = {**mine, "id": "the id of another site"}
    before = theirs(of, only=1)
    first, second = (enriched(before, one, of, CONTEXT) for one in (mine, others))
    assert first is not None
    assert second is not None
    own = len(before["extension"])
    both = {**first, "extension": [*first["extension"], *second["extension"][own:]]}
    assert enriched(both, mine, of, CONTEXT) is None
    assert stripped(both, mine["id"], CONTEXT) == second
    assert stripped(both, others["id"], CONTEXT) == first


def test_a_label_on_what_has_no_meta_leaves_none() -> None:
    of = one_set()
    own = map_study(of, CONTEXT).imaging_study
    before = theirs(of)
    del before["meta"]
    added = enriched(before, own, of, CONTEXT)
    assert added is not None
    assert added["meta"]["security"]
    assert stripped(added, own["id"], CONTEXT) == before
