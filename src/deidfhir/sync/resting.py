"""Which studies a run leaves settled, so that the next one need not open their files."""

from __future__ import annotations

from dataclasses import dataclass, field

from deidfhir.sync.journal import StudyRow
from deidfhir.sync.plan import Plan
from deidfhir.sync.planner import Planner
from deidfhir.sync.settled import Settled
from deidfhir.sync.standing import How, Standing
from deidfhir.sync.unit import Listed, Refused, Unit


@dataclass(slots=True)
class Resting:
    """Collects the studies with which nothing is to be done as long as nothing changes."""

    found: dict[str, Settled] = field(default_factory=dict, init=False)
    _names: dict[str, str] = field(default_factory=dict, init=False)

    def listed(self, one: Listed) -> None:
        """Take in a study of which nothing is said."""
        self.found[one.id] = Settled(one.id)

    def as_it_was(self, one: Unit | Refused, row: StudyRow | None) -> None:
        """Take in a study that is as the journal has it."""
        self._take(one, row.standing if row else None)

    def acknowledged(self, plan: Plan, planner: Planner) -> None:
        """Take in a study of which the target has taken all."""
        one = plan.again
        if isinstance(one, Unit | Refused) and planner.is_settled(one, plan.row):
            self._take(one, plan.row.standing)

    def without(self, names: set[str]) -> dict[str, Settled]:
        """Return what was found, but for studies of which something was told.

        Args:
            names: How reports name those.
        """
        return {key: one for key, one in self.found.items() if self._names.get(key) not in names}

    def _take(self, one: Unit | Refused, standing: Standing | None) -> None:
        if standing is not None and standing.how is not How.OWNED:
            return  # its owner may change it at any time: it is asked for in each run
        self._names[one.id] = one.name
        if isinstance(one, Refused):
            self.found[one.id] = Settled(one.id)
        else:
            shared = tuple(each["id"] for each in one.shared)
            self.found[one.id] = Settled(one.id, (), len(one.own), shared, How.OWNED)
