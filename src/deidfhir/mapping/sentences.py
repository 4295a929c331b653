"""What a Provenance says to people: what was done, by what, as the objects state it (D24)."""

from __future__ import annotations

from deidfhir.fhir.extensions import is_fhir_string
from deidfhir.mapping.steps import MarkerSet, Step
from deidfhir.mapping.terminology import standard_meaning
from deidfhir.model.record import Item


def sentence(step: Step, marker_set: MarkerSet) -> str:
    """Return what one step says.

    Args:
        step: The whole, or one equipment item.
        marker_set: The marker set that it belongs to.
    """
    count = len(marker_set.instances)
    images = "1 instance states" if count == 1 else f"{count} instances state"
    by = _by(step.items)
    if not step.is_whole:
        return f"One step of the de-identification that {images}, by {by}."
    how = _how(marker_set)
    done = f"{images} that the patient's identity was removed{f' by {by}' if by else ''}{how}."
    return done if by else f"{done} No equipment is recorded."


def _how(marker_set: MarkerSet) -> str:
    markers = marker_set.markers
    known = [code for code in sorted(markers.option_codes()) if standard_meaning(code)]
    parts = [f"{standard_meaning(code)} ({code})" for code in known]
    other = len([one for one in markers.method_code or () if one.first("CodeValue") not in known])
    if other:
        parts.append("1 further code" if other == 1 else f"{other} further codes")
    texts = len([one for one in markers.method or () if one])
    if texts:
        parts.append("1 method text" if texts == 1 else f"{texts} method texts")
    return f": {', '.join(parts)}" if parts else ", without saying how"


def _by(items: tuple[Item, ...]) -> str:
    names = []
    for item in items:
        parts = [item.first(word) for word in ("Manufacturer", "ManufacturerModelName")]
        words = " ".join(part for part in parts if is_fhir_string(part))
        names.append(words or "equipment that is not named")
    return ", ".join(dict.fromkeys(names))
