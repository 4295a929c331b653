"""Inferences → extensions that name their rule (D16); never agent, date, policy or label."""

from __future__ import annotations

from collections.abc import Iterable

from deidfhir.fhir.extensions import is_fhir_string
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.levels import Levels
from deidfhir.mapping.terminology import dcm, standard_meaning, term_coding
from deidfhir.model.record import NO_EVIDENCE, Facts
from deidfhir.recognition.recognise import recognise
from deidfhir.recognition.result import Inference, Recognised

RULE, VALUE, TOOL, CODE, DATE, TERM = "rule", "value", "tool", "code", "date", "term"
EVIDENCE = "evidence"


def recognised_in(facts: Facts, context: MappingContext) -> Recognised:
    """Return what is inferred from one instance.

    Args:
        facts: As read; only its method texts give inferences, the rest supports them.
        context: Holds the vocabulary.
    """
    return recognise(facts.markers, facts.evidence, context.vocabulary)


def recognised_in_all(facts: Iterable[Facts], context: MappingContext) -> Recognised:
    """Return what is inferred from instances that share their markers.

    Where what supports the inferences differs among them, none of it is named.

    Args:
        facts: Those of one marker set.
        context: Holds the vocabulary.
    """
    members = list(facts)
    found = {recognised_in(one, context) for one in members}
    if len(found) == 1:
        return found.pop()
    return recognise(members[0].markers, NO_EVIDENCE, context.vocabulary)


def place_inferred(like: Levels, context: MappingContext) -> Levels:
    """Return the inferences of a study, at the highest level where all instances agree.

    Args:
        like: Levels of the same study.
        context: The mapping's.
    """
    levels = like.anew()
    for place, one in levels.places(lambda one: recognised_in(one, context).inferences):
        place.extend(inferred_extensions(recognised_in(one, context).inferences, context))
    return levels


def inferred_extensions(
    inferences: Iterable[Inference], context: MappingContext
) -> list[JsonObject]:
    """Return one extension an inference.

    Args:
        inferences: In their order.
        context: Tells the extension's address.
    """
    return [
        {"url": context.url("inferred"), "extension": _slots(one, context)} for one in inferences
    ]


def _slots(one: Inference, context: MappingContext) -> list[JsonObject]:
    slots: list[JsonObject] = [{"url": RULE, "valueCode": one.rule}]
    slots += [{"url": VALUE, "valuePositiveInt": number} for number in one.values]
    if one.tool:
        slots.append({"url": TOOL, "valueCode": one.tool})
    named = (("manufacturer", one.manufacturer), ("name", one.name), ("version", one.version))
    slots += [{"url": name, "valueString": text} for name, text in named if is_fhir_string(text)]
    slots += [{"url": CODE, "valueCoding": _dcm_coding(code)} for code in one.codes]
    slots += [{"url": DATE, "valueDateTime": date} for date in one.dates]
    if is_fhir_string(one.edition):
        slots.append({"url": "edition", "valueString": one.edition})
    slots += [
        {"url": TERM, "valueCoding": term_coding(code, context.settings.canonical)}
        for code in one.terms
    ]
    return slots + [{"url": EVIDENCE, "valueCode": kind} for kind in one.evidence]


def _dcm_coding(code: str) -> JsonObject:
    return {"system": dcm(), "code": code, "display": standard_meaning(code)}


def tools_said(inferences: Iterable[Inference]) -> str:
    """Return the sentence that names inferred tools for people, or an empty text."""
    names = dict.fromkeys(
        " ".join(part for part in (one.name, one.version) if part) for one in inferences if one.tool
    )
    if not names:
        return ""
    return f" Inferred from the wording, not stated: {', '.join(names)}."
