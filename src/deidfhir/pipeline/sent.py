"""What FHIR resources hold at an element's path: for `explain`, which shows what is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.model.attributes import Attribute

_TIMES = ("started", "occurredDateTime", "occurredPeriod")


def sent_at(attribute: Attribute, path: str, resources: Iterable[JsonObject]) -> list[str]:
    """Return the texts that some resources hold of an attribute, each once.

    Args:
        attribute: The attribute.
        path: The element that it goes to, such as `ImagingStudy.series.description`.
        resources: What was made of one object.
    """
    made = list(resources)
    if attribute.leaves == "zone":
        return [zone for time in _moments(made) if (zone := _zone(time))][:1]
    kind, *names = path.split(".")
    within = (one for one in made if one["resourceType"] == kind)
    found = [text for one in within for text in _texts(one, names)]
    if attribute.vr == "TM":
        found = [text for text in found if "T" in text]
    return list(dict.fromkeys(found))


def _texts(element: Any, names: list[str]) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(element, list):
        for one in element:
            yield from _texts(one, names)
    elif names:
        if isinstance(element, dict) and names[0] in element:
            yield from _texts(element[names[0]], names[1:])
    elif isinstance(element, dict):
        # Coding, CodeableConcept, CodeableReference, Identifier: what stands for the content.
        for name in ("code", "coding", "concept", "text", "value", "display"):
            if name in element and "extension" not in element:
                yield from _texts(element[name], [])
    elif element is not None:
        yield str(element)


def _moments(resources: Iterable[JsonObject]) -> Iterator[str]:
    """Yield every moment that studies, series and Provenance give."""
    for one in resources:
        for holder in (one, *one.get("series", ())):
            for name in _TIMES:
                found = holder.get(name)
                yield from found.values() if isinstance(found, dict) else [found] if found else []


def _zone(time: object) -> str:
    text = str(time)
    return text[-6:] if "T" in text else ""
