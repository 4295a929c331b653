"""The levels of a study: what all instances agree on stands once, at the highest level (D2, D4)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from deidfhir.fhir.types import JsonObject
from deidfhir.model.record import Instance


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
        """Return empty levels for the series and instances of a study."""
        every = [one for members in series.values() for one in members]
        return cls([], {uid: [] for uid in series}, {one.sop_instance_uid: [] for one in every})

    def places(
        self,
        series: dict[str, tuple[Instance, ...]],
        content_of: Callable[[Instance], Hashable],
    ) -> Iterator[tuple[list[JsonObject], Instance]]:
        """Yield the places that a content takes, each with an instance that has it.

        Args:
            series: Series UID → its instances.
            content_of: What instances must share for the content to stand above them.
        """
        every = [one for members in series.values() for one in members]
        if len({content_of(one) for one in every}) == 1:
            yield self.study, every[0]
            return
        for uid, members in series.items():
            if len({content_of(one) for one in members}) == 1:
                yield self.series[uid], members[0]
            else:
                yield from ((self.instances[one.sop_instance_uid], one) for one in members)
