"""AWS HealthImaging, simulated behind AWS's own client library.

The library makes the requests and holds them, and these answers, against AWS's published model of
the service; nothing is sent anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.response import StreamingBody
from botocore.validate import validate_parameters
from pydicom import Dataset

from tests.simulated.imagesets import DATASTORE, blob, image_set

ADDRESS = f"ahi://{DATASTORE}"
Answer = tuple[int, dict[str, Any]]


@dataclass
class Held:
    """One image set of the store."""

    metadata: dict[str, Any]
    updated: float
    deleted: bool = False
    lost: bool = False
    """Whether it is listed and its metadata is not there."""

    @property
    def uid(self) -> str:
        """Its Study Instance UID."""
        levels = (self.metadata["Study"], self.metadata["Patient"])
        return str(next(one["DICOM"]["StudyInstanceUID"] for one in levels if one["DICOM"]))

    @property
    def tags(self) -> dict[str, Any]:
        """What a search tells of it."""
        series: dict[str, Any] = self.metadata["Study"]["Series"]
        above = {**self.metadata["Patient"]["DICOM"], **self.metadata["Study"]["DICOM"]}
        first = next(iter(series.values()))["DICOM"]
        told = {
            "DICOMPatientId": above.get("PatientID"),
            "DICOMStudyInstanceUID": self.uid,
            "DICOMStudyDate": above.get("StudyDate"),
            "DICOMSeriesModality": first.get("Modality"),
            "DICOMNumberOfStudyRelatedInstances": sum(
                len(one["Instances"]) for one in series.values()
            ),
        }
        return {key: value for key, value in told.items() if value is not None}


@dataclass
class SimulatedStore:
    """One data store.

    Args:
        now: Its clock.
        page: How many image sets it tells at a time.
    """

    now: float = 1_800_000_000.0
    page: int = 50
    held: dict[str, Held] = field(default_factory=dict)
    faults: dict[str, list[Answer]] = field(default_factory=dict)
    """Operation → what it answers first."""

    asked: list[str] = field(default_factory=list)
    bodies: list[StreamingBody] = field(default_factory=list)
    """What GetImageSetMetadata answers first."""

    _names: Any = field(default_factory=lambda: count(1))

    def put(self, datasets: Iterable[Dataset], name: str = "") -> str:
        """Store objects of one study as an image set, anew or in place of another."""
        name = name or f"{next(self._names):032x}"
        self.held[name] = Held(image_set(datasets, name=name), self.now)
        return name

    def client(self, *_: object) -> object:
        """Return the library's client, which asks this store."""
        made = boto3.session.Session("AKIATEST", "test", region_name="eu-west-1").client(
            "medical-imaging"
        )
        made.meta.events.register("before-call.medical-imaging", self._answered)
        return made

    def answer(self, operation: str, url: str, body: bytes) -> Answer:
        """Return what one operation answers.

        Args:
            operation: Its name.
            url: The address that is asked.
            body: Of the request.
        """
        self.asked.append(operation)
        faults = self.faults.get(operation) or []
        if faults:
            return faults.pop(0)
        parts = [one for one in urlsplit(url).path.split("/") if one]
        query = {key: one[0] for key, one in parse_qs(urlsplit(url).query).items()}
        found: Answer = getattr(self, f"_{operation}")(parts, query, json.loads(body or b"{}"))
        return found

    def _answered(self, model: Any, params: dict[str, Any], **_: object) -> object:  # noqa: ANN401
        status, parsed = self.answer(model.name, params["url"], params["body"])
        if status < 300:
            validate_parameters(parsed, model.output_shape)
        parsed["ResponseMetadata"] = {"HTTPStatusCode": status, "HTTPHeaders": {}}
        return AWSResponse("", status, {}, None), parsed

    def _SearchImageSets(  # noqa: N802 - the operation's name
        self, parts: list[str], query: dict[str, str], asked: dict[str, Any]
    ) -> Answer:
        if parts[1] != DATASTORE:
            return missing()
        assert not asked or asked["sort"] == {"sortField": "updatedAt", "sortOrder": "ASC"}
        found = sorted(
            (one.updated, name)
            for name, one in self.held.items()
            if not one.deleted and all(_fits(one, each) for each in asked.get("filters", ()))
        )
        begin, most = int(query.get("nextToken", 0)), min(self.page, int(query["maxResults"]))
        shown = [self._summary(name) for _, name in found[begin : begin + most]]
        answer: dict[str, Any] = {"imageSetsMetadataSummaries": shown}
        if begin + most < len(found):
            answer["nextToken"] = str(begin + most)
        return 200, answer

    def _summary(self, name: str) -> dict[str, Any]:
        one = self.held[name]
        updated = datetime.fromtimestamp(one.updated, UTC)
        return {"imageSetId": name, "version": 1, "updatedAt": updated, "DICOMTags": one.tags}

    def _GetImageSetMetadata(self, parts: list[str], *_: object) -> Answer:  # noqa: N802
        one = self.held.get(parts[3])
        if one is None or one.deleted or one.lost:
            return missing()
        body = self.bodies.pop(0) if self.bodies else blob(one.metadata)
        return 200, {"imageSetMetadataBlob": body, "contentEncoding": "gzip"}

    def _GetImageSet(self, parts: list[str], *_: object) -> Answer:  # noqa: N802
        one = self.held.get(parts[3])
        if one is None:
            return missing()
        state = "DELETED" if one.deleted else "ACTIVE"
        told = {"datastoreId": DATASTORE, "imageSetId": parts[3], "versionId": "1"}
        return 200, {**told, "imageSetState": state}


def _fits(one: Held, each: dict[str, Any]) -> bool:
    values = each["values"]
    if each["operator"] == "EQUAL":
        return bool(values[0]["DICOMStudyInstanceUID"] == one.uid)
    begin, end = (each["updatedAt"] for each in values)
    return bool(begin <= one.updated <= end)


def missing() -> Answer:
    """Return what AWS answers where there is nothing."""
    return error("ResourceNotFoundException", 404)


def error(code: str, status: int) -> Answer:
    """Return an error as AWS answers it; its message may quote what was asked."""
    return status, {"Error": {"Code": code, "Message": "CANARY^OF^A^MESSAGE"}}
