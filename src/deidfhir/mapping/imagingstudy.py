"""A study → ImagingStudy: HL7's published mapping as far as the allow-list lets it leave (D5)."""

from __future__ import annotations

from dataclasses import dataclass, field

from deidfhir.fhir.extensions import MASKED, UNKNOWN, data_absent, is_fhir_string
from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import urn
from deidfhir.mapping.inferred import place_inferred, recognised_in, tools_said
from deidfhir.mapping.leaving import PATIENT_ID, Agreed, LeavingStudy, agreed
from deidfhir.mapping.levels import Levels
from deidfhir.mapping.markers import extension, place
from deidfhir.mapping.patient import pseudonym_of
from deidfhir.mapping.temporal import fhir_from_date_and_time
from deidfhir.mapping.terminology import dcm, is_defined_modality
from deidfhir.model.record import Facts, Instance
from deidfhir.model.study import Study
from deidfhir.model.uid import is_usable
from deidfhir.tables import table

SUBJECT_NOT_STATED = "Subject not stated: the Patient ID is withheld or empty"
SERIES_NUMBER = "series_number"
_UNSIGNED_INT = 2**31 - 1  # FHIR datatypes, unsignedInt
_LONGEST_NUMBER = 12  # PS3.5 6.2, IS


@dataclass(slots=True)
class _Draft:
    """What the parts of one ImagingStudy share while it is made."""

    study: LeavingStudy
    context: MappingContext
    placed: Levels
    inferred: Levels
    findings: set[str] = field(default_factory=set)


def _text(facts: tuple[Facts, ...], name: str) -> Agreed:
    """Return the agreed descriptor, by its field of Facts."""

    def usable(one: Facts) -> str | None:
        text: str = getattr(one, name)
        return text if is_fhir_string(text) else None

    return agreed(facts, name, usable)


def _description(facts: tuple[Facts, ...], level: str) -> JsonObject:
    """Return `description` of the study or of a series, or why there is none."""
    found = _text(facts, f"{level}_description")
    return {"description": found.value} if found.value else absence("description", found.absent)


def absence(element: str, reason: str) -> JsonObject:
    """Return the primitive element that says why it has no value; nothing without a reason.

    So a reader tells what is not there from what was withheld, and an instance more can be added
    to what is stated without reading the others again (D19).

    Args:
        element: Name of the element.
        reason: Data-absent-reason, or an empty text.
    """
    return {f"_{element}": {"extension": [data_absent(reason)]}} if reason else {}


def imaging_study(
    study: LeavingStudy, context: MappingContext, label: JsonObject | None = None
) -> tuple[JsonObject, set[str]]:
    """Return the ImagingStudy and the codes of the findings that making it showed.

    Args:
        study: The study as far as it leaves.
        context: The mapping's.
        label: Its security label, if it has one.
    """
    series = study.series()
    placed = place(series, context)
    draft = _Draft(study, context, placed, place_inferred(placed, context))
    elements = [_series(uid, members, draft) for uid, members in series.items()]
    hl7 = table("urls.toml")["hl7"]
    resource: JsonObject = {
        "resourceType": "ImagingStudy",
        "id": context.namer.imaging_study(study.uid),
        "meta": context.profile("ImagingStudy"),
    }
    if label:
        resource["meta"]["security"] = [label]
    if context.settings.narrative:
        resource["text"] = narrative(_sentence(study, context))
    resource["extension"] = [*extension(draft.placed.study, context), *draft.inferred.study]
    resource["identifier"] = [{"system": hl7["dicom_uid"], "value": urn(study.uid)}]
    resource["status"] = "available"
    if modalities := _modalities(elements, context):
        resource["modality"] = modalities
    resource["subject"] = _subject(draft)
    resource.update(_started(study.facts, draft, "study"))
    if context.settings.dicomweb_root:
        identity = context.namer.endpoint(context.settings.dicomweb_root)
        resource["endpoint"] = [{"reference": f"Endpoint/{identity}", "type": "Endpoint"}]
    resource["numberOfSeries"] = len(elements)
    resource["numberOfInstances"] = len(study.instances)
    resource.update(_description(study.facts, "study"))
    resource["series"] = elements
    return resource, draft.findings


def _series(uid: str, members: tuple[Instance, ...], draft: _Draft) -> JsonObject:
    context, facts = draft.context, draft.placed.beneath[uid]
    element: JsonObject = {}
    marked = [*extension(draft.placed.series[uid], context), *draft.inferred.series[uid]]
    if marked:
        element["extension"] = marked
    element["uid"] = uid
    element.update(_series_number(facts, draft))
    element["modality"] = context.version.modality(_modality(facts, draft))
    element.update(_description(facts, "series"))
    element["numberOfInstances"] = len(members)
    site = _text(facts, "body_part")
    if site.value:
        element["bodySite"] = context.version.body_site(site.value)
    elif site.absent:
        element["bodySite"] = {"extension": [data_absent(site.absent)]}
    element.update(_started(facts, draft, "series"))
    shared = {id(one): (_sop_class(one, draft), _title(one)) for one in facts}
    element["instance"] = [_instance(one, *shared[id(one.facts)], draft) for one in members]
    return element


