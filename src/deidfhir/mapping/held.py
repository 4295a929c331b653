"""FHIR → record: what a target holds of a study, as instances that are mapped again (D19).

An instance that this run did not read, but an earlier one did, is mapped again from what was stated
of it. What its study and series state stands for all of their instances: which of them gave it is
not told. Whether what comes out of this is faithful, only mapping it tells: it must give the same
resources again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from deidfhir.fhir.extensions import DATA_ABSENT_REASON, MASKED, UNKNOWN, named, nested
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import bare
from deidfhir.mapping.imagingstudy import SERIES_NUMBER
from deidfhir.mapping.inferred import EVIDENCE, RULE
from deidfhir.mapping.items import CODING
from deidfhir.mapping.leaving import PATIENT_ID, claims_of
from deidfhir.mapping.patient import GENDERS
from deidfhir.mapping.reverse import StatedInstance, read_back
from deidfhir.mapping.stillleaving import fact_leaves, still_leaves
from deidfhir.mapping.temporal import zones_in
from deidfhir.mapping.terminology import own_schemes
from deidfhir.model.attributes import by_keyword
from deidfhir.model.options import MODIFIED_DATES
from deidfhir.model.record import Evidence, Facts, Instance

STUDY_FACTS = ("study_date", "study_description", PATIENT_ID, "patient_sex")
SERIES_FACTS = ("series_date", "series_description", "body_part", SERIES_NUMBER)


@dataclass(frozen=True, slots=True)
class Given:
    """What an element of FHIR tells of a fact.

    Args:
        facts: Field of Facts → what it held; none where the element is not there.
        reason: Data-absent-reason in its place, or an empty text.
    """

    facts: dict[str, str]
    reason: str = ""


def held_instances(
    study: JsonObject,
    provenances: Iterable[JsonObject],
    patient: JsonObject | None,
    context: MappingContext,
) -> Iterator[tuple[Instance, ...]]:
    """Yield what the instances of a study may have been as they left, the likeliest first.

    Only the zone of their times may be in doubt. Nothing is yielded where a statement is missing,
    is not in the mapping's form, or where the policy in force would let more or less leave.

    Args:
        study: Our ImagingStudy, as a target holds it.
        provenances: The Provenance that target it.
        patient: The Patient that it refers to, if that is ours.
        context: The mapping's.
    """
    try:
        instances = _instances(study, patient, context)
    except (LookupError, TypeError, ValueError, AttributeError):
        return  # it is not in the form of the mapping
    if not instances or not still_leaves(instances, context):
        return
    for zone in _zones(study, provenances):
        yield tuple(
            one._replace(facts=replace(one.facts, timezone=one.facts.timezone or zone))
            for one in instances
        )


def _instances(
    study: JsonObject, patient: JsonObject | None, context: MappingContext
) -> list[Instance]:
    problems: list[str] = []
    (stated,) = read_back([study], problems.append)
    uids = [one.sop_instance_uid for one in stated.instances]
    if (
        problems
        or len(set(uids)) < len(uids)
        or any(one.verdict is None for one in stated.instances)
    ):
        return []
    placed = [(series, one) for series in study["series"] for one in series["instance"]]
    found = []
    for (series, element), one in zip(placed, stated.instances, strict=True):
        base = _base(stated.study_uid, one, element, [study, series, element], context)
        facts = replace(base.facts, modality=_modality(series, context))
        facts = _with(facts, _series_facts(series, context), context)
        found.append(base._replace(facts=facts))
    given = _study_facts(study, patient, context)
    # Whoever is refused the label may hold what lets the subject be found again.
    labels = [one.get("code") for one in study.get("meta", {}).get("security", ())]
    unlabelled = context.settings.label not in labels
    return [
        one._replace(facts=replace(_with(one.facts, given, context), encrypted=unlabelled))
        for one in found
    ]


def _base(
    study_uid: str,
    stated: StatedInstance,
    element: JsonObject,
    levels: list[JsonObject],
    context: MappingContext,
) -> Instance:
    schemes = {pair for level in levels for pair in _schemes(level, context)}
    facts = Facts(
        study_uid=study_uid,
        series_uid=stated.series_uid,
        markers=replace(stated.markers, coding_schemes=own_schemes(tuple(sorted(schemes)))),
        sop_class_uid=bare(element["sopClass"].get("code", "")),
        title=element.get("title", ""),
        evidence=Evidence(stated=tuple(_evidence(levels, context))),
    )
    facts = replace(facts, dates_modified=MODIFIED_DATES in claims_of(facts, context).codes)
    return Instance(facts, stated.sop_instance_uid, str(element.get("number", "")))


def _modality(series: JsonObject, context: MappingContext) -> str:
    code: str = context.version.modality_coding(series["modality"]).get("code", "")
    return code


def _schemes(element: JsonObject, context: MappingContext) -> Iterator[tuple[str, str]]:
    """Yield the schemes that the method codes of one level are stated with."""
    slot = by_keyword("object")["DeidentificationMethodCodeSequence"].slot
    designator = by_keyword("code item")["CodingSchemeDesignator"].slot
    for markers in named(element.get("extension"), context.url("markers")):
        for item in named(nested(markers), slot):
            names = [one.get("valueString", "") for one in named(item.get("extension"), designator)]
            systems = [one["valueCoding"]["system"] for one in named(item.get("extension"), CODING)]
            if names and systems and systems[0].startswith("urn:oid:"):
                yield names[0].strip(" \0"), bare(systems[0])


def _evidence(
    levels: list[JsonObject], context: MappingContext
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for level in levels:
        for one in named(level.get("extension"), context.url("inferred")):
            (rule,) = named(nested(one), RULE)
            kinds = tuple(kind["valueCode"] for kind in named(nested(one), EVIDENCE))
            if kinds:
                yield rule["valueCode"], kinds


def _with(facts: Facts, given: list[tuple[str, Given]], context: MappingContext) -> Facts:
    """Return facts with what their study or series states, as far as they may have given it."""
    claims = claims_of(facts, context)
    for name, one in given:
        if one.reason == MASKED:
            facts = replace(facts, withheld=facts.withheld | {name})
        elif one.reason == UNKNOWN:
            facts = replace(facts, unsettled=facts.unsettled | {name})
        elif one.facts and fact_leaves(name, claims, context):
            # One that does not let it leave had none: else none would stand there.
            changed: dict[str, Any] = dict(one.facts)
            facts = replace(facts, **changed)
    return facts


def _study_facts(
    study: JsonObject, patient: JsonObject | None, context: MappingContext
) -> list[tuple[str, Given]]:
    return [
        ("study_date", _started(study, "study")),
        ("study_description", _primitive(study, "description", "study_description")),
        (PATIENT_ID, _subject(study, patient)),
        ("patient_sex", _sex(patient, context)),
    ]


def _series_facts(series: JsonObject, context: MappingContext) -> list[tuple[str, Given]]:
    site = series.get("bodySite", {})
    text = site.get("concept", {}).get("text") if context.version.codeable else site.get("display")
    return [
        ("series_date", _started(series, "series")),
        ("series_description", _primitive(series, "description", "series_description")),
        ("body_part", Given({"body_part": text} if text else {}, _reason(site))),
        (SERIES_NUMBER, _primitive(series, "number", SERIES_NUMBER)),
    ]


def _primitive(element: JsonObject, name: str, fact: str) -> Given:
    if name in element:
        return Given({fact: str(element[name])})
    return Given({}, _reason(element.get(f"_{name}", {})))


def _reason(element: JsonObject) -> str:
    return next(
        (one["valueCode"] for one in named(element.get("extension"), DATA_ABSENT_REASON)), ""
    )


def _started(element: JsonObject, level: str) -> Given:
    if "started" not in element:
        return Given({}, _reason(element.get("_started", {})))
    day, _, clock = element["started"].partition("T")
    zone = next(iter(zones_in(element["started"])), "")
    facts = {f"{level}_date": day.replace("-", "")}
    if clock:
        facts[f"{level}_time"] = clock.removesuffix(f"{zone[:3]}:{zone[3:]}").replace(":", "")
        facts["timezone"] = zone
    return Given(facts)


def _subject(study: JsonObject, patient: JsonObject | None) -> Given:
    subject = study["subject"]
    if "reference" in subject:
        if patient is None:
            raise ValueError
        (identifier,) = patient["identifier"]
        return Given({PATIENT_ID: identifier["value"]})
    if "identifier" in subject:
        return Given({PATIENT_ID: subject["identifier"]["value"]})
    return Given({}, MASKED if _reason(subject) == MASKED else "")


def _sex(patient: JsonObject | None, context: MappingContext) -> Given:
    if patient is None:
        # Whoever asks for a Patient and has none does not know what it would have told.
        return Given({}, MASKED if context.settings.patient == "resource" else "")
    letters = {gender: letter for letter, gender in GENDERS.items()}
    if "gender" in patient:
        return Given({"patient_sex": letters[patient["gender"]]})
    return Given({}, _reason(patient.get("_gender", {})))


def _zones(study: JsonObject, provenances: Iterable[JsonObject]) -> list[str]:
    """Return the zones in which the times of a study may have been given, the likeliest first."""
    starts = [one.get("started", "") for one in (study, *study["series"])]
    occurred = []
    for one in provenances:
        period = one.get("occurredPeriod", {})
        occurred += [
            one.get("occurredDateTime", ""),
            period.get("start", ""),
            period.get("end", ""),
        ]
    found = [zone for text in (*starts, *occurred) for zone in zones_in(text)]
    return list(dict.fromkeys([*found, ""]))
