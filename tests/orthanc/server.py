"""Orthanc of Debian's packages orthanc and orthanc-dicomweb: started in a folder of its own."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_STARTS = 30.0
STABLE = 1
"""Seconds without a new instance after which Orthanc calls a study stable."""


def program() -> str:
    """Return the path of Orthanc.

    Raises:
        RuntimeError: It is not installed.
    """
    found = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")
    if found is None or not PLUGIN.exists():
        raise RuntimeError("Orthanc is missing; type: apt-get install orthanc orthanc-dicomweb")
    return found


@dataclass
class Orthanc:
    """One Orthanc.

    Args:
        folder: Where its database and files are.
        users: User → password; without any, everyone may ask.
        overwrite: Whether an instance that is stored again replaces the first.
    """

    folder: Path
    users: dict[str, str] = field(default_factory=dict)
    overwrite: bool = True
    port: int = field(init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Choose a port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def url(self) -> str:
        """The root of its REST API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def dicomweb(self) -> str:
        """Its address as a DICOMweb archive."""
        return f"dicomweb+{self.url}/dicom-web"

    @property
    def address(self) -> str:
        """Its address as an Orthanc."""
        return f"orthanc+{self.url}/dicom-web"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "orthanc.json"
        settings.write_text(json.dumps(self._settings()))
        self._process = subprocess.Popen(
            [program(), str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + _STARTS
        while time.monotonic() < until:
            try:
                if requests.get(f"{self.url}/system", timeout=5, auth=self.login).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("Orthanc does not start")

    def _settings(self) -> dict[str, Any]:
        return {
            "Name": "tests",
            "StorageDirectory": str(self.folder),
            "IndexDirectory": str(self.folder),
            "HttpPort": self.port,
            "DicomServerEnabled": False,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": bool(self.users),
            "RegisteredUsers": self.users,
            "StableAge": STABLE,
            "OverwriteInstances": self.overwrite,
            "Plugins": [str(PLUGIN)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
        }

    @property
    def login(self) -> tuple[str, str] | None:
        """What lets the tests in."""
        return next(iter(self.users.items()), None)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, by default in order."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_STARTS)
            self._process = None

    def put(self, objects: Iterable[bytes]) -> list[str]:
        """Store objects; return Orthanc's identifier of each, empty for one that it refuses."""
        with requests.Session() as session:
            session.auth = self.login
            answers = [
                session.post(f"{self.url}/instances", data=one, timeout=30) for one in objects
            ]
        return [one.json()["ID"] if one.ok else "" for one in answers]

    def ask(self, path: str, method: str = "GET") -> Any:  # noqa: ANN401 - any JSON
        """Return what its REST API answers."""
        answer = requests.request(method, f"{self.url}{path}", timeout=30, auth=self.login)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def clear(self) -> None:
        """Delete every patient, and so everything."""
        for one in self.ask("/patients"):
            self.ask(f"/patients/{one}", "DELETE")

    def delete(self, level: str, uid: str) -> None:
        """Delete what has a UID.

        Args:
            level: `Study`, `Series` or `Instance`.
            uid: Its UID.
        """
        keyword = {"Study": "StudyInstanceUID", "Series": "SeriesInstanceUID"}
        query = {"Level": level, "Query": {keyword.get(level, "SOPInstanceUID"): uid}}
        found = requests.post(f"{self.url}/tools/find", json=query, timeout=30, auth=self.login)
        plural = {"Study": "studies", "Series": "series", "Instance": "instances"}[level]
        for one in found.json():
            self.ask(f"/{plural}/{one}", "DELETE")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
