"""What is left of a statement that no longer holds (D18), and which statements are ours (D17)."""

from __future__ import annotations

from deidfhir.fhir.extensions import MASKED, UNKNOWN, data_absent, named
from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import bare
from deidfhir.mapping.imagingstudy import SUBJECT_NOT_STATED
from deidfhir.mapping.provenance import KEY, NO_EQUIPMENT, PLACE, recorded

_OUR_META = ("profile", "security", "tag")
_UNLOCKED = ("started", "_started", "description", "_description")
_UNLOCKED_SERIES = (*_UNLOCKED, "bodySite")


def withdrawn_study(resource: JsonObject, context: MappingContext) -> JsonObject:
    """Return our ImagingStudy without anything that rested on the claim.

    Extensions, labels, subject and whatever the claim had unlocked go; UIDs and counts stay.

    Args:
        resource: The ImagingStudy as the target has it.
        context: The mapping's.
    """
    kept = {
        key: value
        for key, value in resource.items()
        if key not in (*_UNLOCKED, "meta", "text", "extension")
    }
    kept["subject"] = {
        "extension": [data_absent(MASKED)],
        "type": "Patient",
        "display": SUBJECT_NOT_STATED,
    }
    if context.settings.narrative:
        kept["text"] = narrative("What this resource stated about de-identification is withdrawn.")
    if "series" in kept:
        kept["series"] = [_bare_series(one) for one in kept["series"]]
    return kept


def study_uid(resource: JsonObject, context: MappingContext) -> str:
    """Return the Study Instance UID of our ImagingStudy, or an empty text for someone else's.

    Args:
        resource: Any ImagingStudy; ours has the id that D17 gives for the UID it states.
        context: The mapping's.
    """
    identifiers = resource.get("identifier")
    for one in identifiers if isinstance(identifiers, list) else ():
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, str):
            uid = bare(value)
            if context.namer.imaging_study(uid) == resource["id"]:
                return uid
    return ""


def _bare_series(series: JsonObject) -> JsonObject:
    kept = {
        key: value for key, value in series.items() if key not in (*_UNLOCKED_SERIES, "extension")
    }
    if "instance" in kept:
        kept["instance"] = [
            {key: value for key, value in one.items() if key not in ("extension", "title")}
            for one in kept["instance"]
        ]
    return kept


def retired_study(resource: JsonObject, context: MappingContext) -> JsonObject:
    """Return our ImagingStudy as it stands once the archive no longer has the study (D20).

    Its status is `unknown`: no version has a better word, and `cancelled` would say that the study
    was never performed. What it stated stays, or is withdrawn where the site says so.

    Args:
        resource: The ImagingStudy as the target has it.
        context: The mapping's.
    """
    if context.settings.retired_statements == "withdraw":
        kept = withdrawn_study(resource, context)
    else:
        kept = {key: value for key, value in resource.items() if key != "meta"}
        ours = {key: value for key, value in resource.get("meta", {}).items() if key in _OUR_META}
        if ours:
            kept = {"resourceType": resource["resourceType"], "id": resource["id"], "meta": ours}
            kept |= {key: value for key, value in resource.items() if key not in kept}
    return kept | {"status": "unknown"}


def withdrawn_provenance(resource: JsonObject, context: MappingContext) -> JsonObject:
    """Return what overwrites a Provenance where the target refuses to delete it.

    Args:
        resource: The Provenance as the target has it, or at least its id and target.
        context: The mapping's.
    """
    kept: JsonObject = {"resourceType": "Provenance", "id": resource["id"]}
    if context.settings.narrative:
        kept["text"] = narrative("This statement about de-identification is withdrawn.")
    kept["extension"] = [{"url": context.url("withdrawn"), "valueBoolean": True}]
    kept["target"] = resource["target"]
    kept.update(recorded(context))
    kept["agent"] = [{"who": {"extension": [data_absent(UNKNOWN)], "display": NO_EQUIPMENT}}]
    return kept


def is_withdrawn(provenance: JsonObject, context: MappingContext) -> bool:
    """Whether a Provenance carries our mark of withdrawal."""
    return bool(named(provenance.get("extension"), context.url("withdrawn")))


def is_ours(provenance: JsonObject, study_uid: str, context: MappingContext) -> bool:
    """Whether a Provenance has the id that D17 gives for the key and place it states itself.

    Args:
        provenance: Any Provenance that targets the study.
        study_uid: Study Instance UID.
        context: The mapping's.
    """
    for step in named(provenance.get("extension"), context.url("step")):
        slots = step.get("extension")
        key, place = (
            next((one.get("valueString") for one in named(slots, url)), None)
            for url in (KEY, PLACE)
        )
        if isinstance(key, str) and isinstance(place, str):
            return bool(provenance["id"] == context.namer.provenance(study_uid, key, place))
    return False
