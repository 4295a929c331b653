"""The markers extension: each attribute where all instances agree, and nothing lost (D2, D4)."""

from __future__ import annotations

from deidfhir.config import Settings
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import map_study
from deidfhir.model.record import Instance, Markers
from tests.unit.model.records import dcms, equipment, instance, item, removed, study

URL = "https://deidfhir.example/fhir/StructureDefinition/deidentification-markers"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
YES = [
    {"url": "verdict", "valueCode": "removed"},
    {"url": "reason", "valueCode": "identity-removed-yes"},
    {"url": "patientIdentityRemoved", "valueString": "YES"},
]


def absent(slot: str, reason: str) -> JsonObject:
    return {"url": slot, "extension": [{"url": ABSENT, "valueCode": reason}]}


def resource(*instances: Instance) -> JsonObject:
    return map_study(study(*instances), MappingContext(settings=Settings())).imaging_study


def slots(element: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = []
    for one in element.get("extension", ()):
        assert one["url"] == URL
        found += one["extension"]
    return found


def named(element: JsonObject, *names: str) -> list[JsonObject]:
    return [one for one in slots(element) if one["url"] in names]


def test_what_all_instances_share_stands_at_the_study_alone() -> None:
    markers = removed(
        method=("first", "", " third"),
        burned_in_annotation=("NO",),
        recognizable_visual_features=(),
        longitudinal_temporal_information_modified=("MODIFIED",),
    )
    found = resource(instance(1, markers), instance(1, markers, series=2))
    assert slots(found) == [
        *YES,
        {"url": "method", "valueString": "first"},
        absent("method", "unknown"),
        {"url": "method", "valueString": " third"},
        {"url": "burnedInAnnotation", "valueString": "NO"},
        absent("recognizableVisualFeatures", "unknown"),
        {"url": "longitudinalTemporalInformationModified", "valueString": "MODIFIED"},
    ]
    for series in found["series"]:
        assert "extension" not in series
        assert "extension" not in series["instance"][0]


def test_what_a_series_shares_stands_there_and_what_it_does_not_below_it() -> None:
    found = resource(
        instance(1, removed(method=("a",))),
        instance(2, removed(method=("a",))),
        instance(1, removed(method=("b",)), series=2),
        instance(2, removed(), series=2),
    )
    assert slots(found) == YES
    assert named(found["series"][0], "method") == [{"url": "method", "valueString": "a"}]
    assert slots(found["series"][1]) == []
    first, second = found["series"][1]["instance"]
    assert slots(first) == [{"url": "method", "valueString": "b"}]
    assert slots(second) == []


def test_a_verdict_stands_at_every_level_down_to_where_it_is_one() -> None:
    found = resource(
        instance(1),
        instance(2),
        instance(1, series=2),
        instance(2, Markers(None), series=2),
    )
    mixed = [{"url": "verdict", "valueCode": "mixed"}]
    assert named(found, "verdict", "reason") == mixed
    assert named(found["series"][0], "verdict", "reason") == YES[:2]
    assert named(found["series"][1], "verdict", "reason") == mixed
    of_instances = [named(one, "verdict", "reason") for one in found["series"][1]["instance"]]
    assert of_instances == [
        YES[:2],
        [
            {"url": "verdict", "valueCode": "unknown"},
            {"url": "reason", "valueCode": "identity-removed-absent"},
        ],
    ]
    assert [slots(one) for one in found["series"][0]["instance"]] == [[], []]


def test_code_items_stand_verbatim_in_order_and_numbered() -> None:
    codes = (
        *dcms("113100"),
        item(),
        item(CodeValue="210001", CodingSchemeDesignator="99PMP", CodingSchemeVersion="01"),
    )
    found = named(resource(instance(1, removed(method_code=codes))), "methodCode")
    profile = "Basic Application Confidentiality Profile"
    dcm = "http://dicom.nema.org/resources/ontology/DCM"
    coding = {"system": dcm, "code": "113100", "display": profile}
    assert found == [
        {
            "url": "methodCode",
            "extension": [
                {"url": "item", "valuePositiveInt": 1},
                {"url": "coding", "valueCoding": coding},
                {"url": "codeValue", "valueString": "113100"},
                {"url": "codingSchemeDesignator", "valueString": "DCM"},
                {"url": "codeMeaning", "valueString": profile},
            ],
        },
        {"url": "methodCode", "extension": [{"url": "item", "valuePositiveInt": 2}]},
        {
            "url": "methodCode",
            "extension": [
                {"url": "item", "valuePositiveInt": 3},
                {"url": "codeValue", "valueString": "210001"},
                {"url": "codingSchemeDesignator", "valueString": "99PMP"},
                {"url": "codingSchemeVersion", "valueString": "01"},
            ],
        },
    ]


def test_an_empty_code_sequence_differs_from_an_absent_one() -> None:
    found = resource(instance(1, removed(method_code=())), instance(2, removed()))
    first, second = found["series"][0]["instance"]
    assert named(first, "methodCode") == [absent("methodCode", "unknown")]
    assert named(second, "methodCode") == []


def test_an_equipment_item_stands_with_its_time_and_device_whatever_the_verdict() -> None:
    one = equipment(Manufacturer="A", StationName="S", ContributionDateTime="20180803160127.284")
    context = MappingContext()
    mapped = map_study(study(instance(1, Markers(None, equipment=(one,)))), context)
    (device,) = mapped.devices
    (found,) = named(mapped.imaging_study, "equipment")
    purpose = found["extension"].pop()
    assert found["extension"] == [
        {"url": "item", "valuePositiveInt": 1},
        {"url": "device", "valueReference": {"reference": f"Device/{device['id']}"}},
        {"url": "manufacturer", "valueString": "A"},
        absent("stationName", "masked"),
        {"url": "contributionDateTime", "valueString": "20180803160127.284"},
    ]
    assert purpose["url"] == "purposeCode"
    assert mapped.provenances == ()


def test_times_that_differ_put_the_items_at_the_instances() -> None:
    markers = [
        removed(equipment=(equipment(Manufacturer="A", ContributionDateTime=when),))
        for when in ("20180803160127.284+0100", "20180803160127.595+0100")
    ]
    found = resource(*(instance(n, one) for n, one in enumerate(markers, 1)))
    assert named(found, "equipment") == []
    times = [
        ext["valueString"]
        for one in found["series"][0]["instance"]
        for slot in named(one, "equipment")
        for ext in slot["extension"]
        if ext["url"] == "contributionDateTime"
    ]
    assert times == ["20180803160127.284+0100", "20180803160127.595+0100"]


def test_text_that_a_fhir_string_cannot_hold_stands_as_base64() -> None:
    found = named(resource(instance(1, removed(method=("a\x01b", " ")))), "method")
    assert found == [
        {"url": "method", "valueBase64Binary": "YQFi"},
        {"url": "method", "valueBase64Binary": "IA=="},
    ]


def test_the_site_s_canonical_base_is_used() -> None:
    context = MappingContext(settings=Settings(canonical="https://site.example/fhir"))
    found = map_study(study(instance(1)), context).imaging_study
    assert [one["url"] for one in found["extension"]] == [
        "https://site.example/fhir/StructureDefinition/deidentification-markers"
    ]
