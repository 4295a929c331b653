"""The DICOM services of Azure and Google Cloud, simulated from what their vendors publish.

QIDO-RS with pages and 204 for none, WADO-RS metadata, tokens demanded; Azure's change feed in both
versions of its API: by numbers, of which some are never given (v1), by instants (v2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydicom import Dataset

from tests.integration.listener import Listener, Sent
from tests.synthetic.dicomjson import json_object

Json = dict[str, Any]
GOOGLE_STORE = "/v1/projects/p/locations/eu/datasets/d/dicomStores/s/dicomWeb"
_BEGUN = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Happened:
    """One entry of the change feed."""

    sequence: int
    at: datetime
    action: str
    study: str
    instance: str
    partition: str

    @property
    def told(self) -> Json:
        """The entry as the service gives it."""
        return {
            "Sequence": self.sequence,
            "StudyInstanceUid": self.study,
            "SeriesInstanceUid": "1.2.3",
            "SopInstanceUid": self.instance,
            "Action": self.action,
            "Timestamp": self.at.isoformat().replace("+00:00", "Z"),
            "State": "deleted" if self.action == "delete" else "current",
            "PartitionName": self.partition,
        }


class SimulatedCloud(Listener):
    """A DICOM service.

    Attributes:
        token: How the values of the header Authorization begin that let in.
        most: How many results a page has at most.
        held: SOP Instance UID → DICOM JSON.
        feed: What has happened.
        refusing: HTTP status of every answer, instead of what is asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.renew()

    def renew(self) -> None:
        """Hold nothing, and be as new."""
        self.log.clear()
        self.token = "Bearer token-"  # noqa: S105 - nobody's
        self.most = 200
        self.held: dict[str, Json] = {}
        self.feed: list[Happened] = []
        self.partition = "Microsoft.Default"
        self.refusing = 0
        self.sequence, self.now = 0, _BEGUN

    @property
    def origin(self) -> str:
        """Its address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def put(self, datasets: Iterable[Dataset], action: str = "create") -> None:
        """Store objects, new or in place of others."""
        for one in datasets:
            uid = str(one.SOPInstanceUID)
            self.held[uid] = json_object(one)
            self.happened(action, str(one.StudyInstanceUID), uid)

    def delete(self, study: str) -> None:
        """Delete a study."""
        for uid, one in list(self.held.items()):
            if _first(one, "0020000D") == study:
                del self.held[uid]
                self.happened("delete", study, uid)

    def happened(self, action: str, study: str, instance: str, partition: str = "") -> None:
        """Enter into the change feed."""
        self.sequence += 1
        self.now += timedelta(seconds=1)
        given = (action, study, instance, partition or self.partition)
        self.feed.append(Happened(self.sequence, self.now, *given))

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for, without their queries."""
        return [one.path.partition("?")[0] for one in self.log]

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Answer one request."""
        del content
        parts = urlsplit(sent.path)
        query = {key: one[0] for key, one in parse_qs(parts.query).items()}
        status, body = self._judged(request.headers.get("Authorization", ""), parts.path, query)
        text = b"" if body is None else json.dumps(body).encode()
        request.send_response(status)
        kind = "application/json" if "changefeed" in parts.path else "application/dicom+json"
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def _judged(self, token: str, path: str, query: dict[str, str]) -> tuple[int, Any]:
        if not token.startswith(self.token):
            return 401, {"error": "CANARY^OF^AN^ANSWER"}
        if self.refusing:
            return self.refusing, {"error": "CANARY^OF^AN^ANSWER"}
        if path.endswith(("/changefeed", "/changefeed/latest")):
            return self.changes(path, query)
        words = path.partition("/studies")[2].strip("/").split("/") if "/studies" in path else None
        if words is None:
            return 404, {}
        return self._metadata(words) if words[-1] == "metadata" else self.search(words, query)

    def changes(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """Answer a request for the change feed, by status and body."""
        assert query["includeMetadata"] == "false"
        if path.endswith("/latest"):
            by_time = max(self.feed, key=lambda one: (one.at, one.sequence), default=None)
            if by_time is None:
                return 204, None
            return 200, (by_time if path.startswith("/v2/") else self.feed[-1]).told
        offset, limit = int(query["offset"]), int(query["limit"])
        if path.startswith("/v1/"):
            assert 1 <= limit <= 100
            page = [one for one in self.feed if offset < one.sequence <= offset + limit]
        else:
            assert 1 <= limit <= 200
            begin = datetime.fromisoformat(query.get("startTime", "0001-01-01T00:00:00+00:00"))
            found = sorted((one.at, one.sequence, one) for one in self.feed if one.at >= begin)
            page = [one for _, __, one in found[offset : offset + limit]]
        return 200, [one.told for one in page]

    def _metadata(self, words: list[str]) -> tuple[int, Any]:
        wanted = dict(zip(("0020000D", "0020000E", "00080018"), words[:-1:2], strict=False))
        found = [one for one in self.held.values() if _fits(one, wanted)]
        return (200, found) if found else (404, {})

    def search(self, words: list[str], query: dict[str, str]) -> tuple[int, Any]:
        """Answer a search, by status and body."""
        wanted = dict(zip(("0020000D", "0020000E"), words[0::2], strict=False))
        keys = ["0020000D", "0020000E", "00080018"][: 1 + len(words) // 2]
        keywords = {"StudyInstanceUID": "0020000D", "StudyDate": "00080020"}
        wanted |= {keywords[key]: value for key, value in query.items() if key in keywords}
        groups: dict[str, list[Json]] = {}
        for one in self.held.values():
            if _fits(one, {key: value for key, value in wanted.items() if value}):
                groups.setdefault(_first(one, keys[-1]), []).append(one)
        begin, most = int(query.get("offset", 0)), min(self.most, int(query["limit"]))
        shown = list(groups.values())[begin : begin + most]
        found = [{key: one[0][key] for key in keys} for one in shown]
        if query.get("includefield") == "NumberOfStudyRelatedInstances":
            for one, group in zip(found, shown, strict=True):
                one["00201208"] = {"vr": "IS", "Value": [len(group)]}
        return (200, found) if found else (204, None)


def _first(one: Json, tag: str) -> str:
    return str(one.get(tag, {}).get("Value", [""])[0])


def _fits(one: Json, wanted: dict[str, str]) -> bool:
    return all(_first(one, tag) == value for tag, value in wanted.items())
