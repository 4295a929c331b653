"""Attribute by attribute, where one object's content goes, or why it stays (D4 to D6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deidfhir.config import Settings
from deidfhir.dicom.dicomjson import elements_of_json, odd_in_json, read_json
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.evidence import evidence_of_json
from deidfhir.dicom.headers import read_header
from deidfhir.dicom.reader import instance_of
from deidfhir.errors import SkippableError, UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.inferred import recognised_in
from deidfhir.mapping.leaving import leaving_markers, unlocks_dates, unlocks_descriptors
from deidfhir.model.attributes import Attribute, attributes, by_keyword
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance, Masked
from deidfhir.model.study import Study
from deidfhir.model.verdict import REASONS, Verdict, verdict_of
from deidfhir.pipeline.gate import DEFAULT_ACCEPT
from deidfhir.pipeline.inferences import shown_inference, unrecognised_in
from deidfhir.pipeline.sources import JSON_SUFFIX, require_paths

_NEEDS = {
    "dates": "needs 113106 or 113107 among the method codes (D5)",
    "zone": "leaves only as the zone of a date and time that leaves (D5, D14)",
    "113105": "needs 113105 among the method codes (D5)",
    "113109": "needs 113109 among the method codes (D4)",
    "113112": "needs 113112 among the method codes (D4)",
    "identity-removed": "needs Patient Identity Removed YES in every instance of the study (D6)",
    "operators": "needs the setting `operators` (D4)",
    "masked": "never leaves; its presence is marked (D4)",
    "never": "read to judge, never sent",
}


def explained(path: Path, settings: Settings) -> dict[str, Any]:
    """Return what `explain --json` prints.

    Args:
        path: A file with one object, or DICOM JSON with several.
        settings: The site's.

    Raises:
        UsageError: `path-missing` or `path-is-folder`.
        SkippableError: `no-object`.
    """
    require_paths([path])
    if path.is_dir():
        raise UsageError("path-is-folder", path=path)
    try:
        objects = [_object(header, path, settings) for header in _headers(path)]
    except ObjectSkipped as skip:
        reason = Finding(skip.code).text
        raise SkippableError("no-object", path=path, reason=reason) from skip
    return {"path": str(path), "objects": objects}


def _headers(path: Path) -> Iterator[Header]:
    if path.suffix.lower() == JSON_SUFFIX:
        for one in read_json(path):
            evidence, odd = evidence_of_json(one), odd_in_json(one)
            yield Header(elements_of_json(one), evidence=evidence, odd=odd)
    else:
        yield read_header(path)


def _object(header: Header, path: Path, settings: Settings) -> dict[str, Any]:
    elements = header.elements
    instance, findings = instance_of(
        elements,
        str(path),
        tail_broken=header.tail_broken,
        evidence=header.evidence,
        odd=header.odd,
    )
    verdict, reasons = verdict_of(instance.markers)
    study = Study(instance.study_uid, (instance,), findings)
    rows = [
        _row(attribute, elements[attribute.keyword], instance, settings)
        for attribute in attributes("object").values()
        if attribute.keyword in elements
    ]
    return {
        "verdict": verdict.value,
        "reasons": [REASONS[code] for code in reasons],
        "refused_by_default": verdict not in DEFAULT_ACCEPT,
        "attributes": rows + list(_equipment_rows(instance, settings)),
        **_inferred(instance, settings),
        "findings": [one.as_dict() for one in findings_of(study)],
    }


def _inferred(instance: Instance, settings: Settings) -> dict[str, Any]:
    """Return which rule inferred what from which text, and which texts no entry knows (D16)."""
    context = MappingContext(settings=settings)
    found = recognised_in(instance, context).inferences
    return {
        "inferred": [shown_inference(one, instance) for one in found],
        "unrecognised": unrecognised_in(instance, context),
    }


def _row(
    attribute: Attribute, content: tuple[Any, ...], instance: Instance, settings: Settings
) -> dict[str, Any]:
    leaves = _leaves(attribute.leaves, instance)
    # The UIDs of an object that is refused by default do not show (D3).
    removed = verdict_of(instance.markers)[0] is Verdict.REMOVED
    texts = [value for value in content if isinstance(value, str)]
    rule = "always leaves" if attribute.leaves == "always" else _NEEDS[attribute.leaves]
    if attribute.keyword == "ContributingEquipmentSequence" and not instance.markers.equipment:
        leaves, rule = False, "holds no item of purpose 109104 (D4)"
    # Only what states a removed identity gets a Provenance (D3).
    # Which of subject and Patient has the identifier is the site's choice, told by `_element`.
    rests_on = ("Patient.",) if removed else ("Patient.", "Provenance")
    also = [one for one in attribute.also if not one.startswith(rests_on)]
    return {
        "tag": attribute.label,
        "attribute": attribute.keyword,
        "section": attribute.section,
        "leaves": leaves,
        "to": [_element(attribute, settings), *also] if leaves and attribute.to else [],
        "rule": rule,
        "values": texts if leaves and (attribute.is_marker or removed) else [],
        "items": len(content) - len(texts),
    }


def _element(attribute: Attribute, settings: Settings) -> str:
    if attribute.keyword == "PatientID" and settings.patient == "resource":
        return "Patient.identifier"
    if attribute.is_marker:
        return f"ImagingStudy.extension(deidentification-markers).{attribute.slot}"
    return attribute.to


def _leaves(rule: str, instance: Instance) -> bool:
    return {
        "always": True,
        "dates": unlocks_dates(instance),
        "zone": unlocks_dates(instance) or bool(instance.markers.equipment),
        "113105": unlocks_descriptors(instance),
        "identity-removed": verdict_of(instance.markers)[0] is Verdict.REMOVED,
    }.get(rule, False)


def _equipment_rows(instance: Instance, settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield a row for each attribute of each item of purpose 109104."""
    parent = by_keyword("object")["ContributingEquipmentSequence"]
    table = by_keyword("equipment item")
    leaving = leaving_markers(instance.markers, settings)
    for number, item in enumerate(leaving.equipment, start=1):
        for keyword, content in item.elements:
            attribute = table[keyword]
            leaves = not isinstance(content, Masked)
            always = attribute.leaves == "always"
            yield {
                "tag": f"{parent.label}[{number}]{attribute.label}",
                "attribute": keyword,
                "section": attribute.section,
                "leaves": leaves,
                "to": [f"{_element(parent, settings)}.{attribute.slot}", *attribute.also]
                if leaves
                else [],
                "rule": "always leaves" if always else _NEEDS[attribute.leaves],
                "values": list(item.values(keyword)),
                "items": len(item.items(keyword)),
            }
