"""Objects → studies → FHIR, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deidfhir.api.accepting import accepting
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
from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.gate import admitted

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
    context = accepting(context, accept)
    mapped, refusal = admitted(study, context, findings_of(study))
    if mapped is None or refusal is not None:
        raise NotAccepted(refusal.finding.code if refusal else "not-accepted")
    for resource in mapped.resources:
        check(resource, context.version)
    return mapped


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
        paths: Part 10 files, DICOM JSON, NDJSON of it, zip and tar files, a DICOMDIR, or folders.
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
