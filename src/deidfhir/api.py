"""The functions that integration code and gateways call; `import deidfhir` shows them all.

Nothing here prints or logs. What is not accepted is refused by default, as on the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deidfhir.dicom.dicomjson import header_of_json
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.reader import instance_of
from deidfhir.errors import DataError, SkippableError
from deidfhir.fhir.check import check
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.study import Study, StudyFold
from deidfhir.pipeline.files import Files, read_paths
from deidfhir.pipeline.gate import admitted, parse_accept
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import SyncRun, run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.pipeline.verifying import VerifyRun, run_verify
from deidfhir.web.timing import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

OnSkip = Callable[[Finding], None]


class NotAccepted(SkippableError):  # noqa: N818 - the gate's answer, not a fault
    """The gate refuses a study.

    Args:
        code: Key of `mappings/findings.toml`.
    """

    def __str__(self) -> str:
        finding = Finding(self.code)
        return f"{finding.text}: {finding.action}"


def map_dataset(
    dataset: Dataset, context: MappingContext | None = None, *, accept: str | None = None
) -> MappedStudy:
    """Map one object, as a study of one instance.

    Args:
        dataset: A pydicom data set; pixels are not looked at.
        context: FHIR version, settings, policy and instant of recording.
        accept: Verdicts that may pass, as for `--accept`; without it the policy's.

    Raises:
        ObjectSkipped: The object has no usable UIDs.
        NotAccepted: The policy in force refuses the object.
    """
    (study,) = studies_from_datasets([dataset])
    return map_study(study, context, accept=accept)


def map_study(
    study: Study, context: MappingContext | None = None, *, accept: str | None = None
) -> MappedStudy:
    """Map one study and check what was made with fhir.resources.

    Args:
        study: As `studies_from_json`, `studies_from_datasets` or `studies_from_paths` give it.
        context: FHIR version, settings, policy and instant of recording.
        accept: Verdicts that may pass, as for `--accept`; without it the policy's.

    Raises:
        NotAccepted: The policy in force refuses the study.
        DataError: `resource-invalid`.
    """
    context = _accepting(context, accept)
    mapped, refusal = admitted(study, context, findings_of(study))
    if mapped is None or refusal is not None:
        raise NotAccepted(refusal.finding.code if refusal else "not-accepted")
    for resource in mapped.resources:
        check(resource, context.version)
    return mapped


def _accepting(context: MappingContext | None, accept: str | None) -> MappingContext:
    verdicts = None if accept is None else parse_accept(accept)
    settled = (context or MappingContext()).accepting(verdicts)
    settled.prepare()
    return settled


def studies_from_json(
    objects: Iterable[dict[str, Any]], on_skip: OnSkip | None = None
) -> Iterator[Study]:
    """Fold a stream of DICOM JSON objects (PS3.18 F.2) into studies, sorted by UID.

    Args:
        objects: Such as the answers of WADO-RS metadata.
        on_skip: Told of each object that cannot be used; without it, the first one raises.

    Raises:
        ObjectSkipped: An object cannot be used, and `on_skip` is not given.
    """
    yield from _folded((partial(header_of_json, one) for one in objects), on_skip)


def studies_from_datasets(
    datasets: Iterable[Dataset], on_skip: OnSkip | None = None
) -> Iterator[Study]:
    """Fold pydicom data sets into studies, sorted by UID.

    Args:
        datasets: Read or made; pixels are not looked at.
        on_skip: Told of each object that cannot be used; without it, the first one raises.

    Raises:
        ObjectSkipped: An object cannot be used, and `on_skip` is not given.
    """
    from deidfhir.dicom.dataset import header_of_dataset  # noqa: PLC0415 - only where used

    yield from _folded((partial(header_of_dataset, one) for one in datasets), on_skip)


def studies_from_paths(
    paths: Iterable[str | Path], on_skip: OnSkip | None = None
) -> Iterator[Study]:
    """Read files and folders into studies, sorted by UID.

    Args:
        paths: Part 10 files, `.json` holding DICOM JSON, or folders of them.
        on_skip: Told of each file that is skipped for cause.

    Raises:
        UsageError: `path-missing`.
    """
    reading = read_paths([Path(one) for one in paths])
    for finding in reading.skipped if on_skip else ():
        on_skip(finding)  # type: ignore[misc]
    yield from reading.studies


def _folded(sources: Iterable[Callable[[], Header]], on_skip: OnSkip | None) -> Iterator[Study]:
    fold = StudyFold()
    for number, source in enumerate(sources, start=1):
        name = f"#{number}"
        try:
            read = source()
            fold.add(*instance_of(read, name))
        except ObjectSkipped as skip:
            if on_skip is None:
                raise
            on_skip(Finding(skip.code, name))
    yield from fold


def datasets_of(resources: Iterable[JsonObject]) -> Iterator[Dataset]:
    """Give back the markers of every instance that FHIR resources state, as data sets.

    What is marked as withheld is left out. A value that is longer than its Value Representation
    allows is kept whole.

    Args:
        resources: Bundles or ImagingStudy resources, such as a server's answers.

    Raises:
        DataError: `unreadable`, after all data sets that can be given back.
    """
    from deidfhir.dicom.writing import dataset_of  # noqa: PLC0415 - pydicom only where used
    from deidfhir.pipeline.reversing import Reversal  # noqa: PLC0415

    reversal = Reversal()
    for number, resource in enumerate(resources, start=1):
        for one in reversal.objects_of(resource, number):
            dataset = dataset_of(one)
            if dataset is None:
                reversal.broken.setdefault(number, "a marker")
            else:
                yield dataset
    if reversal.broken:
        first, *_ = reversal.broken.values()
        raise DataError("unreadable", place=first or "a resource")


def sync_paths(  # noqa: PLR0913 - the options of the command, by name
    paths: Iterable[str | Path],
    to: str,
    *,
    context: MappingContext | None = None,
    accept: str | None = None,
    journal: Path | None = None,
    dry_run: bool = False,
    confirm_vanished: int = 0,
    full: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
    workers: int = 1,
) -> SyncRun:
    """Make a target state what the objects below some PATHs state.

    Args:
        paths: Files and folders.
        to: FHIR base URL, or a folder for NDJSON.
        context: FHIR version, settings and policy.
        accept: Verdicts that may pass, as for `--accept`; without it the policy's.
        journal: The target's journal; by default one in the user's state folder.
        dry_run: Whether only to read and to say what would be sent.
        confirm_vanished: How many studies may vanish, where the run would otherwise refuse it.
        full: Whether to open files that are as the last run left them, too.
        timeout: Seconds for one request with all its repetitions.
        workers: How many processes may read files; with more than one, the program's main module
            must be importable (`if __name__ == "__main__"`).

    Returns:
        What was read, refused and sent, with the command's exit code; an error that ended the
        run early is in its report.

    Raises:
        UsageError: A PATH or the target is not usable.
        FatalError: The journal is not usable, or another target's.
    """
    options = _options(paths, context, accept, workers)
    where = TargetOptions(to, journal, timeout)
    return run_sync(options, where, dry_run=dry_run, confirmed=confirm_vanished, full=full)


def verify_paths(  # noqa: PLR0913 - the options of the command, by name
    paths: Iterable[str | Path],
    to: str,
    *,
    context: MappingContext | None = None,
    accept: str | None = None,
    journal: Path | None = None,
    repair: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
    workers: int = 1,
) -> VerifyRun:
    """Compare a target with what the objects below some PATHs state.

    Args:
        paths: Files and folders.
        to: FHIR base URL, or a folder of NDJSON.
        context: FHIR version, settings and policy.
        accept: Verdicts that may pass, as for `--accept`; without it the policy's.
        journal: The target's journal; by default one in the user's state folder.
        repair: Whether what differs is sent again at once; without it nothing is written.
        timeout: Seconds for one request with all its repetitions.
        workers: How many processes may read files; with more than one, the program's main module
            must be importable (`if __name__ == "__main__"`).

    Raises:
        UsageError: A PATH or the target is not usable.
        FatalError: The journal is another target's, or to be written and not usable.
        RetriableError: With `repair`: a sync is under way.
    """
    where = TargetOptions(to, journal, timeout)
    return run_verify(_options(paths, context, accept, workers), where, repair=repair)


def _options(
    paths: Iterable[str | Path],
    context: MappingContext | None,
    accept: str | None,
    workers: int,
) -> RunOptions:
    given = tuple(Path(one) for one in paths)
    return RunOptions(Files(given), _accepting(context, accept), workers=workers)
