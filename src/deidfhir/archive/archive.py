"""What is asked of every archive, be it DICOMweb or a cloud store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

DicomJson = dict[str, Any]
"""One object in the DICOM JSON Model (PS3.18 F.2): tag → `{"vr": …, "Value": […]}`."""

Take = Callable[[DicomJson], Any]


class Gone(Exception):  # noqa: N818 - a state of affairs, not a fault
    """The archive has nothing of a study any more."""


class Unsteady(Exception):  # noqa: N818 - a state of affairs
    """What was listed changed all the while: something that is there may not be among it."""


class CursorLost(Exception):  # noqa: N818 - a state of affairs: all is to be listed once more
    """An archive no longer tells what has happened since some position."""


@dataclass(frozen=True, slots=True)
class StudyListed:
    """One study as an archive lists it.

    Args:
        uid: Study Instance UID; empty where the archive gives none that is usable.
        instances: How many instances it has, as the archive says; None if it does not.
    """

    uid: str
    instances: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Which studies of an archive are wanted.

    Args:
        matching: DICOM keyword or eight hexadecimal digits of a tag → what it must match.
        limit: How many studies at most; 0 for all.
    """

    matching: Mapping[str, str] = field(default_factory=dict)
    limit: int = 0

    @property
    def is_all(self) -> bool:
        """Whether every study of the archive is wanted."""
        return not self.matching and not self.limit


@dataclass(slots=True)
class StudyObjects:
    """What an archive gives of one study.

    Args:
        objects: What was made of each instance.
        unreadable: How many of its instances could not be had, though the archive lists them.
    """

    objects: list[Any] = field(default_factory=list)
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """What has happened in an archive since some position of its log.

    Args:
        position: Where the log ends now; what is done next begins there.
        studies: UIDs of studies that may have changed or may be gone.
        recount: Whether something went or came of which the log does not say what study it was
            of: then all studies are listed, and those are read whose number of instances is
            another than it was.
    """

    position: str
    studies: frozenset[str] = frozenset()
    recount: bool = False


class Archive(Protocol):
    """An archive that is asked over the network, from several threads at a time."""

    @property
    def shown(self) -> str:
        """How it is named in messages and in the journal: an address without credentials."""

    @property
    def dicomweb_root(self) -> str:
        """Where others have the images by DICOMweb; empty for nowhere."""

    @property
    def connections(self) -> int:
        """How many requests may be under way."""

    def require(self) -> None:
        """Look whether what is needed here is there: files, secrets, libraries; ask nobody.

        Raises:
            UsageError: A setting is wrong.
            FatalError: A secret or a file cannot be used, or a library is not installed.
        """

    def studies(self, query: Query) -> Iterable[StudyListed]:
        """Yield the studies that are wanted, each once.

        Raises:
            Unsteady: At the end: something may be missing.
            RetriableError: The archive is down or busy, or changes all the while.
            FatalError: It is none, or does not let us in.
        """

    def objects(self, study: StudyListed, take: Take, sample: int = 0) -> StudyObjects:
        """Return every instance of a study.

        Args:
            study: The study; how many instances it has is looked at where that is known.
            take: Makes something of each instance as it comes: it is given as DICOM JSON with at
                least what `mappings/attributes.toml` names.
            sample: How many instances of each series at most; 0 for all.

        Raises:
            Gone: It has none.
            RetriableError: The archive is down or busy.
            FatalError: It does not let us in.
        """

    def position(self) -> str | None:
        """Return where its log of changes ends now; None if it has none."""

    def changed(self, since: str) -> Changed:
        """Return what has happened since a position.

        Args:
            since: A position, as `position` or `Changed` gave it.

        Raises:
            CursorLost: It no longer tells, or never does.
        """

    def walk(self) -> Mapping[str, Callable[[], str | None]]:
        """Return what walks each leg of the way to it, by name, for `doctor`.

        Each returns the code of a remark (`mappings/doctor.toml`), or None, and raises where the
        way ends.
        """
