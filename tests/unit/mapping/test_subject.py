"""What else leaves or stays by what all instances say: started, subject (D5, D6)."""

from __future__ import annotations

import pytest

from deidfhir.config import Settings
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.record import Instance, Markers
from tests.unit.model.records import dcms, instance, removed, study

NOT_STATED = "Subject not stated: the Patient ID is withheld or empty"


def mapped(*instances: Instance, settings: Settings | None = None) -> MappedStudy:
    return map_study(study(*instances), MappingContext(settings=settings or Settings()))


def dated(number: int, *codes: str, series: int = 1, date: str = "20000612") -> Instance:
    markers = removed(method_code=dcms(*codes))
    return instance(number, markers, series=series, study_date=date, series_date=date)


def absent(reason: str) -> dict[str, object]:
    url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    return {
        "extension": [{"url": url, "valueCode": reason}],
        "type": "Patient",
        "display": NOT_STATED,
    }


def codes_of(found: MappedStudy) -> list[str]:
    return [one.code for one in found.findings]


@pytest.mark.parametrize("third", [(), ("113106",), ("113107",), ("113106", "113107")])
def test_true_and_shifted_dates_in_one_study_are_withheld_throughout(
    third: tuple[str, ...],
) -> None:
    # Side by side they would tell the shift, even from series to series.
    found = mapped(dated(1, "113106"), dated(1, "113107", series=2), dated(1, *third, series=3))
    assert "started" not in found.imaging_study
    assert [one for one in found.imaging_study["series"] if "started" in one] == []
    assert codes_of(found) == ["dates-full-and-modified"]


def test_one_instance_with_both_date_codes_beside_one_with_one_of_them_clashes() -> None:
    found = mapped(dated(1, "113106", "113107"), dated(2, "113106"))
    assert "started" not in found.imaging_study
    assert codes_of(found) == ["dates-full-and-modified"]


def test_a_series_keeps_its_date_where_only_the_study_s_disagree() -> None:
    found = mapped(dated(1, "113106"), dated(1, "113106", series=2, date="20000613"))
    assert "started" not in found.imaging_study
    assert [one["started"] for one in found.imaging_study["series"]] == [
        "2000-06-12",
        "2000-06-13",
    ]
    assert codes_of(found) == ["started-differs"]


def test_one_shifted_date_marks_what_it_gives_even_beside_an_instance_without_one() -> None:
    found = mapped(dated(1, "113107"), instance(2, removed()))
    assert found.imaging_study["started"] == "2000-06-12"
    assert "dates-modified" in str(found.imaging_study["_started"])


def test_an_instance_whose_date_is_locked_withholds_the_date() -> None:
    found = mapped(dated(1, "113106"), dated(2, "113100"))
    assert "started" not in found.imaging_study
    assert codes_of(found) == []
    assert mapped(dated(1, "113106"), instance(2)).imaging_study["started"] == "2000-06-12"


def test_a_date_of_no_form_is_left_out_with_a_finding() -> None:
    found = mapped(dated(1, "113106", date="nonsense"))
    assert "started" not in found.imaging_study
    assert codes_of(found) == ["date-unusable"]


def test_a_time_without_a_date_is_no_unusable_date() -> None:
    # De-identifiers empty Study Date and may leave Study Time: nothing there has a wrong form.
    found = mapped(instance(1, removed(method_code=dcms("113106")), study_time="101500"))
    assert "started" not in found.imaging_study
    assert codes_of(found) == []


def test_the_replaced_patient_id_leaves_under_the_site_s_system() -> None:
    found = mapped(instance(1, patient_id="SUBJ-1"), instance(2, patient_id="SUBJ-1"))
    assert found.imaging_study["subject"] == {
        "type": "Patient",
        "identifier": {"system": "https://deidfhir.example/site/default", "value": "SUBJ-1"},
    }
    other = mapped(
        instance(1, patient_id="SUBJ-1"),
        settings=Settings(patient_id_system="https://site.example/subjects"),
    )
    system = other.imaging_study["subject"]["identifier"]["system"]
    assert system == "https://site.example/subjects"


@pytest.mark.parametrize(
    "markers",
    [Markers(None), Markers(("NO",)), removed(burned_in_annotation=("YES",)), Markers(("TRUE",))],
    ids=["unknown", "not removed", "contradictory", "other text"],
)
def test_the_patient_id_stays_unless_all_instances_are_removed(markers: Markers) -> None:
    found = mapped(instance(1, patient_id="SUBJ-1"), instance(2, markers, patient_id="SUBJ-1"))
    assert found.imaging_study["subject"] == absent("masked")
    alone = mapped(instance(1, markers, patient_id="SUBJ-1"))
    assert alone.imaging_study["subject"] == absent("masked")


def test_an_empty_patient_id_is_said_to_be_unknown() -> None:
    assert mapped(instance(1)).imaging_study["subject"] == absent("unknown")


def test_different_patient_ids_are_a_finding_and_withhold_the_subject() -> None:
    found = mapped(instance(1, patient_id="ONE"), instance(2, patient_id="TWO"))
    assert found.imaging_study["subject"] == absent("masked")
    assert codes_of(found) == ["patient-ids-differ"]


def test_copies_that_disagree_in_the_patient_id_withhold_it_for_the_whole_study() -> None:
    copies = [instance(1, patient_id="X"), instance(1, patient_id="Y")]
    found = mapped(*copies, instance(2, patient_id="X"))
    assert found.imaging_study["subject"]["extension"] == absent("masked")["extension"]
    assert "patient-ids-differ" in codes_of(found)


def test_different_patient_ids_are_a_finding_in_a_mixed_study_too() -> None:
    found = mapped(instance(1, patient_id="ONE"), instance(2, Markers(None), patient_id="TWO"))
    assert found.imaging_study["subject"] == absent("masked")
    assert codes_of(found) == ["patient-ids-differ"]


def test_nothing_of_the_patient_beyond_the_reference_is_made() -> None:
    found = mapped(instance(1, patient_id="SUBJ-1"))
    assert {one["resourceType"] for one in found.resources} == {"ImagingStudy", "Provenance"}
