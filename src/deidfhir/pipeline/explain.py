"""Attribute by attribute, where one object's content goes, or why it stays (D4 to D7).

What is shown as leaving is read from the FHIR that is made of the object, not decided once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deidfhir.containers.faults import ContainerError
from deidfhir.containers.limits import limits_of
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.reader import instance_of
from deidfhir.errors import SkippableError
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.inferred import recognised_in
from deidfhir.mapping.leaving import claims_of, leaving_study
from deidfhir.mapping.study import map_study
from deidfhir.model.attributes import Attribute, attributes, by_keyword
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Facts, Masked
from deidfhir.model.study import Study
from deidfhir.model.verdict import REASONS, verdict_of
from deidfhir.pipeline.asked import headers_at
from deidfhir.pipeline.gate import refusal_of
from deidfhir.pipeline.inferences import shown_inference, unrecognised_in
from deidfhir.pipeline.sent import sent_at
from deidfhir.policy.ruling import Claims, rulings

_NO_ITEM = "holds no item of purpose 109104 (D4)"
_NOT_AT_ALL = "withheld by the setting `subject` (D6)"
_NOTHING_LEFT = "FHIR holds nothing of it: it has no usable form, or what it belongs to stays"


@dataclass(frozen=True, slots=True)
class _Explained:
    """One object: as read, as far as it leaves, and what is made of it."""

    elements: dict[str, tuple[Any, ...]]
    read: Facts
    leaving: Facts
    claims: Claims
    resources: tuple[JsonObject, ...]
    context: MappingContext


def explained(path: Path, context: MappingContext) -> dict[str, Any]:
    """Return what `explain --json` prints.

    Args:
        path: A file with one object or with several, or a member of a container.
        context: Settings and policy of the site.

    Raises:
        UsageError: `path-missing` or `path-is-folder`.
        SkippableError: `no-object`.
    """
    try:
        headers = headers_at(path, limits_of(context.settings))
        objects = [_object(header, path, context) for header in headers]
    except (ObjectSkipped, ContainerError) as skip:
        reason = Finding(skip.code).text
        raise SkippableError("no-object", path=path, reason=reason) from None
    return {"path": str(path), "policy": context.decided(), "objects": objects}


def _object(header: Header, path: Path, context: MappingContext) -> dict[str, Any]:
    instance, read_findings = instance_of(header, str(path))
    study = Study(instance.study_uid, (instance,), read_findings)
    (leaving,) = leaving_study(study, context)[0].facts
    claims, mapped = claims_of(instance.facts, context), map_study(study, context)
    one = _Explained(header.elements, instance.facts, leaving, claims, mapped.resources, context)
    findings = findings_of(study)
    refused = refusal_of(study, context.in_force, (*findings, *mapped.findings))
    rows = [
        _row(attribute, one)
        for attribute in attributes("object").values()
        if attribute.keyword in header.elements
    ]
    verdict, reasons = verdict_of(instance.markers)
    return {
        "verdict": verdict.value,
        "reasons": [REASONS[code] for code in reasons],
        "refused_by_default": not claims.removed,
        "refused": None if refused is None else refused.finding.code,
        "attributes": rows + list(_equipment_rows(one)),
        **_inferred(one),
        "findings": [found.as_dict() for found in (*findings, *mapped.findings)],
    }


def _inferred(one: _Explained) -> dict[str, Any]:
    """Return which rule inferred what from which text, and which texts no entry knows (D16)."""
    found = recognised_in(one.leaving, one.context).inferences
    return {
        "inferred": [shown_inference(inference, one.leaving) for inference in found],
        "unrecognised": unrecognised_in(one.leaving, one.context),
    }


def _row(attribute: Attribute, one: _Explained) -> dict[str, Any]:
    content = one.elements[attribute.keyword]
    leaves, words, values = _decided(attribute, one)
    # Only what states a removed identity gets a Provenance (D3).
    # Which of subject and Patient has the identifier is the site's choice, told by `_element`.
    rests_on = ("Patient.",) if one.claims.removed else ("Patient.", "Provenance")
    also = [element for element in attribute.also if not element.startswith(rests_on)]
    return {
        "tag": attribute.label,
        "attribute": attribute.keyword,
        "section": attribute.section,
        "leaves": leaves,
        "to": [_element(attribute, one.context), *also] if leaves and attribute.to else [],
        "rule": "always leaves" if words == "always" else words,
        "values": values,
        "items": len([value for value in content if not isinstance(value, str)]),
    }


def _decided(attribute: Attribute, one: _Explained) -> tuple[bool, str, list[str]]:
    """Return whether an attribute of the root leaves, why, and what is sent of it."""
    ruling = rulings("object", one.claims, one.context.in_force)[attribute.keyword]
    if not attribute.is_marker:
        return _of_fact(attribute, one)
    if attribute.keyword == "ContributingEquipmentSequence" and not one.leaving.markers.equipment:
        return False, _NO_ITEM, []
    if attribute.keyword == "DeidentificationMethod":
        method = one.leaving.markers.method or ()
        kept = [text for text in method if not isinstance(text, Masked)]
        return ruling.leaves and (bool(kept) or not method), ruling.words, kept
    texts = [value for value in one.elements[attribute.keyword] if isinstance(value, str)]
    return ruling.leaves, ruling.words, texts


def _of_fact(attribute: Attribute, one: _Explained) -> tuple[bool, str, list[str]]:
    ruling = rulings("object", one.claims, one.context.in_force)[attribute.keyword]
    if not ruling.leaves or not attribute.to:
        return ruling.leaves, ruling.words, []
    if attribute.fact == "title" and attribute.keyword != one.read.title_keyword:
        return False, f"the title is that of {one.read.title_keyword}", []
    sent = sent_at(attribute, _element(attribute, one.context), one.resources)
    if not sent:
        stays = attribute.keyword == "PatientID" and one.context.settings.subject == "withheld"
        return False, _NOT_AT_ALL if stays else _NOTHING_LEFT, []
    # The UIDs of an object that is refused by default do not show (D3).
    return True, ruling.words, sent if one.claims.removed else []


def _element(attribute: Attribute, context: MappingContext) -> str:
    if attribute.keyword == "PatientID" and context.settings.patient == "resource":
        return "Patient.identifier"
    if attribute.is_marker:
        return f"ImagingStudy.extension(deidentification-markers).{attribute.slot}"
    return attribute.to


def _equipment_rows(one: _Explained) -> Iterator[dict[str, Any]]:
    """Yield a row for each attribute of each item of purpose 109104."""
    parent = by_keyword("object")["ContributingEquipmentSequence"]
    table = by_keyword("equipment item")
    ruled = rulings("equipment item", one.claims, one.context.in_force)
    for number, item in enumerate(one.leaving.markers.equipment, start=1):
        for keyword, content in item.elements:
            attribute = table[keyword]
            leaves = not isinstance(content, Masked)
            slot = f"{_element(parent, one.context)}.{attribute.slot}"
            words = ruled[keyword].words
            yield {
                "tag": f"{parent.label}[{number}]{attribute.label}",
                "attribute": keyword,
                "section": attribute.section,
                "leaves": leaves,
                "to": [slot, *attribute.also] if leaves else [],
                "rule": "always leaves" if words == "always" else words,
                "values": list(item.values(keyword)),
                "items": len(item.items(keyword)),
            }
