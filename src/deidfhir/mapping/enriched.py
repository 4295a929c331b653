"""Our extensions and label on someone else's ImagingStudy, and the same without them (D21).

Nothing else in it changes: what was added says whose it is, and goes again as it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deidfhir.fhir.extensions import named
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.foreign import Foreign
from deidfhir.mapping.identity import bare
from deidfhir.mapping.markers import REASON, VERDICT
from deidfhir.mapping.naming import Named, naming
from deidfhir.model.study import Study

OWNER, LABEL = "owner", "label"
_OURS = ("markers", "inferred", "instances", "added")


def enriched(
    theirs: JsonObject, ours: JsonObject, study: Study, context: MappingContext
) -> JsonObject | None:
    """Return someone else's ImagingStudy with what ours would say of the de-identification.

    Args:
        theirs: As the target has it, possibly with what was added before.
        ours: The ImagingStudy that we would make.
        study: As read.
        context: The mapping's.

    Returns:
        The resource; None where it carries markers that are not ours to change.
    """
    bare_one = stripped(theirs, ours["id"], context)
    if any(named(bare_one.get("extension"), context.url(key)) for key in ("markers", "added")):
        return None
    whole = Foreign.of(bare_one).lists(study)
    added: list[JsonObject] = [{"url": OWNER, "valueString": ours["id"]}]
    changed = _with_elements(bare_one, ours) if whole else dict(bare_one)
    more = list(ours["extension"]) if whole else [_named(ours, context)]
    # A label is a statement about the whole study.
    for label in ours["meta"].get("security", ()) if whole else ():
        held = bare_one.get("meta", {}).get("security", [])
        if not any(_same(one, label) for one in held):
            added.append({"url": LABEL, "valueCoding": label})
            meta = {**changed.get("meta", {}), "security": [*held, label]}
            changed["meta"] = meta
    more.append({"url": context.url("added"), "extension": added})
    changed["extension"] = [*changed.get("extension", ()), *more]
    return changed


def stripped(theirs: JsonObject, owner: str, context: MappingContext) -> JsonObject:
    """Return someone else's ImagingStudy without what was added; itself where nothing was.

    Args:
        theirs: As the target has it.
        owner: The id that our ImagingStudy of the study has or would have.
        context: The mapping's.
    """
    extensions = theirs.get("extension") or []
    places = _places(extensions, owner, context)
    if not places:
        return theirs
    ours = {context.url(key) for key in _OURS}
    added = [one for place, one in enumerate(extensions) if place in places]
    marks = named(added, context.url("added"))
    labels = [
        one["valueCoding"]
        for mark in marks
        for one in named(mark["extension"], LABEL)
        if "valueCoding" in one
    ]
    kept = [one for place, one in enumerate(extensions) if place not in places]
    changed = _with_extensions(theirs, kept)
    # Where instances are named, nothing stands on them.
    if "series" in changed and not named(added, context.url("instances")):
        changed["series"] = [_bare_series(one, ours) for one in changed["series"]]
    if labels:
        changed["meta"] = _without_labels(changed.get("meta", {}), labels)
        if not changed["meta"]:
            del changed["meta"]  # there was none before the label
    return changed


def is_enriched(theirs: JsonObject, owner: str, context: MappingContext) -> bool:
    """Whether something of ours stands on it.

    Args:
        theirs: As the target has it.
        owner: The id that our ImagingStudy of the study has or would have.
        context: The mapping's.
    """
    return stripped(theirs, owner, context) is not theirs


def _with_elements(theirs: JsonObject, ours: JsonObject) -> JsonObject:
    """Add the extensions of series and instances; both list the same ones."""
    series = {one["uid"]: one for one in ours["series"]}
    return {**theirs, "series": [_both(one, series[bare(one["uid"])]) for one in theirs["series"]]}


def _both(theirs: JsonObject, ours: JsonObject) -> JsonObject:
    instances = {one["uid"]: one for one in ours["instance"]}
    changed = _added(theirs, ours)
    changed["instance"] = [_added(one, instances[bare(one["uid"])]) for one in theirs["instance"]]
    return changed


def _added(theirs: JsonObject, ours: JsonObject) -> JsonObject:
    if "extension" not in ours:
        return dict(theirs)
    return {**theirs, "extension": [*theirs.get("extension", ()), *ours["extension"]]}


def _named(ours: JsonObject, context: MappingContext) -> JsonObject:
    """Return what ours says, series by series and instance by instance: nothing of the whole."""
    top = named(ours["extension"], context.url("markers"))
    names = []
    for one in ours["series"]:
        own = named(one.get("extension"), context.url("markers"))
        instances = [
            Named(each["uid"], named(each.get("extension"), context.url("markers")))
            for each in one["instance"]
        ]
        names.append(Named(one["uid"], _merged(top, own), instances))
    return naming(names, context)


def _merged(top: list[JsonObject], own: list[JsonObject]) -> list[JsonObject]:
    """Return one extension with the slots of both levels; the nearer verdict stands."""
    if not own:
        return top
    slots = own[0]["extension"]
    verdict = {VERDICT, REASON} if named(slots, VERDICT) else set()
    above = [slot for one in top for slot in one["extension"] if slot["url"] not in verdict]
    return [{"url": own[0]["url"], "extension": [*slots, *above]}]


def _bare_series(series: JsonObject, ours: Iterable[str]) -> JsonObject:
    kept = _without(series, ours)
    if "instance" in kept:
        kept["instance"] = [_without(one, ours) for one in kept["instance"]]
    return kept


def _places(extensions: list[JsonObject], owner: str, context: MappingContext) -> set[int]:
    """Return where what an owner added stands: a mark comes after what its owner added."""
    found: set[int] = set()
    since: set[int] = set()
    others = False
    for place, one in enumerate(extensions):
        if one.get("url") in {context.url(key) for key in _OURS}:
            since.add(place)
        if one.get("url") != context.url("added"):
            continue
        if {"url": OWNER, "valueString": owner} in one.get("extension", ()):
            found |= since
        else:
            others = True
        since = set()
    return found if others or not found else found | since


def _without(element: JsonObject, urls: Iterable[str]) -> JsonObject:
    kept = [one for one in element.get("extension", ()) if one.get("url") not in urls]
    return _with_extensions(element, kept)


def _with_extensions(element: JsonObject, kept: list[JsonObject]) -> JsonObject:
    if kept == element.get("extension", []):
        return dict(element)
    if kept:
        return {**element, "extension": kept}
    return {key: value for key, value in element.items() if key != "extension"}


def _without_labels(meta: JsonObject, labels: list[JsonObject]) -> JsonObject:
    kept = [one for one in meta.get("security", ()) if not any(_same(one, gone) for gone in labels)]
    changed: dict[str, Any] = {key: value for key, value in meta.items() if key != "security"}
    return {**changed, "security": kept} if kept else changed


def _same(one: JsonObject, other: JsonObject) -> bool:
    return (one.get("system"), one.get("code")) == (other.get("system"), other.get("code"))
