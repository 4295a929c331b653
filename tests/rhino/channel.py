"""The sample channel of `recipes/mirth`, its scripts run by a real Rhino."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

_RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "mirth" / "channel.xml"
_HARNESS = Path(__file__).with_name("harness.js")
_STEP = "com.mirth.connect.plugins.javascriptstep.JavaScriptStep"


@dataclass(frozen=True)
class Channel:
    """The channel as it is shipped.

    Args:
        folder: For what Rhino is given.
    """

    folder: Path

    @cached_property
    def _destination(self) -> ElementTree.Element:
        root = ElementTree.parse(_RECIPE).getroot()  # noqa: S314 - our own file
        (found,) = root.findall("destinationConnectors/connector")
        return found

    def setting(self, path: str) -> str:
        """Return one setting of its destination."""
        found = self._destination.findtext(path)
        assert found is not None, path
        return found

    def run(self, messages: Iterable[str], gateway: str) -> list[dict[str, Any]]:
        """Send messages through it.

        Args:
            messages: XML, as the data type DICOM makes it.
            gateway: URL of the gateway, in place of the one of the channel.
        """
        rhino = shutil.which("rhino")
        assert rhino, "Rhino is missing: sh tools/setup.sh test installs it"
        files: list[str] = []
        for number, text in enumerate(messages):
            file = self.folder / f"message{number}.xml"
            file.write_text(text, encoding="utf-8")
            files.append(str(file))
        scripts = [str(self._script(one)) for one in ("transformer", "responseTransformer")]
        where = [self._url(gateway), self.setting("properties/contentType")]
        done = subprocess.run(
            [rhino, str(_HARNESS), *scripts, *where, *files],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert done.stderr == ""
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _script(self, place: str) -> Path:
        """Return a file of one of its scripts, to the letter."""
        found = self.folder / f"{place}.js"
        found.write_text(self.setting(f"{place}/elements/{_STEP}/script"), encoding="utf-8")
        return found

    def _url(self, gateway: str) -> str:
        address = self.setting("properties/host")
        prefix = "http://127.0.0.1:8180"
        assert address.startswith(prefix)
        name = self.setting("properties/parameters/entry/string")
        value = self.setting("properties/parameters/entry/list/string")
        return f"{gateway}{address.removeprefix(prefix)}?{name}={value}"
