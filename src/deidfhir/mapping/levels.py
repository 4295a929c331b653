"""The levels of a study: what all instances agree on stands once, at the highest level (D2, D4)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from deidfhir.fhir.types import JsonObject
from deidfhir.model.record import Facts, Instance
from deidfhir.model.study import distinct


@dataclass(frozen=True, slots=True)
class Levels:
    """Something that may stand on a study, its series and its instances.

    Args:
        study: What stands on the study.
        series: Series UID → what stands on the series.
        instances: SOP Instance UID → what stands on the instance, if anything does.
        members: Series UID → its instances.
        beneath: Series UID → what they state, each object once.
    """

    study: list[JsonObject] = field(default_factory=list)
    series: dict[str, list[JsonObject]] = field(default_factory=dict)
    instances: dict[str, list[JsonObject]] = field(default_factory=dict)
    members: dict[str, tuple[Instance, ...]] = field(default_factory=dict)
    beneath: dict[str, tuple[Facts, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, series: dict[str, tuple[Instance, ...]]) -> Levels:
        """Return empty levels for a study.

        Args:
            series: Series UID → its instances.
        """
        beneath = {uid: distinct(members) for uid, members in series.items()}
        return cls(series={uid: [] for uid in series}, members=series, beneath=beneath)

    def anew(self) -> Levels:
        """Return empty levels for the same study."""
        series: dict[str, list[JsonObject]] = {uid: [] for uid in self.series}
        return Levels(series=series, members=self.members, beneath=self.beneath)

    def on(self, instance: Instance) -> list[JsonObject]:
        """Return what stands on an instance, to be added to."""
        return self.instances.setdefault(instance.sop_instance_uid, [])

    @property
    def facts(self) -> list[Facts]:
        """What all instances state."""
        return [one for facts in self.beneath.values() for one in facts]

    def places(
        self, content_of: Callable[[Facts], Hashable]
    ) -> Iterator[tuple[list[JsonObject], Facts]]:
        """Yield the places that a content takes, each with the facts that have it.

        Args:
            content_of: What instances must share for the content to stand above them.
        """
        every = self.facts
        if _agree(every, content_of):
            yield self.study, every[0]
            return
        for uid, facts in self.beneath.items():
            if _agree(facts, content_of):
                yield self.series[uid], facts[0]
            else:
                yield from ((self.on(one), one.facts) for one in self.members[uid])


def _agree(facts: Sequence[Facts], content_of: Callable[[Facts], Hashable]) -> bool:
    return len(facts) == 1 or len({content_of(one) for one in facts}) == 1
