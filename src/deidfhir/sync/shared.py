"""What studies share with others: there before them, sent once, asked for once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.comparing import comparable, digest, stands
from deidfhir.sync.journal import Journal
from deidfhir.sync.report import SyncReport
from deidfhir.sync.target import Target, held_of


@dataclass(slots=True)
class Shared:
    """The Devices and Endpoints of a run.

    Args:
        target: A server or a folder.
        journal: The target's journal.
        report: Counts what is there already.
        dry_run: Whether nothing may be written, not even into the journal.
    """

    target: Target
    journal: Journal
    report: SyncReport
    dry_run: bool = False
    _there: set[str] = field(default_factory=set, init=False)

    def is_known(self, resource: JsonObject) -> bool:
        """Whether the journal says that the target holds a resource as it is stated."""
        return self.journal.device(resource["id"]) == digest(comparable(resource))

    def count(self, resources: Iterable[JsonObject]) -> int:
        """Return how many resources this run had not counted yet; they are there."""
        return self.count_ids(one["id"] for one in resources)

    def count_ids(self, ids: Iterable[str]) -> int:
        """Return of how many ids this run had not counted a resource yet; they are there."""
        fresh = set(ids) - self._there
        self._there |= fresh
        return len(fresh)

    def look_up(self, resources: Iterable[JsonObject]) -> Mapping[str, JsonObject]:
        """Learn which resources are there as stated: from the journal, else from the target.

        Returns:
            Reference → what the target holds, of those it was asked for.
        """
        fresh = {one["id"]: one for one in resources if one["id"] not in self._there}
        asked = [one for one in fresh.values() if not self.is_known(one)]
        held = held_of(self.target, asked)
        found = [one for one in asked if stands(one, held.get(reference(one)))]
        if found and not self.dry_run:
            self.journal.put_devices({one["id"]: digest(comparable(one)) for one in found})
        absent = {one["id"] for one in asked} - {one["id"] for one in found}
        self.report.count("unchanged", self.count(fresh[one] for one in fresh.keys() - absent))
        return held

    def forget(self, resources: Iterable[JsonObject]) -> None:
        """Take nothing that was known of some resources for true: the target may have lost them.

        Args:
            resources: Of any study.
        """
        ids = [one["id"] for one in resources]
        self._there.difference_update(ids)
        self.journal.make_due((), ids)

    def due(self, resources: Iterable[JsonObject]) -> list[JsonObject]:
        """Return the resources that the target lacks or holds otherwise."""
        return [one for one in resources if one["id"] not in self._there]
