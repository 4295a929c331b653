"""How many Provenance there are, what they target, and in which order (D10, D11, D17)."""

from __future__ import annotations

from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import map_study
from deidfhir.model.record import Instance, Item, Markers
from tests.unit.model.records import STUDY, dcms, equipment, instance, removed, study

BASE = "https://deidfhir.example/fhir/StructureDefinition/"
STEP, FOLLOWS, MARKERS = (
    BASE + name
    for name in ("deidentification-step", "deidentification-follows", "deidentification-markers")
)
TARGET_PATH = "http://hl7.org/fhir/StructureDefinition/targetPath"


def provenances(*instances: Instance) -> list[JsonObject]:
    context = MappingContext(settings=Settings(narrative=False))
    return list(map_study(study(*instances), context).provenances)


def stated(one: JsonObject) -> tuple[str, str, str]:
    """Return scope, key and place as the Provenance states them itself."""
    (step,) = [ext for ext in one["extension"] if ext["url"] == STEP]
    scope, key, place = step["extension"]
    assert [scope["url"], key["url"], place["url"]] == ["scope", "key", "place"]
    return scope["valueCode"], key["valueString"], place["valueString"]


def follows(one: JsonObject) -> list[str]:
    return [ext["valueReference"]["reference"] for ext in one["extension"] if ext["url"] == FOLLOWS]


def paths(one: JsonObject) -> list[str]:
    (target,) = one["target"]
    for ext in target.get("extension", ()):
        assert ext["url"] == TARGET_PATH
    return [ext["valueString"] for ext in target.get("extension", ())]


def tool(name: str, when: str | None = None) -> Item:
    times: dict[str, Any] = {} if when is None else {"ContributionDateTime": when}
    return equipment(Manufacturer=name, **times)


@pytest.mark.parametrize(
    "markers",
    [
        removed(),
        removed(method=("one", "two"), method_code=dcms("113100", "113105")),
        removed(equipment=(tool("A", "20180803"),)),
        removed(equipment=(equipment(),)),
    ],
    ids=["nothing", "texts and codes", "one item", "one item without identity"],
)
def test_no_or_one_item_makes_one_provenance_of_the_whole(markers: Markers) -> None:
    (one,) = provenances(instance(1, markers), instance(2, markers))
    assert stated(one) == ("whole", "whole", "study")
    assert one["target"] == [
        {"reference": f"ImagingStudy/{STUDY_ID}", "type": "ImagingStudy"},
    ]
    assert "entity" not in one


STUDY_ID = map_study(study(instance()), MappingContext()).imaging_study["id"]


def test_several_items_make_one_provenance_each_and_one_of_the_whole() -> None:
    markers = removed(
        method=("text",), method_code=dcms("113100"), equipment=(tool("A"), tool("B"), tool("A"))
    )
    found = provenances(instance(1, markers))
    device_a, device_b = (
        one["agent"][0]["who"]["reference"].removeprefix("Device/") for one in found[1:3]
    )
    assert [stated(one)[:2] for one in found] == [
        ("whole", "whole"),
        ("item", f"{device_a}/1"),
        ("item", f"{device_b}/1"),
        ("item", f"{device_a}/2"),
    ]
    assert len({one["id"] for one in found}) == 4
    whole = [one["who"]["reference"] for one in found[0]["agent"]]
    assert whole == [f"Device/{device_a}", f"Device/{device_b}"]


def test_texts_codes_and_policy_stay_with_the_whole() -> None:
    markers = removed(
        method=("text",), method_code=dcms("113100"), equipment=(tool("A"), tool("B"))
    )
    whole, *steps = provenances(instance(1, markers))
    assert [ext["url"] for ext in whole["extension"]] == [STEP, MARKERS]
    assert "policy" in whole
    for one in steps:
        assert [ext["url"] for ext in one["extension"]] == [STEP]
        assert "policy" not in one


def test_items_without_identity_are_keyed_by_their_number() -> None:
    markers = removed(equipment=(equipment(), equipment(ContributionDateTime="2018")))
    found = provenances(instance(1, markers))
    assert [stated(one)[1] for one in found] == ["whole", "item/1", "item/2"]


def test_items_that_differ_in_their_time_from_instance_to_instance_are_one_step() -> None:
    times = ("20180803160127.907+0100", "20180803160127.284+0100", "20180803160127.595+0100")
    instances = [
        instance(n, removed(equipment=(tool("A", when),))) for n, when in enumerate(times, 1)
    ]
    (one,) = provenances(*instances)
    assert one["occurredPeriod"] == {
        "start": "2018-08-03T16:01:27.284+01:00",
        "end": "2018-08-03T16:01:27.907+01:00",
    }
    assert "occurredDateTime" not in one


def test_a_time_that_some_instances_lack_keeps_them_one_step() -> None:
    dated = removed(equipment=(tool("A", "20180803"),))
    (one,) = provenances(instance(1, dated), instance(2, removed(equipment=(tool("A"),))))
    assert one["occurredDateTime"] == "2018-08-03"


