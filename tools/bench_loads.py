"""The two sides of `make bench-sync`: a loader that does nothing but post, and the sync client."""

from __future__ import annotations

import json
import queue
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests

from deidfhir.config import Settings
from deidfhir.mapping.context import MappingContext
from deidfhir.model.study import Study
from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.foreign import OurTraces, StudyForms
from deidfhir.pipeline.statements import OurStatements
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.pipeline.units import SyncWork
from deidfhir.sync.job import SyncJob
from deidfhir.sync.journal import Journal
from deidfhir.sync.listing import Listing
from deidfhir.sync.unit import Unit
from tests.synthetic.objects import instance, study_uid, write

INSTANCES = 10
RESOURCES = 2
"""Of one study: ImagingStudy and Provenance."""

_HEADERS = {"Content-Type": "application/fhir+json", "Prefer": "return=minimal"}
_RECORDED = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Cell:
    """How a bare loader posts.

    Args:
        studies: So many in one transaction.
        connections: So many transactions at a time.
    """

    studies: int
    connections: int

    def __str__(self) -> str:
        return f"{self.studies} x {self.connections}"


def context() -> MappingContext:
    """Return what the studies of a measurement are mapped with."""
    return MappingContext("R4", Settings(namespace="https://bench.example/ids"), _RECORDED)


def template() -> Unit:
    """Return one study of ten instances as the pipeline makes it."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(INSTANCES):
            markers = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool 1.0"}
            made = instance(1, 1, number + 1, **markers)
            write(made, Path(folder) / f"{number}.dcm")
        (unit,) = SyncWork(read_paths([Path(folder)]), context()).units()
    if not isinstance(unit, Unit):
        raise TypeError("the study is refused")
    return unit


def fresh(one: Unit, count: int) -> list[Unit]:
    """Return copies of a study that no server has seen: other UIDs, other ids.

    Args:
        one: The study.
        count: How many.
    """
    namespace = uuid.uuid4()
    ids = [each["id"] for each in one.own]
    uid = study_uid(1)
    base = str(namespace.int >> 64)
    content = json.dumps([one.study, list(one.provenances), dict(one.instances)])
    made = []
    for number in range(count):
        text = content.replace(uid, f"2.25.{base}.{number}")
        for each in ids:
            text = text.replace(each, str(uuid.uuid5(namespace, f"{number}|{each}")))
        study, provenances, instances = json.loads(text)
        key = f"2.25.{base}.{number}"
        # By this it is looked up whether someone else has it; nobody does.
        forms = StudyForms(Study(key, ()), study, context())
        given = (study, tuple(provenances), (), key, instances, f"study {number}")
        made.append(Unit(*given, forms=forms))
    return made


def _bodies(units: list[Unit], studies: int) -> Iterator[bytes]:
    """Yield transactions as bytes: the loader has nothing to do but to send them."""
    for start in range(0, len(units), studies):
        resources = [each for one in units[start : start + studies] for each in one.own]
        entries = [
            {
                "fullUrl": f"urn:uuid:{one['id']}",
                "resource": one,
                "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
            }
            for one in resources
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        yield json.dumps(bundle).encode()


def bare(url: str, units: list[Unit], cell: Cell) -> float:
    """Post studies and return how many seconds that took.

    Args:
        url: FHIR base URL.
        units: The studies.
        cell: How.
    """
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for body in _bodies(units, cell.studies):
        waiting.put(body)
    failed: list[BaseException] = []

    def post() -> None:
        try:
            with requests.Session() as session:
                while not waiting.empty():
                    try:
                        body = waiting.get_nowait()
                    except queue.Empty:
                        return
                    answer = session.post(url, data=body, headers=_HEADERS, timeout=120)
                    answer.raise_for_status()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            failed.append(error)

    workers = [threading.Thread(target=post) for _ in range(cell.connections)]
    begun = time.perf_counter()
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    taken = time.perf_counter() - begun
    if failed:
        raise failed[0]
    return taken


def synced(url: str, units: list[Unit], **options: Any) -> float:  # noqa: ANN401 - of SyncJob
    """Sync studies with a journal of their own and return how many seconds that took.

    Args:
        url: FHIR base URL.
        units: The studies.
        **options: Of the job.
    """
    settled = replace(context(), recorded=None)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with closing(Journal(Path(folder) / "journal")) as journal:
            job = SyncJob(
                target=TargetOptions(url).open(settled),
                journal=journal,
                statements=OurStatements(SyncWork(read_paths([]), settled)),
                traces=OurTraces(settled),
                listing=Listing("bench", frozenset(), ("/bench",)),
                **options,
            )
            report = job.run(units)
        taken = time.perf_counter() - begun
    if report.exit_code or report.resources != {"created": RESOURCES * len(units)}:
        raise RuntimeError(f"the sync did something else: {dict(report.resources)} {report.error}")
    return taken
