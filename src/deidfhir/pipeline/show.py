"""What objects claim, study by study, within D4 to D7 and D9."""

from __future__ import annotations

from typing import Any

from deidfhir.fhir.outcome import operation_outcome
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.leaving import leaving_study
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Item, Items, Masked, Texts
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.inferences import inferred_of
from deidfhir.pipeline.reading import Reading

_WITHHELD = {"withheld": True}


def shown(reading: Reading, context: MappingContext) -> dict[str, Any]:
    """Return what `show --json` prints.

    Args:
        reading: What was read.
        context: Its policy's; what must not leave shows as withheld here too.
    """
    return {
        "policy": context.decided(),
        "studies": [shown_study(one, context) for one in reading.studies],
        "instances": reading.instances,
        "skipped": [one.as_dict() for one in reading.skipped],
        "foreign": reading.foreign,
        "outcome": operation_outcome(_findings(reading), context.settings.canonical),
    }


def _findings(reading: Reading) -> list[Finding]:
    return [*reading.skipped, *(one for study in reading.studies for one in findings_of(study))]


def shown_study(study: Study, context: MappingContext) -> dict[str, Any]:
    """Return what one study claims.

    Its UID shows only where the UID would leave by default; otherwise the path names it (D3).
    """
    kept, _ = leaving_study(study, context)
    leaving = [one.markers for one in kept.facts]
    removed = study.verdict is Verdict.REMOVED
    return {
        "path": study.path,
        "uid": study.uid if removed else None,
        "verdict": study.verdict.value,
        "reasons": list(study.reasons),
        "series": len(study.series()),
        "instances": len(study.instances),
        "identity_removed": _distinct([_values(one.patient_identity_removed) for one in leaving]),
        "methods": _distinct([_values(one.method) for one in leaving]),
        "codes": _distinct([_items(one.method_code) for one in leaving]),
        "equipment": _distinct([_items(one.equipment) for one in leaving]),
        "burned_in_annotation": _distinct([_values(one.burned_in_annotation) for one in leaving]),
        "recognizable_visual_features": _distinct(
            [_values(one.recognizable_visual_features) for one in leaving]
        ),
        "longitudinal_temporal_information_modified": _distinct(
            [_values(one.longitudinal_temporal_information_modified) for one in leaving]
        ),
        **inferred_of(kept, context),
        "findings": [one.as_dict() for one in findings_of(study)],
    }


def _distinct(contents: list[Any]) -> list[Any]:
    """Return each content once, in the order of the instances; None is an absent attribute."""
    found: list[Any] = []
    for one in contents:
        if one not in found:
            found.append(one)
    return found


def _values(values: Texts | None) -> list[Any] | None:
    if values is None:
        return None
    return [dict(_WITHHELD) if isinstance(one, Masked) else one for one in values]


def _items(items: Items | None) -> list[dict[str, Any]] | None:
    return None if items is None else [_item(one) for one in items]


def _item(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keyword, content in item.elements:
        if isinstance(content, Masked):
            found[keyword] = dict(_WITHHELD)
        elif nested := item.items(keyword):
            found[keyword] = [_item(one) for one in nested]
        else:
            found[keyword] = list(item.values(keyword))
    return found
