"""What is left when a claim no longer holds, and which statements are ours (D17, D18)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from deidfhir.config import Settings
from deidfhir.fhir.check import check_whole
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.mapping.withdrawal import (
    is_ours,
    is_withdrawn,
    retired_study,
    study_uid,
    withdrawn_provenance,
    withdrawn_study,
)
from tests.unit.model.records import STUDY, dcms, equipment, instance, removed, study

PLAIN = MappingContext(settings=Settings(narrative=False, label="PSEUDED"))
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
DCM = "http://dicom.nema.org/resources/ontology/DCM"


def mapped(context: MappingContext = PLAIN) -> MappedStudy:
    """Map a study that unlocks all that can be unlocked, in two marker sets."""
    markers = removed(
        method=("text",),
        method_code=dcms("113105", "113107"),
        equipment=(equipment(Manufacturer="A"), equipment(Manufacturer="B")),
    )
    facts: dict[str, Any] = {
        "patient_id": "SUBJ-1",
        "study_date": "20000612",
        "series_date": "20000612",
        "study_description": "CT CHEST",
        "series_description": "AXIAL",
        "body_part": "CHEST",
        "title": "LOCALIZER",
    }
    other = removed(method=("other",), method_code=dcms("113105", "113107"))
    return map_study(study(instance(1, markers, **facts), instance(2, other, **facts)), context)


def test_a_withdrawn_study_keeps_uids_and_counts_and_nothing_that_the_claim_unlocked() -> None:
    found = withdrawn_study(mapped().imaging_study, PLAIN)
    sop_class = {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2.840.10008.5.1.4.1.1.2"}
    assert found == {
        "resourceType": "ImagingStudy",
        "id": mapped().imaging_study["id"],
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{STUDY}"}],
        "status": "available",
        "modality": [{"system": DCM, "code": "CT"}],
        "subject": {
            "extension": [{"url": ABSENT, "valueCode": "masked"}],
            "type": "Patient",
            "display": "Subject not stated: the Patient ID is withheld or empty",
        },
        "numberOfSeries": 1,
        "numberOfInstances": 2,
        "series": [
            {
                "uid": f"{STUDY}.1",
                "modality": {"system": DCM, "code": "CT"},
                "numberOfInstances": 2,
                "instance": [
                    {"uid": f"{STUDY}.1.1", "sopClass": sop_class},
                    {"uid": f"{STUDY}.1.2", "sopClass": sop_class},
                ],
            }
        ],
    }


def test_a_withdrawn_study_says_so_in_its_narrative_and_passes_the_models() -> None:
    for context in (MappingContext(), MappingContext("R5")):
        found = withdrawn_study(mapped(context).imaging_study, context)
        assert "is withdrawn." in found["text"]["div"]
        check_whole(found, context.version)


def test_withdrawing_changes_no_resource_that_it_is_given() -> None:
    resource = mapped().imaging_study
    before = deepcopy(resource)
    withdrawn_study(resource, PLAIN)
    assert resource == before


def test_a_withdrawn_provenance_states_nothing_but_its_withdrawal() -> None:
    one = mapped().provenances[0]
    found = withdrawn_provenance(one, PLAIN)
    assert found["id"] == one["id"]
    assert found["extension"] == [
        {
            "url": "https://deidfhir.example/fhir/StructureDefinition/deidentification-withdrawn",
            "valueBoolean": True,
        }
    ]
    assert {"activity", "policy", "occurredDateTime", "occurredPeriod", "entity"}.isdisjoint(found)
    assert [set(agent["who"]) for agent in found["agent"]] == [{"extension", "display"}]
    for context in (MappingContext(), MappingContext("R5")):
        check_whole(withdrawn_provenance(one, context), context.version)


def test_every_provenance_that_we_make_is_ours() -> None:
    made = mapped()
    assert len(made.provenances) == 4
    assert all(is_ours(one, STUDY, PLAIN) for one in made.provenances)


def test_ours_is_only_what_has_the_id_of_the_key_and_place_it_states() -> None:
    made = mapped()
    one, other = made.provenances[:2]
    bare = {key: value for key, value in one.items() if key != "extension"}
    foreign: list[JsonObject] = [
        bare,
        {**bare, "extension": [{"url": "https://other.example/step", "extension": []}]},
        {**one, "id": other["id"]},
        {**one, "id": "any-other-id"},
        {**one, "extension": [{**one["extension"][0], "extension": None}]},
        withdrawn_provenance(one, PLAIN),
    ]
    assert not any(is_ours(found, STUDY, PLAIN) for found in foreign)
    assert [is_withdrawn(found, PLAIN) for found in (one, foreign[-1])] == [False, True]


def test_another_site_s_or_study_s_statement_is_not_ours() -> None:
    made = mapped()
    elsewhere = MappingContext(settings=Settings(namespace="https://other.example/"))
    assert not any(is_ours(one, STUDY, elsewhere) for one in made.provenances)
    assert not any(is_ours(one, "1.2", PLAIN) for one in made.provenances)


def test_a_retired_study_has_status_unknown_and_all_else_as_it_was() -> None:
    study = mapped().imaging_study
    on_server = {**study, "meta": {**study["meta"], "versionId": "3", "lastUpdated": "now"}}
    found = retired_study(on_server, PLAIN)
    assert found == {**study, "status": "unknown"}
    check_whole(found, PLAIN.version)
    assert retired_study(found, PLAIN) == found


def test_a_retired_study_keeps_uids_and_counts_alone_where_the_site_says_so() -> None:
    context = replace(PLAIN, settings=replace(PLAIN.settings, retired_statements="withdraw"))
    study = mapped().imaging_study
    found = retired_study(study, context)
    assert found == {**withdrawn_study(study, context), "status": "unknown"}
    check_whole(found, context.version)


def test_our_study_gives_its_uid_and_someone_elses_none() -> None:
    study = mapped().imaging_study
    assert study_uid(study, PLAIN) == STUDY
    assert study_uid({**study, "id": "theirs"}, PLAIN) == ""
    assert study_uid({"resourceType": "ImagingStudy", "id": "theirs"}, PLAIN) == ""
