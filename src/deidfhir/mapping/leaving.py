"""The allow-list: what of an instance leaves (D4 to D6). Everything else asks here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from deidfhir.config import Settings
from deidfhir.model.attributes import by_keyword
from deidfhir.model.record import MASKED, Instance, Item, Markers
from deidfhir.model.verdict import Verdict, verdict_of

FULL_DATES, MODIFIED_DATES = "113106", "113107"
CLEAN_DESCRIPTORS = "113105"
RETAIN_UIDS = "113110"


def leaving_markers(markers: Markers, settings: Settings) -> Markers:
    """Return the markers with what must not leave replaced by MASKED (D4).

    Args:
        markers: As read.
        settings: The site's; `operators` lets Operators' Name leave.
    """
    codes = markers.option_codes()
    equipment = tuple(_leaving_item(item, codes, settings) for item in markers.equipment)
    return replace(markers, equipment=equipment)


def _leaving_item(item: Item, codes: frozenset[str], settings: Settings) -> Item:
    rules = by_keyword("equipment item")

    def leaves(keyword: str, content: object) -> bool:
        rule = rules[keyword].leaves
        # An element that is empty holds nothing to withhold; of `masked`, only presence is read.
        return (not content and rule != "masked") or _leaves(rule, codes, settings)

    return Item(
        tuple(
            (keyword, content if leaves(keyword, content) else MASKED)
            for keyword, content in item.elements
        )
    )


def _leaves(rule: str, codes: frozenset[str], settings: Settings) -> bool:
    return rule == "always" or rule in codes or (rule == "operators" and settings.operators)


def unlocks_dates(instance: Instance) -> bool:
    """Whether the instance's own codes let its dates and times leave (D5)."""
    return bool(instance.markers.option_codes() & {FULL_DATES, MODIFIED_DATES})


def dates_are_modified(instance: Instance) -> bool:
    """Whether the instance's codes say that its dates were shifted (D5)."""
    return MODIFIED_DATES in instance.markers.option_codes()


def dates_clash(instances: Iterable[Instance]) -> bool:
    """Whether some instances keep full dates and others modified ones (D5).

    True and shifted dates side by side would tell the shift.
    """
    choices = {one.markers.option_codes() & {FULL_DATES, MODIFIED_DATES} for one in instances} - {
        frozenset()
    }
    return len(choices) > 1


def unlocks_descriptors(instance: Instance) -> bool:
    """Whether the instance's own codes let its descriptors leave (D5)."""
    return CLEAN_DESCRIPTORS in instance.markers.option_codes()


def agreed(
    instances: Iterable[Instance],
    raw_of: Callable[[Instance], object],
    value_of: Callable[[Instance], str | None],
    unlocks: Callable[[Instance], bool],
) -> tuple[str | None, bool]:
    """Return the one value that all instances which have it unlock and agree on (D5).

    Args:
        instances: Those beneath the element.
        raw_of: What an instance gives, usable or not; false where it gives nothing.
        value_of: What FHIR can hold of it.
        unlocks: Whether the instance's codes let it leave.

    Returns:
        The value, or None; and whether it is withheld only because the instances disagree.
    """
    having = [one for one in instances if raw_of(one)]
    if not having or not all(unlocks(one) for one in having):
        return None, False
    values = {value_of(one) for one in having}
    return (values.pop(), False) if len(values) == 1 else (None, True)


def leaving_patient_id(instances: Iterable[Instance]) -> tuple[str | None, str]:
    """Return the replaced Patient ID if it may leave, and otherwise why not (D6).

    Returns:
        The value and an empty text; or None and `differs`, `withheld` or `empty`.
    """
    members = list(instances)
    values = {one.patient_id for one in members if one.patient_id}
    if len(values) > 1:
        return None, "differs"
    if any(verdict_of(one.markers)[0] is not Verdict.REMOVED for one in members):
        return None, "withheld"
    return (values.pop(), "") if values else (None, "empty")
