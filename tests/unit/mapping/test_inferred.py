"""Inferences in FHIR: marked, named by rule, and never where a stated fact stands (D16)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.record import Evidence, Instance, Markers
from tests.synthetic.vocabulary import PACKED_TEXT, REFACE_TEXT, TCIA_TEXT
from tests.unit.model.records import dcms, instance, removed, study

URL = "https://deidfhir.example/fhir/StructureDefinition/deidentification-inferred"
TERMS = "https://deidfhir.example/fhir/CodeSystem/deidentification-regulatory-term"
DCM = "http://dicom.nema.org/resources/ontology/DCM"


def mapped(*instances: Instance, fhir: FhirName = "R4") -> MappedStudy:
    return map_study(study(*instances), MappingContext(fhir))


def inferred(element: dict[str, Any]) -> list[list[tuple[str, Any]]]:
    """Return the slots of each inference, in order."""
    return [
        [
            (slot["url"], next(value for key, value in slot.items() if key != "url"))
            for slot in one["extension"]
        ]
        for one in element.get("extension", ())
        if one["url"] == URL
    ]


def method(*texts: str, **fields: Any) -> Markers:  # noqa: ANN401 - whatever Markers takes
    return removed(method=texts, **fields)


@pytest.mark.parametrize("fhir", ["R4", "R4B", "R5"])
def test_an_inference_stands_on_the_study_and_on_the_whole_provenance(fhir: FhirName) -> None:
    found = mapped(instance(1, method("Orthanc 1.12.1 - PS 3.15-2023b Table E.1-1")), fhir=fhir)
    expected = [
        [
            ("rule", "orthanc.edition"),
            ("value", 1),
            ("tool", "orthanc"),
            ("name", "Orthanc"),
            ("version", "1.12.1"),
            ("edition", "2023b"),
        ]
    ]
    assert inferred(found.imaging_study) == expected
    assert [inferred(one) for one in found.provenances] == [expected]


def test_packed_codes_are_codings_of_the_standard() -> None:
    (slots,) = inferred(mapped(instance(1, method(PACKED_TEXT))).imaging_study)
    codes = [value for name, value in slots if name == "code"]
    assert codes[0] == {
        "system": DCM,
        "code": "113100",
        "display": "Basic Application Confidentiality Profile",
    }
    assert len(codes) == 6


def test_packed_codes_unlock_nothing_and_are_no_policy() -> None:
    one = instance(1, method(PACKED_TEXT), study_date="20200102", study_description="chest")
    found = mapped(one)
    assert "started" not in found.imaging_study
    assert "description" not in found.imaging_study
    assert "policy" not in found.provenances[0]


def test_a_tool_is_no_agent_and_its_date_is_no_time_of_the_step() -> None:
    found = mapped(instance(1, method("CTP: Site: 20090420:133941")))
    (provenance,) = found.provenances
    assert found.devices == ()
    assert "occurredDateTime" not in provenance
    assert "reference" not in provenance["agent"][0]["who"]
    (slots,) = inferred(provenance)
    assert ("date", "2009-04-20") in slots


def test_two_events_are_two_inferences_and_still_one_provenance() -> None:
    found = mapped(instance(1, method(REFACE_TEXT, TCIA_TEXT)))
    assert [dict(one)["tool"] for one in inferred(found.imaging_study)] == [
        "mri-reface",
        "ctp-annex-e",
    ]
    assert len(found.provenances) == 1


def test_a_regulatory_term_is_a_coding_of_our_system() -> None:
    (slots,) = inferred(mapped(instance(1, method("HIPAA Limited Data Set"))).imaging_study)
    assert slots == [
        ("rule", "term.limited-data-set"),
        ("value", 1),
        (
            "term",
            {"system": TERMS, "code": "limited-data-set", "display": "Limited data set"},
        ),
    ]


def test_what_only_some_instances_say_stands_beside_them() -> None:
    found = mapped(
        instance(1, method("DICOGNITO"), series=1),
        instance(2, method("DICOGNITO"), series=1),
        instance(1, method("IKIM_DEID"), series=2),
        instance(2, method("house rules"), series=2),
    ).imaging_study
    assert inferred(found) == []
    first, second = found["series"]
    assert [dict(one)["tool"] for one in inferred(first)] == ["dicognito"]
    assert [inferred(one) for one in first["instance"]] == [[], []]
    assert inferred(second) == []
    tools = [[dict(slots)["tool"] for slots in inferred(one)] for one in second["instance"]]
    assert tools == [["ikim-deid"], []]


def test_support_that_differs_among_instances_is_not_claimed_for_all() -> None:
    one = instance(1, method(TCIA_TEXT), evidence=Evidence(private_creators=("CTP",)))
    other = instance(2, method(TCIA_TEXT))
    found = mapped(one, other)
    (slots,) = inferred(found.provenances[0])
    assert "evidence" not in dict(slots)
    told = [dict(inferred(one)[0]) for one in found.imaging_study["series"][0]["instance"]]
    assert [one.get("evidence") for one in told] == ["private-creator", None]


def test_support_that_all_instances_have_is_named_by_kind_and_never_by_value() -> None:
    evidence = Evidence("1.2.3.4.5", "NAME-OF-SOMEONE", "AET-OF-SOMEONE", ("CTP",))
    found = mapped(instance(1, method(TCIA_TEXT), evidence=evidence))
    (slots,) = inferred(found.provenances[0])
    assert ("evidence", "private-creator") in slots
    assert "OF-SOMEONE" not in repr(found)
    assert "1.2.3.4.5" not in repr(found)


def test_an_unknown_text_infers_nothing() -> None:
    found = mapped(instance(1, method("house rules", method_code=dcms("113100"))))
    assert inferred(found.imaging_study) == inferred(found.provenances[0]) == []


def test_the_narrative_says_that_a_tool_is_inferred() -> None:
    found = mapped(instance(1, method("mri_reface 0.3.4")))
    for one in (found.imaging_study, *found.provenances):
        text = re.sub("<[^>]+>", "", one["text"]["div"])
        assert text.endswith("Inferred from the wording, not stated: mri_reface 0.3.4.")


@pytest.mark.parametrize("verdict", [("NO",), None, ()])
def test_without_a_removed_identity_inferences_stand_on_the_study_alone(
    verdict: tuple[str, ...] | None,
) -> None:
    found = mapped(instance(1, Markers(verdict, ("DICOGNITO",))))
    assert [dict(one)["tool"] for one in inferred(found.imaging_study)] == ["dicognito"]
    assert found.provenances == ()
