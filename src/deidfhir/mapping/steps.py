"""Marker sets and steps: which Provenance a study's instances call for (D10, D11, D17)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import STUDY, WHOLE
from deidfhir.mapping.temporal import fhir_from_dt, is_later, span
from deidfhir.model.record import Facts, Instance, Item, Markers
from deidfhir.model.study import distinct
from deidfhir.model.verdict import Verdict, verdict_of


@dataclass(frozen=True)
class MarkerSet:
    """The instances of a study that share their markers, Contribution Date Time left out.

    Args:
        markers: As far as they leave, without Contribution Date Time.
        instances: The instances that share them.
        place: `study` if it is the study's only set, else its smallest SOP Instance UID.
    """

    markers: Markers
    instances: tuple[Instance, ...]
    place: str

    @cached_property
    def facts(self) -> tuple[Facts, ...]:
        """What the instances state, each object once."""
        return distinct(self.instances)


@dataclass(frozen=True, slots=True)
class Step:
    """One Provenance to be: the whole, or one equipment item.

    Args:
        key: `whole`, or the item's Device id and number (D17).
        items: The equipment items that take part, as far as they leave.
        occurred: First and last FHIR dateTime of the contribution, or None.
        dates_modified: Whether the codes say that dates were shifted.
    """

    key: str
    items: tuple[Item, ...]
    occurred: tuple[str, str] | None
    dates_modified: bool

    @property
    def is_whole(self) -> bool:
        """Whether it stands for all texts and codes of the marker set."""
        return self.key == WHOLE


def marker_sets(instances: Iterable[Instance]) -> list[MarkerSet]:
    """Return the marker sets of a study that claim a removed identity, by place.

    Args:
        instances: All instances of the study, as far as they leave.
    """
    groups: dict[Markers, list[Instance]] = {}
    known: dict[int, list[Instance]] = {}
    for one in instances:
        group = known.get(id(one.facts))
        if group is None:
            group = known[id(one.facts)] = groups.setdefault(_undated(one.markers), [])
        group.append(one)
    sets = []
    for markers, members in groups.items():
        if verdict_of(markers)[0] is Verdict.REMOVED:
            smallest = min(one.sop_instance_uid for one in members)
            place = STUDY if len(groups) == 1 else smallest
            sets.append(MarkerSet(markers, tuple(members), place))
    return sorted(sets, key=lambda one: one.place)


def _undated(markers: Markers) -> Markers:
    undated = tuple(item.without("ContributionDateTime") for item in markers.equipment)
    return replace(markers, equipment=undated)


def steps_of(marker_set: MarkerSet, context: MappingContext) -> list[Step]:
    """Return the steps of a marker set: the whole first, then one an item if there are several.

    Args:
        marker_set: One set of a study.
        context: The mapping's.
    """
    items = marker_set.markers.equipment
    modified = any(one.dates_modified for one in marker_set.facts)
    times = [_times(marker_set, number) for number in range(len(items))]
    if len(items) <= 1:
        return [Step(WHOLE, items, times[0] if times else None, modified)]
    counted: Counter[str] = Counter()
    steps = [Step(WHOLE, items, None, modified)]
    for item, occurred in zip(items, times, strict=True):
        device = context.namer.device(item) or "item"
        counted[device] += 1
        steps.append(Step(f"{device}/{counted[device]}", (item,), occurred, modified))
    return steps


def _times(marker_set: MarkerSet, number: int) -> tuple[str, str] | None:
    found = []
    for one in marker_set.facts:
        text = one.markers.equipment[number].first("ContributionDateTime")
        moment = fhir_from_dt(text, one.timezone) if text else None
        if moment:
            found.append(moment)
    return span(found)


def follows(later: Step, earlier: Step) -> bool:
    """Whether the recorded times put one step after another (D10)."""
    if later.occurred is None or earlier.occurred is None:
        return False
    return is_later(later.occurred[0], earlier.occurred[1])


def predecessors(steps: list[Step]) -> dict[str, list[str]]:
    """Return step key → keys of the steps directly before it, where the times tell.

    A step before which another one stands that itself is later is left out: the order is told
    once.
    """
    single = [step for step in steps if not step.is_whole]
    found = {}
    for step in single:
        earlier = [one for one in single if follows(step, one)]
        direct = [one for one in earlier if not any(follows(other, one) for other in earlier)]
        if direct:
            found[step.key] = [one.key for one in direct]
    return found
