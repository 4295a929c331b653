"""Attribute by attribute, where one object's content goes, or why it stays (D4 to D7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deidfhir.dicom.dicomjson import elements_of_json, odd_in_json, read_json
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.evidence import evidence_of_json
from deidfhir.dicom.headers import read_header
from deidfhir.dicom.reader import instance_of
from deidfhir.errors import SkippableError, UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.inferred import recognised_in
from deidfhir.mapping.leaving import claims_of, leaving_study
from deidfhir.model.attributes import Attribute, attributes, by_keyword
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance, Masked
from deidfhir.model.study import Study
from deidfhir.model.verdict import REASONS, verdict_of
from deidfhir.pipeline.gate import refusal_of
from deidfhir.pipeline.inferences import shown_inference, unrecognised_in
from deidfhir.pipeline.sources import JSON_SUFFIX, require_paths
from deidfhir.policy.ruling import Claims, Ruling, rulings

_NO_ITEM = "holds no item of purpose 109104 (D4)"
_NO_PATIENT = 'needs the setting `patient` = "resource": only a Patient can hold it (D6)'
_NOT_AT_ALL = "withheld by the setting `subject` (D6)"


@dataclass(frozen=True, slots=True)
class _Explained:
    """One object: as read, and as far as it leaves."""

    elements: dict[str, tuple[Any, ...]]
    read: Instance
    leaving: Instance
    claims: Claims
    context: MappingContext


def explained(path: Path, context: MappingContext) -> dict[str, Any]:
    """Return what `explain --json` prints.

    Args:
        path: A file with one object, or DICOM JSON with several.
        context: Settings and policy of the site.

    Raises:
        UsageError: `path-missing` or `path-is-folder`.
        SkippableError: `no-object`.
    """
    require_paths([path])
    if path.is_dir():
        raise UsageError("path-is-folder", path=path)
    try:
        objects = [_object(header, path, context) for header in _headers(path)]
    except ObjectSkipped as skip:
        reason = Finding(skip.code).text
        raise SkippableError("no-object", path=path, reason=reason) from None
    return {"path": str(path), "policy": context.decided(), "objects": objects}


def _headers(path: Path) -> Iterator[Header]:
    if path.suffix.lower() == JSON_SUFFIX:
        for one in read_json(path):
            evidence, odd = evidence_of_json(one), odd_in_json(one)
            yield Header(elements_of_json(one), evidence=evidence, odd=odd)
    else:
        yield read_header(path)


def _object(header: Header, path: Path, context: MappingContext) -> dict[str, Any]:
    instance, findings = instance_of(
        header.elements,
        str(path),
        tail_broken=header.tail_broken,
        evidence=header.evidence,
        odd=header.odd,
    )
    study = Study(instance.study_uid, (instance,), findings)
    (leaving,) = leaving_study(study, context)[0].instances
    claims = claims_of(instance, context)
    one = _Explained(header.elements, instance, leaving, claims, context)
    verdict, reasons = verdict_of(instance.markers)
    refused = refusal_of(study, context.in_force, findings_of(study))
    rows = [
        _row(attribute, one)
        for attribute in attributes("object").values()
        if attribute.keyword in header.elements
    ]
    return {
        "verdict": verdict.value,
        "reasons": [REASONS[code] for code in reasons],
        "refused_by_default": not claims.removed,
        "refused": None if refused is None else refused.finding.code,
        "attributes": rows + list(_equipment_rows(one)),
        **_inferred(one),
        "findings": [found.as_dict() for found in findings_of(study)],
    }


def _inferred(one: _Explained) -> dict[str, Any]:
    """Return which rule inferred what from which text, and which texts no entry knows (D16)."""
    found = recognised_in(one.leaving, one.context).inferences
    return {
        "inferred": [shown_inference(inference, one.leaving) for inference in found],
        "unrecognised": unrecognised_in(one.leaving, one.context),
    }


def _row(attribute: Attribute, one: _Explained) -> dict[str, Any]:
    ruling = _ruling(attribute, one)
    content = one.elements[attribute.keyword]
    items = [value for value in content if not isinstance(value, str)]
    # Only what states a removed identity gets a Provenance (D3).
    # Which of subject and Patient has the identifier is the site's choice, told by `_element`.
    rests_on = ("Patient.",) if one.claims.removed else ("Patient.", "Provenance")
    also = [element for element in attribute.also if not element.startswith(rests_on)]
    goes = ruling.leaves and attribute.to
    return {
        "tag": attribute.label,
        "attribute": attribute.keyword,
        "section": attribute.section,
        "leaves": ruling.leaves,
        "to": [_element(attribute, one.context), *also] if goes else [],
        "rule": "always leaves" if ruling.words == "always" else ruling.words,
        "values": _values(attribute, one) if ruling.leaves else [],
        "items": len(items),
    }


def _ruling(attribute: Attribute, one: _Explained) -> Ruling:
    """Return the table's ruling, but for what the object or the settings leave nothing of."""
    settings = one.context.settings
    ruling = rulings("object", one.claims, one.context.in_force)[attribute.keyword]
    if attribute.keyword == "ContributingEquipmentSequence" and not one.claims.equipment:
        return Ruling(leaves=False, words=_NO_ITEM)
    if attribute.fact == "title" and attribute.keyword != one.read.title_keyword:
        return Ruling(leaves=False, words=f"the title is that of {one.read.title_keyword}")
    if attribute.keyword == "PatientSex" and ruling.leaves and settings.patient != "resource":
        return Ruling(leaves=False, words=_NO_PATIENT)
    if attribute.keyword == "PatientID" and ruling.leaves and settings.subject == "withheld":
        return Ruling(leaves=False, words=_NOT_AT_ALL)
    return ruling


def _values(attribute: Attribute, one: _Explained) -> list[str]:
    """Return what leaves of an attribute, word for word."""
    if attribute.keyword == "DeidentificationMethod":
        return [text for text in one.leaving.markers.method or () if not isinstance(text, Masked)]
    # The UIDs of an object that is refused by default do not show (D3).
    if not attribute.is_marker and not one.claims.removed:
        return []
    if attribute.keyword == "PatientID":  # as it is, or what the key makes of it
        return [one.leaving.patient_id] if one.leaving.patient_id else []
    return [value for value in one.elements[attribute.keyword] if isinstance(value, str)]


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
