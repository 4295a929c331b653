"""A folder as target: NDJSON in the Bulk Data layout, one file a type, one line an id, sorted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from deidfhir.errors import FatalError
from deidfhir.fhir.types import JsonObject
from deidfhir.sync.own import make_own_folder
from deidfhir.sync.target import NO_VERSIONS, Found, Limits
from deidfhir.web.numbers import decoded, line_of
from deidfhir.web.outcome import objects
from deidfhir.web.traffic import Traffic

LIMITS = Limits(studies=500, entries=100_000, size=100_000_000)
KINDS = ("Device", "Endpoint", "ImagingStudy", "Patient", "Provenance")


@dataclass(slots=True)
class NdjsonFolder:
    """A folder of NDJSON files.

    Args:
        path: The folder; it is made when something is written.
    """

    path: Path
    batch: int = 500
    looks_ahead: bool = False
    limits: Limits = LIMITS
    connections: int = 1
    at_once: bool = False
    traffic: Traffic = field(default_factory=Traffic)
    _held: dict[str, dict[str, JsonObject]] = field(default_factory=dict, init=False)
    _touched: set[str] = field(default_factory=set, init=False)

    @property
    def shown(self) -> str:
        """The folder's path."""
        return str(self.path)

    def stamp(self) -> str | None:
        """Return a digest of the files' sizes and times of change."""
        parts = []
        for kind in KINDS:
            try:
                status = self._file(kind).stat()
            except OSError:
                continue
            parts.append(f"{kind}:{status.st_size}:{status.st_mtime_ns}")
        return sha256("|".join(parts).encode()).hexdigest()

    def find(self, study_ids: Iterable[str]) -> dict[str, Found]:
        """Return what the folder holds of some studies, by ImagingStudy id."""
        wanted = list(study_ids)
        studies, about = self._all("ImagingStudy"), self.provenances_of(wanted)
        return {one: Found(studies.get(one), about[one]) for one in wanted}

    def provenances_of(self, study_ids: Iterable[str]) -> dict[str, tuple[JsonObject, ...]]:
        """Return every Provenance that targets some ImagingStudies, by their ids."""
        by_study: dict[str, list[JsonObject]] = {}
        for one in self._all("Provenance").values():
            for target in objects(one.get("target")):
                by_study.setdefault(str(target.get("reference")), []).append(one)
        return {one: tuple(by_study.get(f"ImagingStudy/{one}", ())) for one in study_ids}

    def studies(self, identifiers: list[str], *, brief: bool = False) -> Iterator[JsonObject]:
        """Yield the folder's ImagingStudy resources.

        Args:
            identifiers: `system|value` of those that are wanted; all if there are none.
            brief: Makes no difference: all has been read anyway.
        """
        del brief
        wanted = set(identifiers)
        for one in list(self._all("ImagingStudy").values()):
            spelled = {
                f"{each.get('system')}|{each.get('value')}"
                for each in objects(one.get("identifier"))
            }
            if not wanted or wanted & spelled:
                yield one

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return resources of one type, by id; those that are not there are left out."""
        held = self._all(kind)
        return {one: held[one] for one in ids if one in held}

    def write(
        self,
        puts: Iterable[JsonObject],
        deletes: Iterable[str] = (),
        versions: Mapping[str, str] = NO_VERSIONS,  # noqa: ARG002 - a folder has none
    ) -> list[str]:
        """Put resources and delete references; `flush` writes the files."""
        outcomes = []
        for one in puts:
            held = self._all(one["resourceType"])
            before = held.get(one["id"])
            if before is None:
                outcomes.append("created")
            else:
                outcomes.append("unchanged" if before == one else "updated")
            if before != one:
                held[one["id"]] = dict(one)  # without its text, of which nothing is made here
                self._touched.add(one["resourceType"])
        for gone in deletes:
            kind, _, identity = gone.partition("/")
            if self._all(kind).pop(identity, None) is not None:
                self._touched.add(kind)
        return outcomes

    def flush(self) -> None:
        """Replace each file that changed, Devices first, atomically and for the owner alone.

        Raises:
            FatalError: `folder-unwritable`.
        """
        for kind in sorted(self._touched):
            try:
                self._replace(kind)
            except (OSError, ValueError) as error:
                raise FatalError("folder-unwritable", path=self.path) from error
        self._touched.clear()

    def rehearse(self) -> None:
        """Raise `folder-unwritable` where the folder, or what it would be made in, is read-only.

        Raises:
            FatalError: `folder-unwritable`.
        """
        nearest = next(
            one for one in (self.path, *self.path.absolute().parents) if os.path.lexists(one)
        )
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise FatalError("folder-unwritable", path=self.path)

    def _replace(self, kind: str) -> None:
        make_own_folder(self.path)
        # One name, so that what a killed run leaves behind is overwritten by the next one.
        draft = self.path / f".{kind}.ndjson.draft"
        draft.unlink(missing_ok=True)  # it may be someone else's, or open to others
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            for _, resource in sorted(self._all(kind).items()):
                stream.write(line_of(resource) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self._file(kind))

    def _all(self, kind: str) -> dict[str, JsonObject]:
        if kind not in self._held:
            self._held[kind] = self._load(kind)
        return self._held[kind]

    def _load(self, kind: str) -> dict[str, JsonObject]:
        path = self._file(kind)
        try:
            resources = _lines(path)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except PermissionError as error:
            raise FatalError("folder-unwritable", path=self.path) from error
        if resources is None:
            raise FatalError("folder-unreadable", path=path)
        usable = [one for one in objects(resources) if isinstance(one.get("id"), str)]
        found = {one["id"]: one for one in usable}
        # Two lines of one id: to keep either would lose the other.
        kinds = [one["resourceType"] for one in usable if "resourceType" in one]
        if len(found) != len(usable) or kinds != [kind] * len(resources):
            raise FatalError("folder-unreadable", path=path)
        return found

    def _file(self, kind: str) -> Path:
        return self.path / f"{kind}.ndjson"


def _lines(path: Path) -> list[object] | None:
    """Return what a file of NDJSON holds, or None if it is none or cannot be read."""
    try:
        with path.open(encoding="utf-8") as stream:
            return [decoded(line) for line in stream if line.strip()]
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        raise
    except (OSError, ValueError, RecursionError):
        return None
