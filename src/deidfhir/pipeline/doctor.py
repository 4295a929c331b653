"""`doctor`: which leg of the way to a target or an archive fails, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from deidfhir.archive.archive import Archive
from deidfhir.errors import FatalError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.legs import Diagnosis, Remark, Step, remark, walked
from deidfhir.pipeline.serverwalk import ServerWalk
from deidfhir.pipeline.targets import open_target
from deidfhir.sync.folder import KINDS, NdjsonFolder
from deidfhir.sync.server import FhirServer
from deidfhir.tables import table
from deidfhir.web.timing import Clock


def diagnose(to: str, context: MappingContext, timeout: float, clock: Clock) -> Diagnosis:
    """Walk to a target.

    Args:
        to: A FHIR base URL or a folder.
        context: Tells FHIR version, site and access file.
        timeout: Seconds for one request with all its repetitions.
        clock: The time.

    Raises:
        UsageError: The target is none, or the access file is wrong.
    """
    try:
        target = open_target(to, context, timeout, clock)
    except FatalError as error:
        return walked(to, _legs("folder"), {"site": _failing(error)})
    if isinstance(target, FhirServer):
        return walked(target.shown, _legs("server"), ServerWalk(target, context).steps())
    assert isinstance(target, NdjsonFolder)  # noqa: S101 - there are no others
    return walked(target.shown, _legs("folder"), _folder_steps(target))


def diagnose_archive(archive: Archive) -> Diagnosis:
    """Walk to an archive: its own legs.

    Args:
        archive: The archive.
    """

    def step(leg: Callable[[], str | None]) -> Step:
        def walk() -> Remark | None:
            code = leg()
            return remark(code) if code else None

        return walk

    steps = {name: step(leg) for name, leg in archive.walk().items()}
    return walked(archive.shown, steps, steps)


def _legs(kind: str) -> Iterable[str]:
    legs: dict[str, str] = table("doctor.toml")[kind]
    return legs


def _failing(error: FatalError) -> Step:
    def fail() -> None:
        raise error

    return fail


def _folder_steps(folder: NdjsonFolder) -> dict[str, Step]:
    def read() -> None:
        for kind in KINDS:
            folder.read(kind, ())

    return {"site": folder.rehearse, "read": read}
