"""The routes that need a target, where a real one cannot be made to do what is tried here."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from deidfhir.gateway import syncing, targeted
from deidfhir.gateway.deciding import Deciding
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.limits import Limits
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.deciding import Decider, Question
from deidfhir.pipeline.intake import Crowded, Intake
from deidfhir.pipeline.judging import Decision
from deidfhir.pipeline.targets import TargetOptions
from tests.synthetic.objects import instance
from tests.unit.gateway.asking import DICOM, DICOM_JSON, asked, codes, part10

OBJECT = part10(instance(1, 1, 1, PatientIdentityRemoved="YES"))


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """Give a gateway whose target is a folder."""
    where = TargetOptions(str(tmp_path / "fhir"), tmp_path / "journal")
    return Gateway(MappingContext(), target=where)


def test_where_too_much_waits_nothing_more_is_taken(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(*_: object) -> None:
        raise Crowded

    monkeypatch.setattr(Intake, "put", put)
    with asked(gateway) as client:
        answer = client.post("/sync", content=OBJECT, headers=DICOM)
    assert (answer.status_code, codes(answer)) == (429, ["sync-crowded"])
    assert answer.headers["retry-after"] == "1"


def test_a_unit_at_which_the_program_breaks_has_failed_and_the_next_is_done(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    gateway.tell = said.append

    def stating(*_: object) -> Any:  # noqa: ANN401
        def run(_: object) -> None:
            raise ZeroDivisionError("PatientName=DOE")

        return run

    monkeypatch.setattr(targeted, "stating", stating)
    with asked(gateway) as client:
        answer = client.post("/sync?wait=20", content=OBJECT, headers=DICOM)
        assert (answer.status_code, codes(answer)) == (500, ["gateway-failed"])
        unit = client.get(answer.headers["location"]).json()
    assert (unit["state"], unit["findings"]) == ("failed", [])
    (line,) = said
    assert "ZeroDivisionError" in line
    assert "DOE" not in line + answer.text


def test_what_is_kept_of_a_unit_is_bounded_and_what_refuses_it_is_kept_first(
    gateway: Gateway,
) -> None:
    odd = [instance(one, 1, 1, PatientIdentityRemoved="YES") for one in range(2, 150)]
    for one in odd:
        one.InstanceNumber = [1, 2]
    refused = instance(1, 1, 1, PatientIdentityRemoved="NO")
    objects = [one.to_json_dict() for one in (*odd, refused)]
    with asked(gateway) as client:
        answer = client.post("/sync?wait=30", content=json.dumps(objects), headers=DICOM_JSON)
        assert (answer.status_code, codes(answer)[0]) == (422, "not-accepted")
        unit = client.get(answer.headers["location"]).json()
    assert unit["state"] == "refused"
    assert len(unit["findings"]) == len(codes(answer)) == 100


def test_a_gateway_that_ends_takes_nothing_more(gateway: Gateway) -> None:
    with asked(gateway) as client:
        client.portal.call(gateway.drain)  # type: ignore[union-attr]
        answer = client.post("/sync", content=OBJECT, headers=DICOM)
    assert (answer.status_code, codes(answer)) == (503, ["gateway-draining"])


def test_a_target_that_does_not_answer_does_not_keep_the_gateway_from_ending(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    gateway.tell, gateway.limits = said.append, Limits(draining=0.1)
    begun, let_go = threading.Event(), threading.Event()

    def stating(*_: object) -> Any:  # noqa: ANN401
        def run(_: object) -> dict[str, object]:
            begun.set()
            let_go.wait(20)
            return {}

        return run

    monkeypatch.setattr(targeted, "stating", stating)
    monkeypatch.setattr(syncing, "_GRACE", 0.1)
    with asked(gateway) as client:
        assert client.post("/sync", content=OBJECT, headers=DICOM).status_code == 202
        assert begun.wait(20)
        ending = time.monotonic()
    took = time.monotonic() - ending
    let_go.set()
    assert took < 10
    assert said == ["1 units were not stated: they must be sent again"]


class Slow(Decider):
    """Does not decide before it is let go."""

    let_go = threading.Event()

    def decide(self, question: Question | None) -> Decision:
        """Wait."""
        self.let_go.wait(20)
        return Decision("removed") if question else Decision("question")


class Broken(Decider):
    """Breaks."""

    def decide(self, question: Question | None) -> Decision:
        """Break."""
        raise ZeroDivisionError(question)


async def decided(decider: Decider, count: int = 1) -> list[Decision]:
    """Ask several times at once."""
    deciding = Deciding(decider)
    found = await asyncio.gather(*(deciding._decision(Question(uid="1.2")) for _ in range(count)))
    await deciding.stop()
    return found


def test_what_takes_too_long_or_breaks_or_is_too_much_refuses() -> None:
    where = TargetOptions("http://127.0.0.1:1/fhir")
    slow = Slow(where, MappingContext(), timeout=0.1)
    try:
        found = asyncio.run(decided(slow, 70))
    finally:
        Slow.let_go.set()
    assert {(one.reason, one.detail) for one in found} == {
        ("unreachable", "gateway-slow"),
        ("unreachable", "gateway-crowded"),
    }
    assert sum(one.detail == "gateway-crowded" for one in found) == 6
    (broken,) = asyncio.run(decided(Broken(where, MappingContext())))
    assert (broken.reason, broken.is_allowed) == ("unreachable", False)
