"""An archive as a source: what it lists is asked for study by study, several at a time."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar

from deidfhir.archive.archive import (
    Archive,
    DicomJson,
    Gone,
    Query,
    StudyListed,
    StudyObjects,
    Take,
    Unsteady,
)
from deidfhir.dicom.dicomjson import header_of_json
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.reader import Reader
from deidfhir.mapping.context import MappingContext
from deidfhir.model.finding import Finding
from deidfhir.pipeline.listing import digest
from deidfhir.pipeline.reading import Reading
from deidfhir.pipeline.records import Member, StudyRecord
from deidfhir.pipeline.source import Before, Changes, Tell
from deidfhir.pipeline.spill import Spill
from deidfhir.pipeline.turns import Turns

_AHEAD = 2
"""So many studies a connection are under way or wait to be taken."""


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """The studies of an archive.

    Args:
        archive: The archive.
        id_of: Study Instance UID → id of the ImagingStudy, by which a study is named here: its UID
            may not show (D3).
        query: Which studies are wanted.
        sample: How many instances of each series are looked at; 0 for all.
    """

    archive: Archive
    id_of: Callable[[str], str]
    query: Query = field(default_factory=Query)
    sample: int = 0
    counted: ClassVar[str] = "instances read"

    def require(self) -> None:
        """Look whether what is needed here is there."""
        self.archive.require()

    def read(self, tell: Tell, workers: int) -> Reading:
        """Read every study that is wanted."""
        del workers  # what takes time is the archive
        run = Asking(self, tell)
        run.read(run.listed())
        return run.finished()

    def changes(self, before: Before) -> Changes:
        """Return what asks only for studies that may have changed, where the archive tells."""
        from deidfhir.pipeline.archivechanges import ArchiveChanges  # noqa: PLC0415 - of a sync

        return ArchiveChanges(self, before)

    @property
    def is_all(self) -> bool:
        """Whether all of every study is wanted (D19)."""
        return self.query.is_all and not self.sample

    def path_of(self, study: str) -> str:
        """Return how a study is named in reports.

        Args:
            study: The id of its ImagingStudy.
        """
        return f"{self.archive.shown}#{study}"

    def reading(self) -> Reading:
        """Return the reading before anything was read."""
        shown = self.archive.shown
        return Reading(
            digest(f"archive\n{shown}"), (shown,), complete=self.is_all, whole=not self.sample
        )


def of_archive(
    archive: Archive, query: Query, context: MappingContext
) -> tuple[ArchiveSource, MappingContext]:
    """Return an archive as a source, and the context that says where its images are.

    Args:
        archive: The archive.
        query: Which of its studies are wanted.
        context: Of the run.
    """
    settings = context.settings
    if archive.dicomweb_root and not settings.dicomweb_root:
        settings = replace(settings, dicomweb_root=archive.dicomweb_root)
        context = replace(context, settings=settings)
    id_of = context.namer.imaging_study
    return ArchiveSource(archive, id_of, query, settings.source_sample), context


@dataclass(slots=True)
class Asking:
    """Asks for studies into a reading.

    Args:
        source: What is asked for.
        tell: Told how many instances were read so far.
    """

    source: ArchiveSource
    tell: Tell
    reading: Reading = field(init=False)
    objects: dict[str, int] = field(default_factory=dict, init=False)
    """Id of the ImagingStudy → how many objects were read of the study."""

    doubtful: set[str] = field(default_factory=set, init=False)
    """Ids of ImagingStudies of which something was skipped."""

    _spill: Spill = field(default_factory=Spill, init=False)
    _reader: Reader = field(default_factory=Reader, init=False)
    _listed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.reading = self.source.reading()

    def listed(self) -> Iterator[StudyListed]:
        """Yield what the archive lists."""
        shown = self.source.archive.shown
        try:
            for one in self.source.archive.studies(self.source.query):
                self._listed = True
                self._pulse()
                if one.uid:
                    yield one
                else:
                    self.reading.skipped.append(Finding("no-study-uid", shown))
        except Unsteady:
            self.reading.complete = False
            self.reading.findings.append(Finding("listing-unsteady", shown))
        if self.source.query.is_all:
            self.reading.hollow = not self._listed
        if self.source.sample:
            self.reading.findings.append(Finding("archive-sampled", shown))

    def read(self, studies: Iterable[StudyListed]) -> None:
        """Read studies; what has gone meanwhile is passed over."""
        connections = self.source.archive.connections
        turns = Turns[StudyObjects | None](connections, self._pulse)
        take = turns.noting(_header)
        under_way: deque[tuple[StudyListed, Future[StudyObjects | None]]] = deque()
        try:
            for one in studies:
                under_way.append((one, turns.begin(partial(self._asked, one, take))))
                if len(under_way) >= connections * _AHEAD:
                    first, answer = under_way.popleft()
                    self._take(first, turns.answered(answer))
            while under_way:
                first, answer = under_way.popleft()
                self._take(first, turns.answered(answer))
        finally:
            turns.end()

    def _pulse(self) -> None:
        self.tell(self.reading.instances)

    def finished(self) -> Reading:
        """Return what was read."""
        self.reading.fold = self._spill
        return self.reading

    def _asked(self, one: StudyListed, take: Take) -> StudyObjects | None:
        try:
            return self.source.archive.objects(one, take, self.source.sample)
        except Gone:
            return None

    def _take(self, one: StudyListed, found: StudyObjects | None) -> None:
        if found is None:
            return
        identity = self.source.id_of(one.uid)
        path = self.source.path_of(identity)
        kept, skipped = self._keep(found.objects, one.uid, path)
        read = len(found.objects) - len(skipped)
        if found.unreadable:
            skipped.append(Finding("instance-unavailable", path))
        if skipped:
            self.doubtful.add(identity)
            self.reading.skipped += skipped
            # What was missing before explains nothing else that is missing now.
            self.reading.doubtful.append(f"{path}#{digest(chr(10).join(sorted(kept)))}")
        self.objects[identity] = read
        self.reading.instances += read
        self._pulse()

    def _keep(
        self, objects: list[Header | str], study: str, path: str
    ) -> tuple[set[str], list[Finding]]:
        """Keep what was read of a study; return its instances, and what cannot be used."""
        skipped: list[Finding] = []
        kept: set[str] = set()
        records: dict[str, StudyRecord] = {}
        groups: dict[int, list[Member]] = {}
        for header in objects:
            try:
                if isinstance(header, str):
                    raise ObjectSkipped(header)
                one, codes = self._reader.read(header, path)
                if one.facts.study_uid != study:
                    raise ObjectSkipped("instance-unavailable")  # it is of another study
            except ObjectSkipped as skip:
                skipped.append(Finding(skip.code, path))
                continue
            record = records.setdefault(one.facts.study_uid, StudyRecord())
            if id(one.facts) not in groups:
                groups[id(one.facts)] = []
                record.groups.append((one.facts, path, groups[id(one.facts)]))
            kept.add(one.sop_instance_uid)
            groups[id(one.facts)].append((one.sop_instance_uid, one.instance_number, "", ""))
            record.findings.update((code, path) for code in codes)
        for uid, record in records.items():
            self._spill.add(uid, pickle.dumps(record, 5))
        return kept, skipped


def _header(source: DicomJson) -> Header | str:
    """Return what an instance states, or the code of why it cannot be used."""
    try:
        return header_of_json(source)
    except ObjectSkipped as skip:
        return skip.code
