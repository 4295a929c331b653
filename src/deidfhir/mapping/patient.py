"""The minimal Patient of a site that asks for it: the pseudonym, and sex if it may leave (D6)."""

from __future__ import annotations

from deidfhir.fhir.extensions import data_absent, is_fhir_string
from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.leaving import LeavingStudy, agreed

# PS3.3 C.7.1.1 → FHIR administrative-gender
GENDERS = {"F": "female", "M": "male", "O": "other"}


def pseudonym_of(study: LeavingStudy, context: MappingContext) -> JsonObject | None:
    """Return the subject's identifier if it leaves.

    Args:
        study: The study as far as it leaves.
        context: Names the identifier's system.
    """
    settings = context.settings
    values = {one.patient_id for one in study.facts if one.patient_id}
    value = next(iter(values), "")  # one at most: where they differ, none leaves
    if not is_fhir_string(value):
        return None
    return {"system": settings.patient_id_system or settings.namespace, "value": value}


def patient_of(study: LeavingStudy, context: MappingContext) -> JsonObject | None:
    """Return the Patient of a study, or None where the setting or the study allows none.

    Its id is made from the study's UID: an id made from the Patient ID could be guessed back
    (D17). So each study has its own; the identifier joins them.

    Args:
        study: The study as far as it leaves.
        context: The mapping's.
    """
    identifier = pseudonym_of(study, context)
    if context.settings.patient != "resource" or identifier is None:
        return None
    resource: JsonObject = {"resourceType": "Patient", "id": context.namer.patient(study.uid)}
    if context.settings.narrative:
        resource["text"] = narrative("The subject of a study, by the Patient ID that replaces it.")
    resource["identifier"] = [identifier]
    gender = agreed(study.facts, "patient_sex", lambda one: GENDERS.get(one.patient_sex))
    if gender.value:
        resource["gender"] = gender.value
    elif gender.absent:
        resource["_gender"] = {"extension": [data_absent(gender.absent)]}
    return resource


def withdrawn_patient(identity: str, context: MappingContext) -> JsonObject:
    """Return what overwrites a Patient where the target refuses to delete it.

    Args:
        identity: The Patient's id.
        context: The mapping's.
    """
    kept: JsonObject = {"resourceType": "Patient", "id": identity}
    if context.settings.narrative:
        kept["text"] = narrative("What this resource stated is withdrawn.")
    kept["active"] = False
    return kept
