"""A study → ImagingStudy: HL7's published mapping as far as the allow-list lets it leave (D5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from deidfhir.fhir.extensions import MASKED, UNKNOWN, data_absent, is_fhir_string
from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import urn
from deidfhir.mapping.labels import security_label
from deidfhir.mapping.leaving import (
    agreed,
    dates_are_modified,
    dates_clash,
    leaving_patient_id,
    unlocks_dates,
    unlocks_descriptors,
)
from deidfhir.mapping.markers import Placed, extension, place
from deidfhir.mapping.temporal import fhir_from_date_and_time
from deidfhir.mapping.terminology import dcm, is_defined_modality
from deidfhir.model.record import Instance
from deidfhir.model.study import Study
from deidfhir.model.uid import is_usable
from deidfhir.tables import table

SUBJECT_NOT_STATED = "Subject not stated: the Patient ID is withheld or empty"
_UNSIGNED_INT = 2**31 - 1  # FHIR datatypes, unsignedInt


@dataclass(slots=True)
class _Draft:
    """What the parts of one ImagingStudy share while it is made."""

    study: Study
    context: MappingContext
    placed: Placed
    dates_withheld: bool
    findings: set[str] = field(default_factory=set)

    def agreed(
        self,
        instances: tuple[Instance, ...],
        value_of: Callable[[Instance], str | None],
        unlocks: Callable[[Instance], bool],
        finding: str = "",
    ) -> str | None:
        """Return the agreed value, noting a disagreement."""
        value, differs = agreed(instances, value_of, unlocks)
        if differs and finding:
            self.findings.add(finding)
        return value


def imaging_study(study: Study, context: MappingContext) -> tuple[JsonObject, set[str]]:
    """Return the ImagingStudy and the codes of the findings that making it showed.

    Args:
        study: The study; what of each instance leaves is decided by its own codes.
        context: The mapping's.
    """
    series = study.series()
    clash = dates_clash(study.instances)
    draft = _Draft(study, context, place(series, context), clash)
    if clash:
        draft.findings.add("dates-full-and-modified")
    elements = [_series(uid, members, draft) for uid, members in series.items()]
    hl7 = table("urls.toml")["hl7"]
    resource: JsonObject = {
        "resourceType": "ImagingStudy",
        "id": context.namer.imaging_study(study.uid),
    }
    label, refused = security_label(study, context)
    if label:
        resource["meta"] = {"security": [label]}
    if refused:
        draft.findings.add("label-refused")
    if context.settings.narrative:
        resource["text"] = narrative(_sentence(study))
    if marked := extension(draft.placed.study, context):
        resource["extension"] = marked
    resource["identifier"] = [{"system": hl7["dicom_uid"], "value": urn(study.uid)}]
    resource["status"] = "available"
    if modalities := _modalities(elements, context):
        resource["modality"] = modalities
    resource["subject"] = _subject(draft)
    resource.update(_started(study.instances, draft, _study_started))
    resource["numberOfSeries"] = len(elements)
    resource["numberOfInstances"] = len(study.instances)
    text = draft.agreed(study.instances, _fhir_text("study_description"), unlocks_descriptors)
    if text:
        resource["description"] = text
    resource["series"] = elements
    return resource, draft.findings


def _series(uid: str, members: tuple[Instance, ...], draft: _Draft) -> JsonObject:
    context = draft.context
    element: JsonObject = {}
    if marked := extension(draft.placed.series[uid], context):
        element["extension"] = marked
    element["uid"] = uid
    number = _number({one.series_number for one in members}, draft)
    if number is not None:
        element["number"] = number
    element["modality"] = context.version.modality(_modality(members, draft))
    text = draft.agreed(members, _fhir_text("series_description"), unlocks_descriptors)
    if text:
        element["description"] = text
    element["numberOfInstances"] = len(members)
    site = draft.agreed(members, _fhir_text("body_part"), unlocks_descriptors)
    if site:
        element["bodySite"] = context.version.body_site(site)
    element.update(_started(members, draft, _series_started))
    element["instance"] = [_instance(one, draft) for one in members]
    return element


def _instance(one: Instance, draft: _Draft) -> JsonObject:
    element: JsonObject = {}
    if marked := extension(draft.placed.instances[one.sop_instance_uid], draft.context):
        element["extension"] = marked
    element["uid"] = one.sop_instance_uid
    element["sopClass"] = _sop_class(one, draft)
    number = _number({one.instance_number}, draft)
    if number is not None:
        element["number"] = number
    if one.title and unlocks_descriptors(one) and is_fhir_string(one.title):
        element["title"] = one.title
    return element


def _sop_class(one: Instance, draft: _Draft) -> JsonObject:
    if not is_usable(one.sop_class_uid):
        draft.findings.add("sop-class-undefined")
        return {"extension": [data_absent(UNKNOWN)]}
    return {"system": table("urls.toml")["hl7"]["uri"], "code": urn(one.sop_class_uid)}


def _modality(members: tuple[Instance, ...], draft: _Draft) -> JsonObject:
    terms = {one.modality for one in members}
    term = terms.pop() if len(terms) == 1 else ""
    if not is_defined_modality(term):
        draft.findings.add("modality-undefined")
        return {"extension": [data_absent(UNKNOWN)]}
    return {"system": dcm(), "code": term}


def _modalities(series: list[JsonObject], context: MappingContext) -> list[JsonObject]:
    codings = [context.version.modality_coding(one["modality"]) for one in series]
    known = {coding["code"]: coding for coding in codings if "code" in coding}
    return [context.version.modality(known[code]) for code in sorted(known)]


def _number(texts: set[str], draft: _Draft) -> int | None:
    """Return the one number that all texts give; absent is no finding, unusable is."""
    texts = {text for text in texts if text}
    if not texts:
        return None
    text = texts.pop()
    digits = text.removeprefix("+")
    if texts or not digits.isascii() or not digits.isdigit() or int(digits) > _UNSIGNED_INT:
        draft.findings.add("number-unusable")
        return None
    return int(digits)


def _subject(draft: _Draft) -> JsonObject:
    settings = draft.context.settings
    value, why = leaving_patient_id(draft.study.instances)
    if value is not None and is_fhir_string(value):
        system = settings.patient_id_system or settings.namespace
        return {"type": "Patient", "identifier": {"system": system, "value": value}}
    if why == "differs":
        draft.findings.add("patient-ids-differ")
    reason = UNKNOWN if why == "empty" else MASKED
    return {"extension": [data_absent(reason)], "type": "Patient", "display": SUBJECT_NOT_STATED}


def _started(
    instances: tuple[Instance, ...], draft: _Draft, value_of: Callable[[Instance], str | None]
) -> JsonObject:
    if draft.dates_withheld:
        return {}
    value = draft.agreed(instances, value_of, unlocks_dates, "started-differs")
    if value is None:
        return {}
    if any(dates_are_modified(one) for one in instances):
        shifted = {"url": draft.context.url("shifted"), "valueBoolean": True}
        return {"started": value, "_started": {"extension": [shifted]}}
    return {"started": value}


def _study_started(one: Instance) -> str | None:
    return fhir_from_date_and_time(one.study_date, one.study_time, one.timezone)


def _series_started(one: Instance) -> str | None:
    return fhir_from_date_and_time(one.series_date, one.series_time, one.timezone)


def _fhir_text(field_name: str) -> Callable[[Instance], str | None]:
    def value_of(one: Instance) -> str | None:
        text: str = getattr(one, field_name)
        return text if is_fhir_string(text) else None

    return value_of


def _sentence(study: Study) -> str:
    count = len(study.instances)
    images = "The one instance of this study" if count == 1 else f"The {count} instances"
    words = {
        "removed": "state that the patient's identity is removed",
        "not-removed": "state that the patient's identity is not removed",
        "contradictory": "contradict themselves about the patient's identity",
        "unknown": "do not state whether the patient's identity is removed",
        "mixed": "differ in what they state about the patient's identity",
    }
    said = words[study.verdict.value]
    if count == 1:
        said = said.replace("state that", "states that").replace("do not", "does not")
        said = said.replace("contradict themselves", "contradicts itself")
    return f"{images} {said}."