def _instance(one: Instance, sop_class: JsonObject, title: JsonObject, draft: _Draft) -> JsonObject:
    uid = one.sop_instance_uid
    element: JsonObject = {"uid": uid, "sopClass": sop_class}
    if uid in draft.placed.instances or uid in draft.inferred.instances:
        marked = extension(draft.placed.instances.get(uid, []), draft.context)
        marked += draft.inferred.instances.get(uid, ())
        element = {"extension": marked, **element} if marked else element
    if one.instance_number and (number := _unsigned(one.instance_number, draft)) is not None:
        element["number"] = number
    if title:
        element.update(title)
    return element


def _title(one: Facts) -> JsonObject:
    return {"title": one.title} if is_fhir_string(one.title) else {}


def _sop_class(one: Facts, draft: _Draft) -> JsonObject:
    if not is_usable(one.sop_class_uid):
        draft.findings.add("sop-class-undefined")
        return {"extension": [data_absent(UNKNOWN)]}
    return {"system": table("urls.toml")["hl7"]["uri"], "code": urn(one.sop_class_uid)}


def _modality(facts: tuple[Facts, ...], draft: _Draft) -> JsonObject:
    terms = {one.modality for one in facts}
    term = terms.pop() if len(terms) == 1 else ""
    if not is_defined_modality(term):
        draft.findings.add("modality-undefined")
        return {"extension": [data_absent(UNKNOWN)]}
    return {"system": dcm(), "code": term}


def _modalities(series: list[JsonObject], context: MappingContext) -> list[JsonObject]:
    codings = [context.version.modality_coding(one["modality"]) for one in series]
    known = {coding["code"]: coding for coding in codings if "code" in coding}
    return [context.version.modality(known[code]) for code in sorted(known)]


def _series_number(facts: tuple[Facts, ...], draft: _Draft) -> JsonObject:
    texts = {one.series_number for one in facts}
    unsettled = any(SERIES_NUMBER in one.unsettled for one in facts)
    number = None if unsettled else _number(texts, draft)
    if number is not None:
        return {"number": number}
    return absence("number", UNKNOWN if unsettled or texts != {""} else "")


def _number(texts: set[str], draft: _Draft) -> int | None:
    """Return the one number that all texts give; absent is no finding, unusable is."""
    texts = texts - {""}
    if len(texts) > 1:
        draft.findings.add("number-unusable")
        return None
    return _unsigned(texts.pop(), draft) if texts else None


def _unsigned(text: str, draft: _Draft) -> int | None:
    """Return the number that a text gives."""
    digits = text.removeprefix("+")
    usable = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER
    if not usable or int(digits) > _UNSIGNED_INT:
        draft.findings.add("number-unusable")
        return None
    return int(digits)


def _subject(draft: _Draft) -> JsonObject:
    identifier = pseudonym_of(draft.study, draft.context)
    if identifier is not None and draft.context.settings.patient == "resource":
        identity = draft.context.namer.patient(draft.study.uid)
        return {"reference": f"Patient/{identity}", "type": "Patient"}
    if identifier is not None:
        return {"type": "Patient", "identifier": identifier}
    stays = any(PATIENT_ID in one.withheld for one in draft.study.facts)
    reason = MASKED if stays else UNKNOWN
    return {"extension": [data_absent(reason)], "type": "Patient", "display": SUBJECT_NOT_STATED}


def _started(facts: tuple[Facts, ...], draft: _Draft, level: str) -> JsonObject:
    """Return `started` of the study or of a series.

    Args:
        facts: Those of the instances beneath it.
        draft: The study's.
        level: `study` or `series`, the prefix of the date's and the time's field.
    """
    date, time = f"{level}_date", f"{level}_time"

    def usable(one: Facts) -> str | None:
        return fhir_from_date_and_time(getattr(one, date), getattr(one, time), one.timezone)

    if any(getattr(one, date) and usable(one) is None for one in facts):
        draft.findings.add("date-unusable")
    # A time without its date is no moment: the date decides.
    found = agreed(facts, date, usable)
    if found.differs:
        draft.findings.add("started-differs")
    if found.value is None:
        return absence("started", found.absent)
    if any(one.dates_modified for one in facts):
        shifted = {"url": draft.context.url("shifted"), "valueBoolean": True}
        return {"started": found.value, "_started": {"extension": [shifted]}}
    return {"started": found.value}


def _sentence(study: Study, context: MappingContext) -> str:
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
    inferences = [found for one in study.facts for found in recognised_in(one, context).inferences]
    return f"{images} {said}.{tools_said(inferences)}"
