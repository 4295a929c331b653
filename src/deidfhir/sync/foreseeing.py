"""What a run would do, for a dry run: counted, not done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.plan import Plan
from deidfhir.sync.report import SyncReport
from deidfhir.sync.shared import Shared
from deidfhir.sync.target import Target


@dataclass(frozen=True, slots=True)
class Foresight:
    """Counts what plans would do.

    Args:
        target: Tells what writing would raise, as far as it can.
        shared: Knows what is there of what studies share.
        report: Where it is counted.
    """

    target: Target
    shared: Shared
    report: SyncReport

    def count(self, plans: Iterable[Plan], held: Mapping[str, JsonObject]) -> None:
        """Count what plans would write.

        Args:
            plans: Without what stands.
            held: Reference → what the target holds.
        """
        for plan in plans:
            lacking = self.shared.due(plan.shared)
            self.shared.count(lacking)
            if lacking or not plan.is_done:
                self.target.rehearse()
            for one in (*lacking, *plan.puts):
                self.report.count("updated" if reference(one) in held else "created")
            self.report.count("unchanged", plan.unchanged)
            self.report.count_fate(plan.fate, plan.name)
            self.report.count("deleted", len(plan.deletes))
            if plan.withdraws:
                self.report.count_withdrawal(plan.name)
