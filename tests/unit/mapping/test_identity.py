"""Ids are the same in every run, and made of nothing that may change or tell (D17)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deidfhir.config import Settings
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import Namer, bare, urn
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.record import Markers
from tests.unit.model.records import STUDY, dcms, equipment, instance, item, removed, study

SITE = Namer("https://deidfhir.example/site/default")
PIXELMED = equipment(
    Manufacturer="PixelMed",
    ManufacturerModelName="DicomCleaner",
    SoftwareVersions=("1.0", "build 7"),
)


def ids(mapped: MappedStudy) -> list[str]:
    return [f"{one['resourceType']}/{one['id']}" for one in mapped.resources]


def mapped(*markers: Markers, **facts: Any) -> MappedStudy:  # noqa: ANN401 - of `instance`
    instances = (instance(n, one, **facts) for n, one in enumerate(markers, start=1))
    return map_study(study(*instances), MappingContext())


def test_the_ids_are_those_of_the_first_release() -> None:
    # Written down, not computed: whoever changes a name changes every id on every server.
    assert SITE.imaging_study("1.2.3") == "37f6ee0f-820c-5459-8ff3-fe16a1f916f9"
    assert SITE.provenance("1.2.3", "whole", "study") == "880b23f4-e6f7-56e7-8dd7-67c76ba5e534"
    assert SITE.device(PIXELMED) == "344cb4af-55d1-50f7-a656-4af23c8197fb"


def test_another_site_or_tenant_has_other_ids() -> None:
    namers = (SITE, Namer(SITE.namespace, "north"), Namer("https://other.example/"))
    assert len({one.imaging_study("1.2.3") for one in namers}) == 3
    assert len({one.provenance("1.2.3", "whole", "study") for one in namers}) == 3
    assert len({one.device(PIXELMED) for one in namers}) == 3


def test_a_key_a_place_and_a_study_make_a_provenance_of_its_own() -> None:
    names = [
        ("1.2.3", "whole", "study"),
        ("1.2.3", "whole", "1.2.3.4.5"),
        ("1.2.3", "item/1", "study"),
        ("1.2.4", "whole", "study"),
    ]
    assert len({SITE.provenance(*one) for one in names}) == 4


def test_texts_codes_and_times_change_no_id() -> None:
    item_now = replace(PIXELMED).without("ContributionDateTime")
    first = mapped(removed(method=("one",), equipment=(item_now,)))
    other = mapped(
        removed(
            method=("two", "three"),
            method_code=dcms("113100"),
            burned_in_annotation=("NO",),
            equipment=(
                equipment(
                    Manufacturer="PixelMed",
                    ManufacturerModelName="DicomCleaner",
                    SoftwareVersions=("1.0", "build 7"),
                    ContributionDateTime="20180803",
                    ContributionDescription="Cleaned",
                ),
            ),
        ),
        patient_id="ANYONE",
        study_description="ANYTHING",
        study_date="20200101",
    )
    assert ids(first) == ids(other)
    assert len(ids(first)) == 3


def test_the_order_of_instances_changes_nothing() -> None:
    markers = [removed(method=(f"text {n}",)) for n in (1, 1, 2)]
    instances = [instance(n, one) for n, one in enumerate(markers, start=1)]
    context = MappingContext()
    forward = map_study(study(*instances), context).bundle()
    assert map_study(study(*reversed(instances)), context).bundle() == forward


def test_a_device_is_what_identifies_it_as_far_as_that_leaves() -> None:
    base = SITE.device(PIXELMED)
    same = item(
        Manufacturer="PixelMed",
        ManufacturerModelName="DicomCleaner",
        SoftwareVersions=("1.0", "build 7"),
        StationName="STATION",
        InstitutionName="ANY",
        ContributionDateTime="2018",
        ContributionDescription="Cleaned",
        OperatorsName="OPERATOR",
    )
    assert SITE.device(same) == base
    others = [
        item(Manufacturer="PixelMed"),
        item(ManufacturerModelName="PixelMed"),
        item(Manufacturer="PixelMed", DeviceSerialNumber="7"),
        item(Manufacturer="PixelMed", DeviceUID="1.2.3"),
        item(Manufacturer="PixelMed", SoftwareVersions=("1.0", "2.0")),
        item(Manufacturer="PixelMed", SoftwareVersions="1.0, 2.0"),
    ]
    assert len({SITE.device(one) for one in others}) == len(others)


def test_an_item_with_nothing_that_identifies_it_has_no_device() -> None:
    assert SITE.device(equipment()) is None
    assert SITE.device(equipment(Manufacturer=(), SoftwareVersions=("", " "))) is None
    assert SITE.device(equipment(StationName="S", ContributionDateTime="2018")) is None


def test_withheld_identity_makes_no_other_device() -> None:
    masked = mapped(removed(equipment=(equipment(Manufacturer="A", DeviceSerialNumber="1"),)))
    other = mapped(removed(equipment=(equipment(Manufacturer="A", DeviceSerialNumber="2"),)))
    plain = mapped(removed(equipment=(equipment(Manufacturer="A"),)))
    assert ids(masked) == ids(other) == ids(plain)


def test_a_tenant_is_part_of_every_id() -> None:
    one = study(instance(1, removed(equipment=(PIXELMED,))))
    plain = map_study(one, MappingContext())
    north = map_study(one, MappingContext(settings=Settings(tenant="north")))
    assert not set(ids(plain)) & set(ids(north))


def test_uids_that_are_no_oids_stay_as_they_are() -> None:
    assert urn("1.2.3") == "urn:oid:1.2.3"
    assert urn("ab-01") == "ab-01"
    assert bare("urn:oid:1.2.3") == "1.2.3"
    assert bare("ab-01") == "ab-01"
    assert ids(mapped(removed(), study_uid=STUDY)) == ids(mapped(removed()))
