"""Study records by study, on the disk as soon as they are many: memory does not grow with them.

What lies there has no name in any folder, and goes with the process, however that ends.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import suppress
from tempfile import SpooledTemporaryFile

from deidfhir.errors import FatalError
from deidfhir.model.finding import Finding
from deidfhir.model.study import Study, study_of
from deidfhir.pipeline.records import StudyRecord, record_of

_IN_MEMORY = 16 << 20
"""Bytes of records that stay in memory."""


class Spill:
    """Gathers study records in any order and gives back study by study.

    Args:
        in_memory: Bytes of records that stay in memory.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._file = SpooledTemporaryFile(in_memory)  # noqa: SIM115 - lives as long as this
        weakref.finalize(self, _close, self._file)
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._end = 0

    def add(self, uid: str, record: bytes) -> None:
        """Take in a record.

        Args:
            uid: Study Instance UID.
            record: As `records.Records` gives it.

        Raises:
            FatalError: `spill-unwritable`.
        """
        try:
            self._file.seek(self._end)
            self._file.write(record)
            self._file.flush()
        except OSError as error:
            raise FatalError("spill-unwritable") from error
        self._places.setdefault(uid, []).append((self._end, len(record)))
        self._end += len(record)

    def study(self, uid: str) -> Study:
        """Return one of the studies, by its Study Instance UID."""
        records = [self._record(*place) for place in self._places[uid]]
        findings = {Finding(*one) for record in records for one in record.findings}
        instances = [one for record in records for one in record.instances()]
        return study_of(uid, instances, findings)

    def _record(self, begin: int, size: int) -> StudyRecord:
        self._file.seek(begin)
        return record_of(self._file.read(size))

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies, sorted by Study Instance UID."""
        for uid in sorted(self._places):
            yield self.study(uid)


def _close(file: SpooledTemporaryFile[bytes]) -> None:
    """Close a file of which nothing is needed any more, also one that took no more bytes."""
    with suppress(OSError):
        file.close()
