"""Whatever an object holds comes back from FHIR within D4, and FHIR can hold it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from deidfhir.fhir.check import check_whole
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.reverse import read_back
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.mapping.temporal import fhir_from_date_and_time, fhir_from_dt
from deidfhir.model.record import MASKED, Instance, Item, Markers
from tests.unit.model.records import study

from .strategies import TEXT, studies

MODEST = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    # Without Phase.explain, which takes minutes for a study that fails.
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
VERSIONS: list[FhirName] = ["R4", "R5"]
both_versions = pytest.mark.parametrize("version", VERSIONS)

# D4, by hand: element of an equipment item → the code that lets it leave; None for never here.
NEEDS = {
    "InstitutionName": "113112",
    "StationName": "113109",
    "OperatorsName": None,
    "DeviceSerialNumber": "113109",
    "DeviceUID": "113109",
    "UDISequence": "113109",
}


def stated_codes(markers: Markers) -> set[str]:
    """Return the values of the codes whose scheme is DCM, read without the program."""
    found = set()
    for code in markers.method_code or ():
        elements: dict[str, Any] = dict(code.elements)
        value, scheme = (elements.get(one) for one in ("CodeValue", "CodingSchemeDesignator"))
        if value and scheme and scheme[0].strip(" \0").upper() == "DCM":
            found.add(value[0].strip(" \0"))
    return found


def within_d4(markers: Markers) -> Markers:
    """Return the markers with MASKED where something must not leave."""
    codes = stated_codes(markers)

    def leaving(item: Item) -> Item:
        return Item(
            tuple(
                (keyword, MASKED if content and keyword in NEEDS and NEEDS[keyword] not in codes
                 else content)
                for keyword, content in item.elements
            )
        )  # fmt: skip

    return replace(markers, equipment=tuple(leaving(one) for one in markers.equipment))


def mapped(instances: list[Instance], version: FhirName) -> MappedStudy:
    return map_study(study(*instances), MappingContext(version))


@both_versions
@MODEST
@given(instances=studies())
def test_any_record_comes_back_within_what_may_leave(
    instances: list[Instance], version: FhirName
) -> None:
    bundle = json.loads(json.dumps(mapped(instances, version).bundle()))
    (found,) = read_back([bundle])
    expected = {one.sop_instance_uid: within_d4(one.markers) for one in instances}
    assert {one.sop_instance_uid: one.markers for one in found.instances} == expected


@both_versions
@MODEST
@given(instances=studies())
def test_whatever_is_mapped_passes_the_models_of_fhir(
    instances: list[Instance], version: FhirName
) -> None:
    made = mapped(instances, version)
    for resource in made.resources:
        check_whole(resource, MappingContext(version).version)


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


@both_versions
@MODEST
@given(instances=studies())
def test_no_text_in_fhir_is_empty_or_holds_what_fhir_forbids(
    instances: list[Instance], version: FhirName
) -> None:
    for text in strings(mapped(instances, version).bundle()):
        assert text.strip()
        assert re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", text) is None


@MODEST
@given(instances=studies(), data=st.data())
def test_ids_and_bundles_do_not_depend_on_the_order_of_instances(
    instances: list[Instance], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(instances))
    assert mapped(shuffled, "R4").bundle() == mapped(instances, "R4").bundle()


@MODEST
@given(instances=studies())
def test_a_bundle_names_every_resource_once_and_refers_to_none_outside(
    instances: list[Instance],
) -> None:
    made = mapped(instances, "R4")
    own = [f"{one['resourceType']}/{one['id']}" for one in made.resources]
    assert len(set(own)) == len(own)
    assert set(references(made.bundle())) <= set(own)


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "reference" and isinstance(one, str):
                yield one
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


# FHIR datatypes, dateTime: the expression of R4, where a time has seconds and a zone.
DATE_TIME = re.compile(
    r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
    r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?"
)
NEARLY_DT = st.from_regex(r"\d{4}(\d{2}){0,5}(\.\d{1,6})?([+-]\d{4})?", fullmatch=True)
ZONES = st.one_of(TEXT, st.from_regex(r"[+-](0\d|1[0-5])[0-6]\d", fullmatch=True))


@settings(MODEST, max_examples=200)
@example(text="٢٠١٨", zone="")
@example(text="20161231235960+0000", zone="")
@example(text="20180803160127", zone="+1430")
@given(text=st.one_of(NEARLY_DT, TEXT), zone=ZONES)
def test_any_date_time_becomes_one_of_fhir_or_none(text: str, zone: str) -> None:
    found = fhir_from_dt(text, zone)
    assert found is None or DATE_TIME.fullmatch(found)
    found = fhir_from_date_and_time(text[:8], text[8:14], zone)
    assert found is None or DATE_TIME.fullmatch(found)


def test_the_properties_see_every_kind_of_resource() -> None:
    kinds: set[str] = set()

    @settings(MODEST, max_examples=20)
    @given(instances=studies())
    def collect(instances: list[Instance]) -> None:
        resources: tuple[JsonObject, ...] = mapped(instances, "R4").resources
        kinds.update(one["resourceType"] for one in resources)

    collect()
    assert kinds == {"Device", "ImagingStudy", "Provenance"}
