"""Health, readiness and numbers."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from deidfhir.gateway.gateway import Gateway
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.tables import table
from deidfhir.web.events import Events, Field
from deidfhir.web.timing import Clock
from tests.integration.fake import FakeServer, Reply, capability
from tests.synthetic.objects import instance
from tests.unit.gateway.asking import DICOM, asked, codes, part10

ONE = part10(instance(1, PatientIdentityRemoved="YES"))


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return the numbers as Prometheus' own parser reads them."""
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_it_lives_and_is_ready() -> None:
    with asked() as client:
        assert [client.get(path).text for path in ("/healthz", "/readyz")] == ["ok\n", "ready\n"]
        assert client.head("/healthz").status_code == 200


def test_requests_are_counted_by_route_and_status_and_never_by_their_own_words() -> None:
    with asked() as client:
        for body in (ONE, ONE, b"nothing"):
            client.post("/map?who=DOE", content=body, headers=DICOM)
        client.get("/DOE-JANE")
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = samples(answer.text)
    total = "deidfhir_gateway_requests_total"
    assert found[total, (("route", "/map"), ("status", "200"))] == 2
    assert found[total, (("route", "/map"), ("status", "422"))] == 1
    assert found[total, (("route", "none"), ("status", "404"))] == 1
    assert found["deidfhir_gateway_refused_total", (("finding", "not-dicom"),)] == 1
    count = "deidfhir_gateway_request_duration_seconds_count"
    assert found[count, (("route", "/map"),)] == 3
    assert found["deidfhir_gateway_ready", ()] == 1
    assert found["deidfhir_gateway_requests_under_way", ()] == 0
    assert "DOE" not in answer.text
    assert {name for name, _ in found} <= {
        f"{name}{suffix}" for name in table("metrics.toml") for suffix in _suffixes(name)
    }


def _suffixes(name: str) -> tuple[str, ...]:
    kind = table("metrics.toml")[name]["type"]
    return ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)


def test_each_answer_is_an_event_without_a_word_of_the_request() -> None:
    told: list[tuple[str, dict[str, Field]]] = []
    events = Events(lambda event, fields: told.append((event, dict(fields))))
    with asked(Gateway(MappingContext(), events=events)) as client:
        client.post("/map?who=DOE", content=ONE, headers=DICOM)
        client.post("/map", content=b"", headers=DICOM)
        client.get("/DOE")
    found = [(one["route"], one["status"], one.get("finding")) for _, one in told]
    assert found == [
        ("/map", 200, None),
        ("/map", 400, "body-empty"),
        ("none", 404, "route-unknown"),
    ]
    assert {event for event, _ in told} == {"request-answered"}
    assert "DOE" not in str(told)


def test_with_a_target_it_is_ready_while_that_answers_as_a_fhir_server() -> None:
    now = [0.0]
    with FakeServer() as server:
        options = TargetOptions(server.url, clock=Clock(monotonic=lambda: now[0]))
        with asked(Gateway(MappingContext(), target=options)) as client:
            assert client.get("/readyz").status_code == 200
            asked_so_far = len(server.log)
            assert client.get("/readyz").status_code == 200
            assert len(server.log) == asked_so_far
            server.metadata = lambda _: Reply(body={"resourceType": "Patient"})
            now[0] = 31
            answer = client.get("/readyz")
            assert (answer.status_code, codes(answer)) == (503, ["target-unready"])
            server.metadata = lambda _: Reply(body=capability("4.0.1"))
            assert client.get("/readyz").status_code == 503
            now[0] = 37
            assert client.get("/readyz").status_code == 200


def test_a_folder_is_always_reached(tmp_path: Path) -> None:
    options = TargetOptions(str(tmp_path / "out"))
    with asked(Gateway(MappingContext(), target=options)) as client:
        assert client.get("/readyz").status_code == 200
