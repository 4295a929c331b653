"""Consistency of an instance's markers (PS3.3 C.7.1.1, PS3.15 Annex E), as findings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from deidfhir.model.finding import Finding
from deidfhir.model.oddities import oddities
from deidfhir.model.options import (
    BASIC_PROFILE,
    CLEAN_FEATURES,
    CLEAN_PIXELS,
    FULL_DATES,
    MODIFIED_DATES,
    RETAIN_DEVICE,
    RETAIN_UIDS,
)
from deidfhir.model.record import Facts, Item, Items, Markers, keyword_of, trimmed
from deidfhir.model.study import Study
from deidfhir.model.telling import telling
from deidfhir.model.verdict import Verdict, states_method, verdict_of

_OPTIONS = frozenset(str(code) for code in range(113101, 113113))
_REMEMBERED = 256
"""Most studies of an archive share their markers with some others."""


def findings_of(study: Study) -> tuple[Finding, ...]:
    """Return what is odd in a study, each code once with the first input that shows it."""
    first: dict[str, str] = {}
    paths: dict[int, str] = {}
    for one in study.instances:
        known = paths.setdefault(id(one.facts), one.path)
        if one.path < known:
            paths[id(one.facts)] = one.path
    every = [*study.findings]
    every += [Finding(code, paths[id(one)]) for one in study.facts for code in _codes(one)]
    for finding in sorted(every):
        first.setdefault(finding.code, finding.path)
    return tuple(Finding(code, path) for code, path in sorted(first.items()))


def _codes(facts: Facts) -> Iterator[str]:
    markers = facts.markers
    yield from _codes_of(markers, markers.coding_schemes, facts.sop_class_uid)
    if facts.encrypted:
        yield "encrypted-attributes"


@lru_cache(_REMEMBERED)
def _codes_of(markers: Markers, schemes: object, sop_class_uid: str) -> frozenset[str]:
    del schemes  # markers that differ in nothing else are equal, but not equally odd
    found = (_identity(markers), _options(markers), _texts(markers))
    return frozenset(code for codes in (*found, oddities(markers, sop_class_uid)) for code in codes)


def _identity(markers: Markers) -> Iterator[str]:
    written = trimmed("\\".join(markers.patient_identity_removed or ()))
    word = keyword_of(markers.patient_identity_removed)
    method = states_method(markers)
    if word == "YES" and not method:
        yield "method-missing"
    if not word and method:
        yield "method-without-marker"
    if word == "NO" and method:
        yield "method-although-not-removed"
    if word in ("YES", "NO") and written not in ("YES", "NO"):
        yield "marker-spelling"
    if verdict_of(markers)[0] is Verdict.CONTRADICTORY and word == "YES":
        yield "burned-in-identity"


def _options(markers: Markers) -> Iterator[str]:
    """Yield what the method codes contradict (PS3.15 E.2, E.3)."""
    codes = markers.option_codes()
    if codes & _OPTIONS and BASIC_PROFILE not in codes:
        yield "profile-missing"
    if {FULL_DATES, MODIFIED_DATES} <= codes:
        yield "full-and-modified-in-one"
    if {MODIFIED_DATES, RETAIN_DEVICE} <= codes:
        yield "modified-dates-and-device"
    if RETAIN_UIDS in codes:
        yield "uids-retained"
    if _temporal_contradicts(markers, codes):
        yield "temporal-contradicts"
    if CLEAN_PIXELS in codes and keyword_of(markers.burned_in_annotation) != "NO":
        yield "pixels-not-confirmed"
    if CLEAN_FEATURES in codes and keyword_of(markers.recognizable_visual_features) != "NO":
        yield "features-not-confirmed"


def _temporal_contradicts(markers: Markers, codes: frozenset[str]) -> bool:
    word = keyword_of(markers.longitudinal_temporal_information_modified)
    if not word or not codes or {FULL_DATES, MODIFIED_DATES} <= codes:
        return False
    wanted = (
        "UNMODIFIED"
        if FULL_DATES in codes
        else "MODIFIED"
        if MODIFIED_DATES in codes
        else "REMOVED"
    )
    return word != wanted


def _texts(markers: Markers) -> Iterator[str]:
    yield from {code for codes in telling(markers.method_texts).values() for code in codes}
    texts = [*markers.method_texts]
    texts += [text for items in (markers.method_code, markers.equipment) for text in _all(items)]
    if any("\ufffd" in text for text in texts):
        yield "text-undecodable"


def _all(items: Items | None) -> Iterator[str]:
    for item in items or ():
        for _, content in item.elements:
            for one in content if isinstance(content, tuple) else ():
                if isinstance(one, Item):
                    yield from _all((one,))
                else:
                    yield one
