"""What was read of a source, whatever kind of source it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deidfhir.model.finding import Finding
from deidfhir.model.study import Studies, Study, StudyFold
from deidfhir.pipeline.listing import digest, place_of
from deidfhir.sync.standins import PATH_DIGITS

if TYPE_CHECKING:
    from deidfhir.pipeline.told import Told
    from deidfhir.sync.settled import Settled


@dataclass(slots=True)
class Reading:
    """All that was read from a source.

    Args:
        source: Names it, for the journal (D19).
        places: What it consists of: absolute paths, or an address.
        fold: The instances, by study.
        instances: How many objects were read, copies included.
        skipped: What was skipped for cause.
        findings: What is odd about the source itself.
        foreign: How many files are no DICOM at all.
        doubtful: Foreign files that may have been objects once: empty, or not to be opened.
        inside: Path of what was skipped or is doubtful → path of the file in which it is.
        complete: Whether what it does not list is not there: all of it was listed (D19).
        whole: Whether all instances of each study that it lists were read (D19).
        gone: Ids of the ImagingStudies that alone may have vanished; None where each may have that
            is not listed.
        hollow: Whether in one of the places there is no object.
        settled: Studies that were not read, since nothing has changed, with what is told of them.
    """

    source: str
    places: tuple[str, ...] = ()
    fold: Studies = field(default_factory=StudyFold)
    instances: int = 0
    skipped: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    foreign: int = 0
    doubtful: list[str] = field(default_factory=list)
    inside: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    whole: bool = True
    gone: frozenset[str] | None = None
    hollow: bool = False
    settled: list[tuple[Settled, Told]] = field(default_factory=list)

    @property
    def studies(self) -> Iterator[Study]:
        """The studies, sorted by Study Instance UID."""
        return iter(self.fold)

    def missing_files(self) -> frozenset[str]:
        """Return which files may hold an object that was not read, each as a digest.

        What is inside of a file has a digest of its own, which begins as that of the file does.
        """
        named = (*(one.path for one in self.skipped), *self.doubtful)
        return frozenset(map(self._stands_for, named))

    def _stands_for(self, path: str) -> str:
        own, file = digest(place_of(path)), self.inside.get(path)
        if file is None:
            return own
        return digest(place_of(file))[:PATH_DIGITS] + own[PATH_DIGITS:]
