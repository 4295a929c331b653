"""The minimal Patient of a site that asks for it: the pseudonym, and nothing else (D6)."""

from __future__ import annotations

from deidfhir.fhir.extensions import is_fhir_string
from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.leaving import leaving_patient_id
from deidfhir.model.study import Study


def pseudonym_of(study: Study, context: MappingContext) -> tuple[JsonObject | None, str]:
    """Return the subject's identifier if it may leave, and otherwise why not.

    Args:
        study: The study.
        context: Names the identifier's system.
    """
    settings = context.settings
    value, why = leaving_patient_id(study.instances)
    if value is None or not is_fhir_string(value):
        return None, why
    return {"system": settings.patient_id_system or settings.namespace, "value": value}, ""


def patient_of(study: Study, context: MappingContext) -> JsonObject | None:
    """Return the Patient of a study, or None where the setting or the study allows none.

    Its id is made from the study's UID: an id made from the Patient ID could be guessed back
    (D17). So each study has its own; the identifier joins them.

    Args:
        study: The study.
        context: The mapping's.
    """
    identifier, _ = pseudonym_of(study, context)
    if context.settings.patient != "resource" or identifier is None:
        return None
    resource: JsonObject = {"resourceType": "Patient", "id": context.namer.patient(study.uid)}
    if context.settings.narrative:
        resource["text"] = narrative("The subject of a study, by the Patient ID that replaces it.")
    resource["identifier"] = [identifier]
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
