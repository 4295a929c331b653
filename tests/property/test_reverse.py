"""An object's markers → FHIR → DICOM JSON → the same markers, but for what is withheld (D4)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, strategies

from deidfhir.dicom.dicomjson import elements_of_json
from deidfhir.dicom.elements import Header
from deidfhir.dicom.reader import instance_of
from deidfhir.dicom.writing import json_of, withheld
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.reverse import read_back
from deidfhir.mapping.study import map_study
from deidfhir.model.record import MASKED, Instance, Item, Markers
from deidfhir.pipeline.reversing import Reversal, reverse_lines
from tests.unit.model.records import study

from .strategies import studies
from .test_round_trip import MODEST, VERSIONS, both_versions, within_d4

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def read(uids: tuple[str, str, str], markers: Markers) -> Markers:
    """Return what reading the object makes of the markers that were written."""
    written = json.loads(json.dumps(json_of(uids, markers)))
    instance, _ = instance_of(Header(elements_of_json(written)))
    assert (instance.study_uid, instance.series_uid, instance.sop_instance_uid) == uids
    return instance.markers


def uids_of(one: Instance) -> tuple[str, str, str]:
    return one.study_uid, one.series_uid, one.sop_instance_uid


def without_masked(markers: Markers) -> Markers:
    def bare(item: Item) -> Item:
        return Item(tuple(pair for pair in item.elements if pair[1] is not MASKED))

    return replace(markers, equipment=tuple(bare(one) for one in markers.equipment))


@both_versions
@MODEST
@given(instances=studies())
def test_the_markers_of_every_object_come_back_as_dicom_json(
    instances: list[Instance], version: str
) -> None:
    # As they are read: padding is gone, backslashes separate values.
    given_ = [
        one._replace(facts=replace(one.facts, markers=read(uids_of(one), one.markers)))
        for one in instances
    ]
    fhir = next(one for one in VERSIONS if one == version)
    bundle = json.loads(json.dumps(map_study(study(*given_), MappingContext(fhir)).bundle()))
    (stated,) = read_back([bundle])
    found = {
        one.sop_instance_uid: read(
            (stated.study_uid, one.series_uid, one.sop_instance_uid), one.markers
        )
        for one in stated.instances
    }
    expected = {one.sop_instance_uid: without_masked(within_d4(one.markers)) for one in given_}
    assert found == expected
    masked = sum(withheld(one.markers) for one in stated.instances)
    assert masked == sum(withheld(within_d4(one.markers)) for one in given_)


def _nodes(value: object) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value: its holder and its key or number."""
    keyed: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        keyed = [(value, key) for key in value]
    elif isinstance(value, list):
        keyed = [(value, number) for number in range(len(value))]
    return keyed + [more for holder, key in keyed for more in _nodes(holder[key])]


ANY_JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(max_size=3),
    lambda inner: (
        strategies.lists(inner, max_size=2)
        | strategies.dictionaries(strategies.sampled_from(["url", "extension", "uid"]), inner)
    ),
    max_leaves=4,
)


@MODEST
@given(instances=studies(), choices=strategies.data(), value=ANY_JSON)
def test_whatever_stands_in_a_bundle_no_reversal_breaks(
    instances: list[Instance], choices: strategies.DataObject, value: object
) -> None:
    bundle = json.loads(json.dumps(map_study(study(*instances), MappingContext("R4")).bundle()))
    holder, key = choices.draw(strategies.sampled_from(_nodes(bundle)))
    holder[key] = value
    reversal = Reversal()
    lines = [b"{", json.dumps(bundle).encode("utf-8")]
    objects = list(reverse_lines(lines, reversal))
    assert len(objects) == reversal.objects <= len(instances)
    assert list(reversal.broken) in ([1], [1, 2])
