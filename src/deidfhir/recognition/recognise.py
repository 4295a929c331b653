"""Method texts → inferences: which known wording each value is, alone or with its neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from deidfhir.model.record import Evidence, Items, Markers, trimmed
from deidfhir.recognition.entry import Entry, Rule
from deidfhir.recognition.result import Inference, Recognised
from deidfhir.recognition.terms import terms_in
from deidfhir.recognition.vocabulary import Vocabulary
from deidfhir.recognition.yields import method_codes, stated_date

_LONGEST = 1024  # LO holds 64 characters; no wording of a tool is near this
_MOST = 256  # no chain of tools writes as many values; a hostile object may hold millions
_JOINED = ", "  # writers of other formats join the values of the attribute with it


def recognise(markers: Markers, evidence: Evidence, vocabulary: Vocabulary) -> Recognised:
    """Return what the method texts of one object are known to mean (D16).

    Args:
        markers: The object's; only (0012,0063) gives inferences.
        evidence: What may support them; it gives none by itself.
        vocabulary: The tools' entries.
    """
    if not markers.method:
        return Recognised()
    return _recognised(markers.method_texts, markers.method_code or (), evidence, vocabulary)


@lru_cache(maxsize=4096)
def _recognised(
    texts: tuple[str, ...], codes: Items, evidence: Evidence, vocabulary: Vocabulary
) -> Recognised:
    values = [trimmed(text) for text in texts]
    known = list(_events(values[:_MOST], vocabulary))
    covered = {number for event in known for number in event.values}
    found = [_supported(event, codes, evidence) for event in known]
    for number, terms in terms_in(values[:_MOST]):
        found += [Inference(rule=f"term.{code}", values=(number,), terms=(code,)) for code in terms]
    found.sort(key=lambda one: (one.values, one.rule))
    left = [number for number, value in enumerate(values, start=1) if value]
    return Recognised(tuple(found), tuple(number for number in left if number not in covered))


@dataclass(frozen=True, slots=True)
class _Event:
    entry: Entry
    rule: Rule
    values: tuple[int, ...]
    matches: tuple[re.Match[str], ...]


def _events(values: list[str], vocabulary: Vocabulary) -> Iterator[_Event]:
    """Yield the events that the values tell of, in their order; each value belongs to one."""
    position = 0
    while position < len(values):
        event = _event_at(values, position, vocabulary)
        if event is not None:
            yield event
            position += len(event.values)
        else:
            yield from _joined(values[position], position + 1, vocabulary)
            position += 1


def _event_at(values: list[str], position: int, vocabulary: Vocabulary) -> _Event | None:
    """Return the longest event that begins at a value."""
    best: _Event | None = None
    for entry in vocabulary.entries.values():
        for rule in entry.rules:
            matches = tuple(_run(rule, values, position))
            longer = best is None or len(matches) > len(best.values)
            if len(matches) >= rule.least and longer:
                numbers = range(position + 1, position + 1 + len(matches))
                best = _Event(entry, rule, tuple(numbers), matches)
    return best


def _run(rule: Rule, values: list[str], position: int) -> Iterator[re.Match[str]]:
    """Yield the match of a rule's first value and of those that follow in the same event."""
    first = _whole(rule.first, values[position])
    if first is None:
        return
    yield first
    for value in values[position + 1 :] if rule.then else ():
        following = _whole(rule.then, value) if rule.then else None
        if following is None:
            return
        yield following


def _whole(pattern: re.Pattern[str], value: str) -> re.Match[str] | None:
    match = pattern.fullmatch(value) if 0 < len(value) <= _LONGEST else None
    packed = match.groupdict().get("codes") if match else None
    # Numbers none of which is a code of CID 7050 only look like packed codes.
    return None if packed and not method_codes([packed]) else match


def _joined(value: str, number: int, vocabulary: Vocabulary) -> Iterator[_Event]:
    """Yield the events of a value in which a writer has joined several, if all are known."""
    parts = value.split(_JOINED)
    if len(parts) == 1 or len(value) > _LONGEST:
        return
    events = list(_events(parts, vocabulary)) if all(_JOINED not in one for one in parts) else []
    if sum(len(event.values) for event in events) == len(parts):
        yield from (replace(event, values=(number,)) for event in events)


def _supported(event: _Event, codes: Items, evidence: Evidence) -> Inference:
    entry = event.entry
    groups = [match.groupdict() for match in event.matches]

    def first(name: str) -> str:
        return next((one[name] for one in groups if one.get(name)), "")

    dates = [stated_date(one["date"]) for one in groups if one.get("date")]
    return Inference(
        rule=event.rule.id,
        values=event.values,
        tool=entry.id if entry.is_tool else "",
        manufacturer=entry.manufacturer,
        name=entry.name,
        version=first("version"),
        codes=method_codes([one["codes"] for one in groups if one.get("codes")]),
        dates=tuple(date for date in dates if date),
        edition=first("edition"),
        evidence=tuple(
            sorted(
                {*_evidence(entry, codes, evidence), *dict(evidence.stated).get(event.rule.id, ())}
            )
        ),
    )


def _evidence(entry: Entry, codes: Items, evidence: Evidence) -> Iterator[str]:
    """Yield the kinds of evidence in the object that speak for a tool."""
    given = {
        "implementation_class_uid": (evidence.implementation_class_uid,),
        "implementation_version_name": (evidence.implementation_version_name,),
        "source_application_entity_title": (evidence.source_application_entity_title,),
        "private_creator": evidence.private_creators,
        "coding_scheme": tuple(one.first("CodingSchemeDesignator") for one in codes),
    }
    for kind, pattern in entry.evidence:
        if any(_whole(pattern, value) for value in given[kind]):
            yield kind.replace("_", "-")
