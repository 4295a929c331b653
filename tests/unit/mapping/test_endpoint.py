"""The Endpoint of the site's DICOMweb root: one for all studies, none by default."""

from __future__ import annotations

import pytest

from deidfhir.config import Settings, load_settings
from deidfhir.errors import UsageError
from deidfhir.fhir.check import check_whole
from deidfhir.fhir.versions import FHIR_NAMES, FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from tests.unit.model.records import instance, study

ROOT = "https://archive.example/dicom-web"


def mapped(uid: str, settings: Settings, fhir: FhirName = "R4") -> MappedStudy:
    return map_study(study(instance(1, study_uid=uid)), MappingContext(fhir, settings))


def test_by_default_there_is_none() -> None:
    found = mapped("1.2.3", Settings())
    assert found.shared == ()
    assert "endpoint" not in found.imaging_study


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_a_root_makes_one_endpoint_that_every_study_refers_to(fhir: FhirName) -> None:
    settings = Settings(dicomweb_root=ROOT)
    first, second = mapped("1.2.3", settings, fhir), mapped("1.2.4", settings, fhir)
    assert first.shared == second.shared
    (endpoint,) = first.shared
    assert (endpoint["resourceType"], endpoint["address"]) == ("Endpoint", ROOT)
    for one in (first, second):
        (reference,) = one.imaging_study["endpoint"]
        assert reference == {"reference": f"Endpoint/{endpoint['id']}", "type": "Endpoint"}
        assert one.resources[0] == endpoint
        assert one.devices == ()
    for resource in first.resources:
        check_whole(resource, MappingContext(fhir).version)


def test_it_holds_nothing_of_any_object() -> None:
    (endpoint,) = mapped("1.2.3", Settings(dicomweb_root=ROOT)).shared
    assert set(endpoint) == {
        *("resourceType", "id", "text", "status", "connectionType", "payloadType"),
        *("payloadMimeType", "address"),
    }
    (bare,) = mapped("1.2.3", Settings(dicomweb_root=ROOT, narrative=False)).shared
    assert "text" not in bare


def test_another_root_or_tenant_is_another_endpoint() -> None:
    ids = {
        mapped("1.2.3", one).shared[0]["id"]
        for one in (
            Settings(dicomweb_root=ROOT),
            Settings(dicomweb_root=f"{ROOT}/b"),
            Settings(dicomweb_root=ROOT, tenant="other"),
        )
    }
    assert len(ids) == 3


@pytest.mark.parametrize(
    "value",
    ["archive", "ftp://archive.example", "https://user:word@archive.example", "https://a/b?c=d"],
)
def test_a_root_is_a_url_without_credentials_or_query(value: str) -> None:
    with pytest.raises(UsageError, match="dicomweb_root takes a URL"):
        load_settings(None, {"DEIDFHIR_DICOMWEB_ROOT": value})


def test_a_root_may_be_set() -> None:
    assert load_settings(None, {"DEIDFHIR_DICOMWEB_ROOT": ROOT}).dicomweb_root == ROOT
    assert load_settings(None, {"DEIDFHIR_DICOMWEB_ROOT": ""}).dicomweb_root == ""
