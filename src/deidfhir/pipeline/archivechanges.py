"""What has changed in an archive since the last run, by its own log of changes.

Each study counts as one slice: its signature is the number of instances that the archive tells. A
study is passed over if the last run left it settled, nothing in the log is of it, and, where all
are listed, it is listed with that number. The position in the log is kept when the run is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from deidfhir.archive.archive import Changed, CursorLost, StudyListed
from deidfhir.model.finding import Finding
from deidfhir.pipeline.archives import ArchiveSource, Asking
from deidfhir.pipeline.listing import path_digest
from deidfhir.pipeline.reading import Reading
from deidfhir.pipeline.source import Before, Tell
from deidfhir.pipeline.told import Told
from deidfhir.sync.cursors import Cursor
from deidfhir.sync.settled import Settled, SliceRow


@dataclass(slots=True)
class ArchiveChanges:
    """What has changed in an archive.

    Args:
        source: The archive, and what of it is wanted.
        before: What is known of earlier runs.
    """

    source: ArchiveSource
    before: Before
    _position: str | None = field(default=None, init=False)
    _run: Asking = field(init=False)
    _counts: dict[str, int | None] = field(default_factory=dict, init=False)
    _unasked: set[str] = field(default_factory=set, init=False)

    def read(self, tell: Tell, workers: int) -> Reading:
        """Read what may have changed, or all where the archive does not tell."""
        del workers  # what takes time is the archive
        self._run = run = Asking(self.source, tell)
        changed = self._changed() if self.source.is_all else None
        if changed is None:
            run.read(map(self._noted, run.listed()))
        else:
            self._position = changed.position
            run.read(self._due(changed))
            self._tell_unasked()
        return run.finished()

    def keep(
        self, settled: Mapping[str, Settled], told: Mapping[str, Told], *, is_done: bool
    ) -> None:
        """Let the journal know what need not be asked for again, and how far the log is done."""
        if self._position is None:
            return
        kept, journal = self.before.journal.settled, self.before.journal
        name = self._run.reading.source
        slices: dict[str, SliceRow | None] = dict.fromkeys(kept.slices(name))
        studies: dict[str, Settled | None] = dict.fromkeys(kept.studies(name))
        for one in self._unasked:
            slices.pop(one, None)
            studies.pop(one, None)
        # What a list did not show for its pages' shifting, no log need ever tell of.
        every = self._run.reading.complete
        for one, objects in self._run.objects.items():
            if one not in settled or one not in told or one in self._run.doubtful:
                every = False
                continue
            signature = self._signature(self._counts.get(one))
            slices[one] = SliceRow(signature, objects, 0, (one,))
            row = told[one].kept(lambda _: ())
            studies[one] = replace(settled[one], slices=(one,), told=row)
        kept.keep(name, slices, studies)
        if is_done:
            cursor = Cursor(self._position, self.before.by, every and not self._run.doubtful)
            journal.cursors.put(name, cursor)

    def _changed(self) -> Changed | None:
        """Return what the log says; None where all must be asked for."""
        archive, journal = self.source.archive, self.before.journal
        # Before anything is listed: what happens meanwhile is in the log of the next run.
        self._position = archive.position()
        cursor = journal.cursors.get(self._run.reading.source)
        if self._position is None or cursor is None or self.before.full:
            return None
        if cursor.by != self.before.by:
            return None
        try:
            return archive.changed(cursor.position)
        except CursorLost:
            self._run.reading.findings.append(Finding("changes-lost", archive.shown))
            return None

    def _noted(self, one: StudyListed) -> StudyListed:
        self._counts[self.source.id_of(one.uid)] = one.instances
        return one

    def _due(self, changed: Changed) -> list[StudyListed]:
        """Return the studies to ask for; the others are noted."""
        name, journal = self._run.reading.source, self.before.journal
        rows, settled = journal.settled.slices(name), journal.settled.studies(name)
        touched = {self.source.id_of(uid): uid for uid in changed.studies}
        rest = {one for one in settled if one in rows and one not in touched}
        cursor = journal.cursors.get(name)
        open_ones = journal.delivered_by([name], settled)
        if not (changed.recount or open_ones or cursor is None or not cursor.settled):
            self._unasked = rest
            return [StudyListed(uid) for uid in sorted(changed.studies)]
        due = []
        for one in map(self._noted, self._run.listed()):
            identity = self.source.id_of(one.uid)
            same = identity in rest and rows[identity].signature == self._signature(one.instances)
            if same:
                self._unasked.add(identity)
            else:
                due.append(one)
        return due

    def _signature(self, instances: int | None) -> str:
        return sha256(f"{instances}\n{self.before.by}".encode()).hexdigest()[:32]

    def _tell_unasked(self) -> None:
        """Count the studies that were not asked for, with what is told of them."""
        name, kept = self._run.reading.source, self.before.journal.settled
        rows, settled = kept.slices(name), kept.studies(name)
        for one in sorted(self._unasked):
            path = self.source.path_of(one)
            told = Told.of(settled[one].told, {path_digest(path): path})
            self._run.reading.settled.append((settled[one], told))
            self._run.reading.instances += rows[one].objects
