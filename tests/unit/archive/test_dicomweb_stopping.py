"""A run that is to end does so, however long an archive takes."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler

import pytest

from deidfhir.archive.archive import Query
from deidfhir.archive.opening import Opening, open_archive
from deidfhir.errors import RetriableError
from deidfhir.pipeline.archives import ArchiveSource
from tests.integration.listener import Sent

from .test_dicomweb_faults import LIST, Web, address, listed, objects

STUDIES, SERIES = 12, 30


class Slow(Web):
    """Takes a while, or for ever, to tell what objects state."""

    takes, at_once, most = 0.0, 0, 0

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Answer a request."""
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        if "/metadata" in sent.path:
            self.closing.wait(self.takes)
        self.at_once -= 1
        super().answer(request, sent, content)

    def fill(self) -> None:
        """Hold studies of many series."""
        self.says(LIST, [listed("0020000D", f"1.2.{one}", SERIES) for one in range(STUDIES)])
        (made, _) = objects()
        for study in (f"1.2.{one}" for one in range(STUDIES)):
            series = [f"{study}.{one}" for one in range(SERIES)]
            self.says(f"/studies/{study}/series", [listed("0020000E", one) for one in series])
            for one in series:
                tags = {"0020000D": study, "0020000E": one, "00080018": f"{one}.1"}
                stated = {tag: {"vr": "UI", "Value": [uid]} for tag, uid in tags.items()}
                self.says(f"/studies/{study}/series/{one}/metadata", [made | stated])


@pytest.mark.parametrize("takes", [0.05, 60])
def test_a_run_that_is_to_end_waits_for_no_study(takes: float) -> None:
    with Slow() as web:
        web.fill()
        web.takes = takes
        archive = open_archive(address(web), Opening())
        begun = time.monotonic()

        def tell(_: int) -> None:
            if time.monotonic() > begun + 0.3:
                raise RetriableError("deadline-over")

        with pytest.raises(RetriableError):
            ArchiveSource(archive, str, Query()).read(tell, 1)
        assert time.monotonic() < begun + 2
        time.sleep(0.3)
        asked = len(web.log)
        time.sleep(0.3)
        assert len(web.log) == asked  # nor is anything asked behind its back


def test_so_many_are_asked_at_a_time_as_there_are_connections() -> None:
    with Slow() as web:
        web.fill()
        web.takes = 0.002
        archive = open_archive(address(web), Opening(connections=3))
        reading = ArchiveSource(archive, str, Query()).read(lambda _: None, 1)
        assert reading.instances == STUDIES * SERIES
        assert web.most == 3
