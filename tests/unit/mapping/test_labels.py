"""Security labels: none by default, and never one that the data do not bear (D3, D8)."""

from __future__ import annotations

from typing import Literal

import pytest

from deidfhir.config import Settings
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.record import Instance, Markers
from deidfhir.policy.policy import Policy
from tests.unit.model.records import dcms, equipment, instance, item, removed, study

VALUES = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
Label = Literal["none", "PSEUDED", "ANONYED"]


def mapped(label: Label, *instances: Instance) -> MappedStudy:
    return map_study(study(*instances), MappingContext(settings=Settings(label=label)))


def label_of(found: MappedStudy) -> object:
    return found.imaging_study["meta"].get("security")


def test_by_default_there_is_no_label() -> None:
    assert label_of(map_study(study(instance(1)), MappingContext())) is None


@pytest.mark.parametrize("label", ["PSEUDED", "ANONYED"])
def test_a_setting_adds_a_label(label: Literal["PSEUDED", "ANONYED"]) -> None:
    found = mapped(label, instance(1), instance(2))
    assert label_of(found) == [{"system": VALUES, "code": label}]
    assert found.findings == ()


RELINKABLE = [
    instance(2, removed(method_code=dcms("113100", "113110"))),
    instance(2, removed(method=("DCM:113100/113110",))),
    instance(2, removed(method_code=(item(LongCodeValue="113110", CodingSchemeDesignator="DCM"),))),
    instance(2, removed(method_code=(item(URNCodeValue="urn:oid:1.2.840.10008.2.16.4.113110"),))),
    instance(2, removed(method_code=(item(CodeValue="113110", CodingSchemeDesignator="SDM"),))),
    instance(2, removed(equipment=(equipment(ContributionDescription="Limited Data Set"),))),
    instance(2, encrypted=True),
    instance(2, tail_broken=True),
    instance(2, removed(method=("one", "HIPAA Limited Data Set"))),
    instance(2, removed(method=("limited_data_set",))),
    instance(2, removed(method=("LIMITED DATASET",))),
    instance(2, removed(method=("45 CFR 164.514(e) LDS",))),
    instance(2, removed(method_code=(item(CodeMeaning="Limited Data Set"),))),
]


@pytest.mark.parametrize("other", RELINKABLE, ids=repr)
def test_anonyed_is_refused_where_the_data_may_be_relinked(other: Instance) -> None:
    found = mapped("ANONYED", instance(1), other)
    assert label_of(found) is None
    assert [one.code for one in found.findings] == ["label-refused"]


def test_a_text_that_is_withheld_still_refuses_anonyed() -> None:
    given = removed(method=("HIPAA Limited Data Set",))
    policy = Policy(withhold=frozenset({"DeidentificationMethod"}))
    context = MappingContext(settings=Settings(label="ANONYED"), policy=policy)
    assert label_of(map_study(study(instance(1, given)), context)) is None


@pytest.mark.parametrize("other", RELINKABLE[:5], ids=repr)
def test_pseuded_is_not(other: Instance) -> None:
    found = mapped("PSEUDED", instance(1), other)
    assert label_of(found) == [{"system": VALUES, "code": "PSEUDED"}]


@pytest.mark.parametrize("text", ["HELDSET", "Unlimited", "FIELDS"])
def test_words_that_only_look_alike_refuse_nothing(text: str) -> None:
    assert label_of(mapped("ANONYED", instance(1, removed(method=(text,))))) is not None


@pytest.mark.parametrize(
    "markers",
    [Markers(None), Markers(("NO",)), removed(burned_in_annotation=("YES",))],
    ids=["unknown", "not removed", "contradictory"],
)
def test_only_a_study_that_is_removed_throughout_gets_a_label(markers: Markers) -> None:
    for instances in ([instance(1, markers)], [instance(1, markers), instance(2)]):
        found = mapped("PSEUDED", *instances)
        assert label_of(found) is None
        assert "label-refused" not in [one.code for one in found.findings]
