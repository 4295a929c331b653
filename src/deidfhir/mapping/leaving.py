"""What of a study leaves (D4 to D7): the one door between what was read and what is stated.

What is stated of a study is made of a `LeavingStudy`, which only this module makes: what stays is
blanked in it, and only that there was something is told. Two things are judged from what was read:
labels, for which what stays counts, and what supports an inference, of which only the kind leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NewType

from deidfhir.fhir.extensions import MASKED as MASKED_REASON
from deidfhir.fhir.extensions import UNKNOWN
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import pseudonym
from deidfhir.mapping.inferred import recognised_in
from deidfhir.model.attributes import attributes
from deidfhir.model.options import MODIFIED_DATES
from deidfhir.model.record import MASKED, Facts, Instance, Item, Markers, Texts
from deidfhir.model.study import Study, distinct
from deidfhir.model.telling import telling, unseen
from deidfhir.model.verdict import Verdict, verdict_of
from deidfhir.policy.policy import Policy
from deidfhir.policy.ruling import Claims, Ruling, rulings, unlocking, unlocking_codes

PATIENT_ID = "patient_id"
_NUMBER = "InstanceNumber"


LeavingStudy = NewType("LeavingStudy", Study)
"""A study as far as it leaves."""


def leaving_study(
    study: Study, context: MappingContext, held: tuple[Instance, ...] = ()
) -> tuple[LeavingStudy, set[str]]:
    """Return a study as far as it leaves, and the codes of the findings that this showed.

    Args:
        study: As read.
        context: The mapping's; settings and policy of the site.
        held: Further instances of it, as an earlier run let them leave (D19).
    """
    findings: set[str] = set()
    before = distinct(held)
    claims = [claims_of(one, context) for one in (*study.facts, *before)]
    pairs = zip(study.facts, claims, strict=False)
    every = [*(leaving_facts(one, claimed, context) for one, claimed in pairs), *before]
    if dates_clash(claims, every):
        findings.add("dates-full-and-modified")
        every = [_without(one, _date_facts()) for one in every]
    if _patients_differ(study, every):
        findings.add("patient-ids-differ")
        every = [_without(one, (PATIENT_ID,)) for one in every]
    elif not all(one.removed for one in claims) or any(
        PATIENT_ID in one.withheld for one in before
    ):
        every = [_without(one, (PATIENT_ID,)) for one in every]
    left = {id(one): other for one, other in zip((*study.facts, *before), every, strict=True)}
    instances = tuple(
        Instance(left[id(one.facts)], one.sop_instance_uid, leaving_number(one, context))
        for one in (*study.instances, *held)
    )
    return LeavingStudy(
        study.of(instances) if held else replace(study, instances=instances)
    ), findings


def leaving_number(instance: Instance, context: MappingContext) -> str:
    """Return the number of an instance as far as it leaves."""
    withheld = _NUMBER in context.in_force.withhold  # no claim can lock it or unlock it
    return "" if withheld else instance.instance_number


def _patients_differ(study: Study, leaving: Iterable[Facts]) -> bool:
    """Whether the instances give several Patient IDs (D6).

    Copies of one instance that disagree count for the whole study, too.
    """
    given = {one.patient_id for one in study.facts} - {""}
    kept = {one.patient_id for one in leaving} - {""}
    copies = any(PATIENT_ID in one.withheld for one in study.facts)
    return len(given) > 1 or len(kept) > 1 or copies


def leaving_facts(facts: Facts, claims: Claims, context: MappingContext) -> Facts:
    """Return what an instance states as far as it leaves, of itself: its study may withhold more.

    Args:
        facts: As read.
        claims: What it claims.
        context: The mapping's.
    """
    settings, ruled = context.settings, rulings("object", claims, context.in_force)
    locked = {
        one.fact
        for one in attributes("object").values()
        if one.fact and not ruled[one.keyword].leaves and _gives(one.keyword, one.fact, facts)
    }
    if facts.patient_id and settings.subject == "withheld":
        locked.add(PATIENT_ID)
    changed: dict[str, Any] = dict.fromkeys(locked, "")
    if facts.patient_id and settings.subject == "keyed" and PATIENT_ID not in locked:
        changed[PATIENT_ID] = pseudonym(facts.patient_id, settings.tenant, context.key)
    return replace(
        facts,
        markers=leaving_markers(facts.markers, claims, context.in_force),
        dates_modified=MODIFIED_DATES in claims.codes,
        withheld=facts.withheld | locked,
        **changed,
    )


def _gives(keyword: str, fact: str, facts: Facts) -> bool:
    if keyword == _NUMBER or fact == "sop_instance_uid":
        return False  # an instance's own
    return bool(getattr(facts, fact)) and (fact != "title" or keyword == facts.title_keyword)


def _without(facts: Facts, names: Iterable[str]) -> Facts:
    """Return facts with some of them blanked, and noted where there was something."""
    given: dict[str, Any] = {name: "" for name in names if getattr(facts, name)}
    return replace(facts, **given, withheld=facts.withheld | given.keys()) if given else facts


def claims_of(facts: Facts, context: MappingContext) -> Claims:
    """Return what an instance claims, as far as it unlocks anything.

    The codes that count are those stated, and by policy those that are only inferred (D5).

    Args:
        facts: As read.
        context: The mapping's.
    """
    codes = facts.markers.option_codes()
    if context.in_force.inferred_codes:
        codes |= inferred_codes(_with_leaving_texts(facts, context.in_force), context)
    removed = verdict_of(facts.markers)[0] is Verdict.REMOVED
    return Claims(codes=codes & unlocking_codes(), removed=removed)


def _with_leaving_texts(facts: Facts, policy: Policy) -> Facts:
    """Return facts without the texts that are withheld: they unlock nothing."""
    method = facts.markers.method and _leaving_texts(facts.markers.method_texts, policy)
    return replace(facts, markers=replace(facts.markers, method=method))


def inferred_codes(facts: Facts, context: MappingContext) -> frozenset[str]:
    """Return the method codes that are packed in known wordings of an instance (D16).

    Args:
        facts: As read.
        context: Holds the vocabulary.
    """
    found = recognised_in(facts, context).inferences
    return frozenset(code for one in found for code in one.codes)


@lru_cache(maxsize=1)
def _date_facts() -> tuple[str, ...]:
    rows = attributes("object").values()
    return tuple(one.fact for one in rows if one.leaves == "dates")


def dates_clash(claims: Iterable[Claims], leaving: Iterable[Facts]) -> bool:
    """Whether some instances give true dates and others modified ones (D5).

    True and shifted dates side by side would tell the shift. Dates that leave by the policy alone
    may be of either kind.

    Args:
        claims: What each of them claims.
        leaving: What the instances state as far as it leaves.
    """
    options = unlocking("dates")
    choices = {
        claimed.codes & options
        for claimed, kept in zip(claims, leaving, strict=True)
        if claimed.codes & options or any(_leaves(kept, fact) for fact in _date_facts())
    }
    return len(choices) > 1


def _leaves(facts: Facts, fact: str) -> bool:
    return bool(getattr(facts, fact)) or fact in facts.unsettled


def leaving_markers(markers: Markers, claims: Claims, policy: Policy) -> Markers:
    """Return the markers with what must not leave replaced by MASKED (D4, D7).

    Args:
        markers: As read.
        claims: What the object claims.
        policy: The policy in force.
    """
    method = markers.method and _leaving_texts(markers.method_texts, policy)
    equipment = tuple(_leaving_item(item, claims, policy) for item in markers.equipment)
    return replace(markers, method=method, equipment=equipment)


def _leaving_texts(texts: tuple[str, ...], policy: Policy) -> Texts:
    if "DeidentificationMethod" in policy.withhold:
        return tuple(MASKED if text.strip(" \0") else text for text in texts)
    if not policy.withhold_texts:
        return texts
    told, hidden = telling(texts), unseen(texts)
    return tuple(
        # Nobody knows what stands where nobody looked.
        MASKED
        if number in hidden or told.get(number, frozenset()) & policy.withhold_texts
        else text
        for number, text in enumerate(texts)
    )


def _leaving_item(item: Item, claims: Claims, policy: Policy) -> Item:
    ruled = rulings("equipment item", claims, policy)

    def leaves(keyword: str, content: object) -> bool:
        ruling: Ruling = ruled[keyword]
        # An element that is empty holds nothing to withhold; of what is never read, only its
        # presence is known.
        unread = not content and keyword in _unread()
        return ruling.leaves or (not content and not unread)

    return Item(
        tuple(
            (keyword, content if leaves(keyword, content) else MASKED)
            for keyword, content in item.elements
        )
    )


@lru_cache(maxsize=1)
def _unread() -> frozenset[str]:
    rows = attributes("equipment item").values()
    return frozenset(one.keyword for one in rows if one.leaves == "masked")


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the instances beneath an element give for it (D5).

    Args:
        value: The one value that all instances which have it let leave and agree on, or None.
        absent: Why there is none although an instance gives one: MASKED where one withholds it,
            UNKNOWN where they disagree or FHIR cannot hold it; else an empty text.
        differs: Whether it is withheld only because the instances disagree.
    """

    value: str | None = None
    absent: str = ""
    differs: bool = False


def agreed(
    facts: Iterable[Facts],
    fact: str,
    value_of: Callable[[Facts], str | None],
) -> Agreed:
    """Return what the instances beneath an element give for it.

    Args:
        facts: Those of the instances beneath the element, as far as they leave.
        fact: The field of Facts that decides whether there is a value.
        value_of: What FHIR can hold of it.
    """
    members = list(facts)
    if any(fact in one.withheld for one in members):
        return Agreed(absent=MASKED_REASON)
    if any(fact in one.unsettled for one in members):
        return Agreed(absent=UNKNOWN, differs=True)
    values = {value_of(one) for one in members if getattr(one, fact)}
    if len(values) > 1:
        return Agreed(absent=UNKNOWN, differs=True)
    value = values.pop() if values else ""
    return Agreed(absent=UNKNOWN) if value is None else Agreed(value or None)
