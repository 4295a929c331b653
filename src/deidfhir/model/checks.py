"""Consistency of an instance's markers (PS3.3 C.7.1.1, PS3.15 Annex E), as findings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deidfhir.model.finding import Finding
from deidfhir.model.oddities import oddities
from deidfhir.model.record import Instance, Item, Items, Markers, keyword_of, trimmed
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict, states_method, verdict_of

_PROFILE, _PIXELS, _FEATURES = "113100", "113101", "113102"
_FULL, _MODIFIED, _DEVICE = "113106", "113107", "113109"
_OPTIONS = frozenset(str(code) for code in range(113101, 113113))
# D7: a Person Name's caret, an operator, a mail address, a path, a file, a host's full name.
_ALL_TEXTS = 4096
_LOOKED_AT = 256  # LO holds 64 characters; a text without end must not hold up a run
_TELLING = re.compile(
    r"\w\^\w|\bOP:|\boperator\b|\S@\S+\.\w|(?:^|[\s\\])(?:[A-Za-z]:\\\S|~?/\S+/\S)"
    r"|\b\w[\w-]*\.(?:xlsx?|csv|txt|py|sh|ps1|bat|exe|properties|script|log|docx?|json|xml|ya?ml|dcm)\b"
    r"|\b(?!(?:com|org|net|io)\.)[A-Za-z][\w-]*\.[\w-]+\.[A-Za-z]{2,}(?![\w-])|\b[\w-]+\.(?:local|lan|internal|intranet)\b",
    re.IGNORECASE,
)


def findings_of(study: Study) -> tuple[Finding, ...]:
    """Return what is odd in a study, each code once with the first input that shows it."""
    first: dict[str, str] = {}
    every = [*study.findings]
    every += [Finding(code, one.path) for one in study.instances for code in _codes(one)]
    for finding in sorted(every):
        first.setdefault(finding.code, finding.path)
    return tuple(Finding(code, path) for code, path in sorted(first.items()))


def _codes(instance: Instance) -> Iterator[str]:
    yield from _identity(instance.markers)
    yield from _options(instance.markers)
    yield from _texts(instance.markers)
    yield from oddities(instance)
    if instance.encrypted:
        yield "encrypted-attributes"


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
    if codes & _OPTIONS and _PROFILE not in codes:
        yield "profile-missing"
    if {_FULL, _MODIFIED} <= codes:
        yield "full-and-modified-in-one"
    if {_MODIFIED, _DEVICE} <= codes:
        yield "modified-dates-and-device"
    if _temporal_contradicts(markers, codes):
        yield "temporal-contradicts"
    if _PIXELS in codes and keyword_of(markers.burned_in_annotation) != "NO":
        yield "pixels-not-confirmed"
    if _FEATURES in codes and keyword_of(markers.recognizable_visual_features) != "NO":
        yield "features-not-confirmed"


def _temporal_contradicts(markers: Markers, codes: frozenset[str]) -> bool:
    word = keyword_of(markers.longitudinal_temporal_information_modified)
    if not word or not codes or {_FULL, _MODIFIED} <= codes:
        return False
    wanted = "UNMODIFIED" if _FULL in codes else "MODIFIED" if _MODIFIED in codes else "REMOVED"
    return word != wanted


def _texts(markers: Markers) -> Iterator[str]:
    # Joined, since a backslash, as in a path, separates values.
    if _TELLING.search("\\".join(text[:_LOOKED_AT] for text in markers.method or ())[:_ALL_TEXTS]):
        yield "telling-text"
    texts = [*(markers.method or ())]
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
