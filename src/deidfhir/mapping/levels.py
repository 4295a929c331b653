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
        instances: SOP Instance UID → what stands on the instance.
    """

    study: list[JsonObject] = field(default_factory=list)
    series: dict[str, list[JsonObject]] = field(default_factory=dict)
    instances: dict[str, list[JsonObject]] = field(default_factory=dict)

    @classmethod
    def of(cls, series: dict[str, tuple[Instance, ...]]) -> Levels:
        """Return empty levels for a study; what stands on no instance has no place there.

        Args:
            series: Series UID → its instances.
        """
        return cls([], {uid: [] for uid in series}, {})

    def on(self, instance: Instance) -> list[JsonObject]:
        """Return what stands on an instance, to be added to."""
        return self.instances.setdefault(instance.sop_instance_uid, [])

    def places(
        self,
        series: dict[str, tuple[Instance, ...]],
        content_of: Callable[[Facts], Hashable],
    ) -> Iterator[tuple[list[JsonObject], Facts]]:
        """Yield the places that a content takes, each with the facts that have it.

        Args:
            series: Series UID → its instances.
            content_of: What instances must share for the content to stand above them.
        """
        beneath = {uid: distinct(members) for uid, members in series.items()}
        every = [one for facts in beneath.values() for one in facts]
        if _agree(every, content_of):
            yield self.study, every[0]
            return
        for uid, members in series.items():
            if _agree(beneath[uid], content_of):
                yield self.series[uid], beneath[uid][0]
            else:
                yield from ((self.on(one), one.facts) for one in members)


def _agree(facts: Sequence[Facts], content_of: Callable[[Facts], Hashable]) -> bool:
    return len(facts) == 1 or len({content_of(one) for one in facts}) == 1
