"""The gate before anything leaves: what FHIR's models do not know is stopped, without a value."""

from __future__ import annotations

from copy import deepcopy

import pytest

from deidfhir.errors import DataError
from deidfhir.fhir.check import check, check_whole
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FHIR_NAMES, FhirName, fhir_version
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import map_study
from tests.unit.model.records import equipment, instance, removed, study

R4 = fhir_version("R4")


def resources(version: FhirName = "R4") -> dict[str, JsonObject]:
    markers = removed(equipment=(equipment(Manufacturer="A", ManufacturerModelName="M"),))
    instances = [instance(n, markers, instance_number=str(n)) for n in (1, 2, 3)]
    made = map_study(study(*instances), MappingContext(version))
    return {one["resourceType"]: deepcopy(one) for one in made.resources}


@pytest.mark.parametrize("version", FHIR_NAMES)
def test_each_kind_of_resource_passes_in_each_version(version: FhirName) -> None:
    for resource in resources(version).values():
        check(resource, fhir_version(version))
        check_whole(resource, fhir_version(version))


@pytest.mark.parametrize("kind", ["ImagingStudy", "Provenance", "Device"])
def test_an_unknown_element_is_stopped_by_its_path(kind: str) -> None:
    resource = {**resources()[kind], "unknownElement": "a secret"}
    with pytest.raises(DataError) as caught:
        check(resource, R4)
    assert caught.value.code == "resource-invalid"
    assert "unknownElement" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "element"),
    [("ImagingStudy", "status"), ("ImagingStudy", "subject"), ("Provenance", "target"),
     ("Provenance", "agent")],
)  # fmt: skip
def test_a_missing_element_is_stopped(kind: str, element: str) -> None:
    resource = resources()[kind]
    del resource[element]
    with pytest.raises(DataError):
        check(resource, R4)


def test_the_elements_of_one_version_do_not_pass_in_the_other() -> None:
    for kind in ("ImagingStudy", "Device"):
        with pytest.raises(DataError):
            check(resources("R5")[kind], R4)
        with pytest.raises(DataError):
            check(resources("R4")[kind], fhir_version("R5"))


def test_an_instance_of_another_shape_is_looked_at_even_among_many() -> None:
    resource = resources()["ImagingStudy"]
    resource["series"][0]["instance"][2]["unknownElement"] = "x"
    with pytest.raises(DataError):
        check(resource, R4)


def test_checking_changes_nothing() -> None:
    resource = resources()["ImagingStudy"]
    before = deepcopy(resource)
    check(resource, R4)
    assert resource == before


def test_what_is_wrong_is_found_although_all_but_a_uuid_of_it_was_right_before() -> None:
    for resource in resources().values():
        check(resource, R4)
    for kind, resource in resources().items():
        if kind != "ImagingStudy":
            check({**resource, "id": "11111111-2222-4333-8444-555555555555"}, R4)
        wrong = {**resource, "id": "1 1"}
        with pytest.raises(DataError) as caught:
            check(wrong, R4)
        assert "id" in str(caught.value)


@pytest.mark.parametrize("place", ["study", "series", "instance"])
def test_an_extension_that_is_wrong_is_told_by_its_place(place: str) -> None:
    resource = resources()["ImagingStudy"]
    check(resource, R4)
    wrong = {"url": "https://example.org/a", "valueUnknown": "a secret"}
    series = resource["series"][0]
    holder = {"study": resource, "series": series, "instance": series["instance"][1]}[place]
    holder["extension"] = [*holder.get("extension", ()), wrong]
    with pytest.raises(DataError) as caught:
        check(resource, R4)
    assert "valueUnknown" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert ("series.0" in str(caught.value)) == (place != "study")


@pytest.mark.parametrize(
    ("element", "value"),
    [
        *(("uid", "urn:oid:1.2"), ("uid", "1.2 3"), ("uid", "1.02_"), ("uid", 3)),
        *(("number", -1), ("number", 2**31), ("number", "x"), ("number", 1.5)),
    ],
)
def test_what_is_wrong_is_found_although_another_uid_or_number_was_right_before(
    element: str, value: object
) -> None:
    resource = resources()["ImagingStudy"]
    check(resource, R4)
    right = deepcopy(resource)
    for number, one in enumerate(right["series"][0]["instance"], start=7):
        one["uid"], one["number"] = f"2.25.{number}", number
    check(right, R4)
    resource["series"][0]["instance"][0][element] = value
    with pytest.raises(DataError):
        check_whole(resource, R4)
    with pytest.raises(DataError):
        check(resource, R4)