def test_the_zone_of_the_object_completes_a_time_that_has_none() -> None:
    markers = removed(equipment=(tool("A", "20180803160127"),))
    (one,) = provenances(instance(1, markers, timezone="+0200"))
    assert one["occurredDateTime"] == "2018-08-03T16:01:27+02:00"
    (one,) = provenances(instance(1, markers))
    assert one["occurredDateTime"] == "2018-08-03"


@pytest.mark.parametrize("text", ["", "nonsense", "20181399"])
def test_an_unusable_time_is_no_occurrence(text: str) -> None:
    (one,) = provenances(instance(1, removed(equipment=(tool("A", text),))))
    assert [key for key in one if "occurred" in key] == []


def test_times_under_113107_are_marked_as_shifted() -> None:
    codes = dcms("113107")
    markers = removed(method_code=codes, equipment=(tool("A", "20180803"),))
    (one,) = provenances(instance(1, markers))
    shifted = {"extension": [{"url": f"{BASE}dates-modified", "valueBoolean": True}]}
    assert one["_occurredDateTime"] == shifted
    other = removed(method_code=codes, equipment=(tool("A", "20180804"),))
    (one,) = provenances(instance(1, markers), instance(2, other))
    assert one["occurredPeriod"] == {**shifted, "start": "2018-08-03", "end": "2018-08-04"}


def test_the_later_step_says_which_it_follows_and_the_whole_says_nothing() -> None:
    items = (tool("C", "2020"), tool("A", "2018"), tool("B", "2019"))
    whole, third, first, second = provenances(instance(1, removed(equipment=items)))
    assert follows(second) == [f"Provenance/{first['id']}"]
    assert follows(third) == [f"Provenance/{second['id']}"]
    assert follows(first) == []
    assert follows(whole) == []
    assert [key for key in whole if "occurred" in key] == []
    assert "entity" not in third


@pytest.mark.parametrize(
    ("first", "second"),
    [(None, None), ("2018", None), ("2018", "2018"), ("2018", "201808"), ("nonsense", "2018")],
)
def test_no_order_is_stated_where_the_times_give_none(
    first: str | None, second: str | None
) -> None:
    found = provenances(instance(1, removed(equipment=(tool("A", first), tool("B", second)))))
    assert [follows(one) for one in found] == [[], [], []]


def test_steps_whose_times_overlap_over_the_instances_have_no_order() -> None:
    one = removed(equipment=(tool("A", "20180803"), tool("B", "20180804")))
    other = removed(equipment=(tool("A", "20180805"), tool("B", "20180806")))
    found = provenances(instance(1, one), instance(2, other))
    assert [follows(step) for step in found] == [[], [], []]


def test_different_marker_sets_have_each_their_own_provenance_and_target() -> None:
    a, b = removed(method=("a",)), removed(method=("b",))
    found = provenances(instance(1, a), instance(2, b), instance(3, b), instance(1, b, series=2))
    assert [stated(one) for one in found] == [
        ("whole", "whole", f"{STUDY}.1.1"),
        ("whole", "whole", f"{STUDY}.1.2"),
    ]
    first = f"ImagingStudy.series.where(uid = '{STUDY}.1')"
    assert paths(found[0]) == [f"{first}.instance.where(uid = '{STUDY}.1.1')"]
    assert paths(found[1]) == [
        f"{first}.instance.where(uid = '{STUDY}.1.2')",
        f"{first}.instance.where(uid = '{STUDY}.1.3')",
        f"ImagingStudy.series.where(uid = '{STUDY}.2')",
    ]
    assert {one["target"][0]["reference"] for one in found} == {f"ImagingStudy/{STUDY_ID}"}


@pytest.mark.parametrize(
    "markers",
    [
        Markers(None),
        Markers(("NO",)),
        removed(burned_in_annotation=("YES",)),
        Markers(("NO",), ("m",)),
    ],
    ids=["unknown", "not removed", "burned in", "contradictory"],
)
def test_only_removed_instances_get_a_provenance(markers: Markers) -> None:
    assert provenances(instance(1, markers)) == []
    (one,) = provenances(instance(1), instance(2, markers))
    assert stated(one) == ("whole", "whole", f"{STUDY}.1.1")
    assert paths(one) == [
        f"ImagingStudy.series.where(uid = '{STUDY}.1').instance.where(uid = '{STUDY}.1.1')"
    ]


def test_values_that_are_withheld_make_no_other_marker_set() -> None:
    items = [equipment(Manufacturer="A", StationName=name) for name in ("ONE", "TWO")]
    found = provenances(*(instance(n, removed(equipment=(one,))) for n, one in enumerate(items)))
    assert [stated(one)[2] for one in found] == ["study"]


def test_an_identified_scheme_is_no_part_of_a_marker_set() -> None:
    # (0008,0110) is none of D4's attributes.
    plain = removed(method_code=dcms("113100"))
    schemed = removed(method_code=dcms("113100"), coding_schemes=(("DCM", "1.2.840"),))
    assert len(provenances(instance(1, plain), instance(2, schemed))) == 1
