"""Whatever fails, no error, log, report or journal quotes what was read or what a server says."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom.config
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from deidfhir import DeidFhirError, MappingContext, map_dataset, read_back, studies_from_json
from deidfhir.fhir.check import check_whole
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import fhir_version
from tests.integration.fake import FakeServer, Reply, accepted, outcome
from tests.privacy.allowed import Case
from tests.privacy.holding import full, hold, hold_at_most
from tests.synthetic.canaries import canaries_in, json_of, write_planted
from tests.synthetic.objects import tag_of

if TYPE_CHECKING:
    from tests.conftest import Cli

MADE, CANARIES = full(Case().markers())
# What a server or a library could quote: every planted value at once.
QUOTED = " ".join(needle for one in CANARIES for needle in one.needles)


@pytest.fixture(autouse=True)
def debugging(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let every library tell all that it ever would."""
    caplog.set_level(logging.DEBUG)
    pydicom.config.debug(debug_on=True, default_handler=False)
    yield
    pydicom.config.debug(debug_on=False)


@pytest.fixture
def silent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Callable[..., None]:
    """Assert that no value is in some texts, the log, the journals or names of files."""

    def check(*texts: str) -> None:
        journals = [one for one in (tmp_path / "home").rglob("*") if one.is_file()]
        stored = [one.read_bytes().decode("latin-1") for one in journals]
        names = [one.name for one in tmp_path.rglob("*")]
        hold(CANARIES, "\n".join([*texts, caplog.text, *stored, *names]), ())

    return check


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Write one object."""
    write_planted(MADE, tmp_path / "in" / "1.dcm")
    return tmp_path / "in"


BODIES: dict[str, JsonObject | bytes] = {
    "outcome": outcome(QUOTED, code=QUOTED),
    "details": {"resourceType": "OperationOutcome", "issue": [{"details": {"text": QUOTED}}]},
    "text": QUOTED.encode(),
    "nothing": b"",
    "paths and codes": {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "details": {"coding": [{"code": QUOTED}, {"code": "doe-john"}]},
                "expression": [QUOTED, f"ImagingStudy.where(id='{QUOTED}')", "doe-john.uid"],
                "location": [QUOTED],
                "diagnostics": f'HAPI-1821: [element="{QUOTED}"] in path: {QUOTED}',
            }
        ],
    },
    "a word as a code": outcome(code="doe-john-born-feb"),
    "a name as a version": {"resourceType": "CapabilityStatement", "fhirVersion": QUOTED},
    "another resource": {"resourceType": QUOTED[:60], "id": QUOTED[:40], "fhirVersion": QUOTED},
}
LEGS = ("metadata", "search", "transaction")
STATUSES = (200, 302, 400, 401, 404, 409, 412, 413, 422, 429, 500, 503)
ANSWERS = [(status, "outcome") for status in STATUSES]
ANSWERS += [(status, body) for status in (200, 400) for body in BODIES if body != "outcome"]


def observed(place: Path) -> tuple[object, ...]:
    """Return options that write files below home, where every file is looked through."""
    home = place / "home"
    home.mkdir(exist_ok=True)
    return ("--metrics", home / "m.prom", "--log", home / "log")


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize(("status", "body"), ANSWERS)
def test_what_a_server_says_is_never_quoted(  # noqa: PLR0917 - what pytest gives
    cli: Cli,
    archive: Path,
    tmp_path: Path,
    silent: Callable[..., None],
    status: int,
    body: str,
    leg: str,
) -> None:
    headers = {"Location": f"/{CANARIES[0].needles[0]}", "Retry-After": "9" + QUOTED[:30]}
    with FakeServer() as server:
        setattr(server, leg, lambda _: Reply(status, BODIES[body], headers))
        to = ("--to", server.url, "--timeout", "0.7", *observed(tmp_path))
        for command in ("sync", "verify"):
            run = cli(command, archive, *to, "--json")
            assert "doe-john" not in run.err + run.out
            silent(run.err, *([] if leg == "search" and status == 200 else [run.out]))
            assert "Traceback" not in run.err
            if run.code in (1, 5):
                break  # the leg that fails both alike


@pytest.mark.parametrize("status", [400, 410, 413, 422])
@pytest.mark.parametrize("body", ["outcome", "details", "paths and codes", "a word as a code"])
def test_what_is_set_aside_quotes_neither_the_server_nor_the_study(  # noqa: PLR0917 - what pytest gives
    cli: Cli, archive: Path, tmp_path: Path, silent: Callable[..., None], status: int, body: str
) -> None:
    files = observed(tmp_path)
    with FakeServer() as server:
        server.transaction = lambda sent: (
            Reply(status, BODIES[body]) if "ImagingStudy" in str(sent.body) else accepted(sent)
        )
        assert cli("sync", archive, "--to", server.url, "--json", *files).code == 3
        assert '"event": "set-aside"' in (tmp_path / "home" / "log").read_text("utf-8")
        told = [cli("dead", "list", "--to", server.url), cli("sync", archive, "--to", server.url)]
        for action in ("show", "drop", "retry"):
            told += [
                cli("dead", action, "--all", "--to", server.url, *form)
                for form in ((), ("--json",))
            ]
        # The last of them finds nothing any more.
        assert [bool(run.out) for run in told] == [True] * 8
        for run in told:
            assert "doe-john" not in run.out + run.err
            silent(run.out, run.err)


def spread(end: int, parts: int) -> list[int]:
    return [132 + number * (end - 132) // parts for number in range(parts)]


def test_files_that_are_cut_show_nothing(
    cli: Cli, archive: Path, tmp_path: Path, silent: Callable[..., None]
) -> None:
    whole = (archive / "1.dcm").read_bytes()
    (archive / "1.dcm").unlink()
    for end in spread(len(whole), 40):
        (archive / f"{end}.dcm").write_bytes(whole[:end])
    text = json.dumps(json_of(MADE))
    for end in spread(len(text), 20):
        (archive / f"{end}.json").write_text(text[:end])
    run, shown = cli("sync", archive, "--to", tmp_path / "out", "--json"), cli("show", archive)
    assert (run.code, shown.code) == (3, 3)
    silent(run.err, run.out, shown.err)
    hold_at_most(CANARIES, shown.out, Case().allowed)


BROKEN: dict[str, Callable[[JsonObject], object]] = {
    "a value that is an object": lambda one: one["00120063"].update(Value=[{"x": QUOTED}]),
    "a value that is no list": lambda one: one["00120064"].update(Value=QUOTED),
    "binary that is none": lambda one: one["00120063"].update(Value=None, InlineBinary=QUOTED),
    "an element that is a text": lambda one: one.update({"00120063": QUOTED}),
    "a UID that is none": lambda one: one["0020000D"].update(Value=[QUOTED]),
    "no UID": lambda one: one.pop("00080018"),
}


def chained(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that stand behind it, shown or not."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        seen.append(one)
        waiting += [each for each in (one.__cause__, one.__context__) if each and each not in seen]
    yield from seen


def told_by(error: BaseException) -> str:
    """Return all that an error and those behind it hold."""
    texts = ["".join(traceback.format_exception(error))]
    for one in chained(error):
        texts += [str(one), repr(one), repr(one.args), repr(vars(one))]
        if isinstance(one, DeidFhirError):
            texts.append(pickle.dumps(one).decode("latin-1"))
    return "\n".join(texts)


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_an_exception_about_dicom_json_holds_no_value(
    change: Callable[[JsonObject], object], silent: Callable[..., None]
) -> None:
    broken = json_of(MADE)
    change(broken)
    with pytest.raises(DeidFhirError) as raised:
        list(studies_from_json([broken]))
    silent(told_by(raised.value))


def test_an_exception_about_a_data_set_holds_no_value(silent: Callable[..., None]) -> None:
    made, _ = full(Case().markers())
    tag = int(tag_of("StudyInstanceUID"))
    made[tag] = RawDataElement(BaseTag(tag), "SQ", 8, QUOTED.encode(), 0, False, True)  # noqa: FBT003
    with pytest.raises(DeidFhirError) as raised:
        map_dataset(made)
    silent(told_by(raised.value))


@pytest.mark.parametrize("state", ["not removed", "absent", "burned in"])
def test_a_refusal_holds_no_value(state: str, silent: Callable[..., None]) -> None:
    made, _ = full(Case(state).markers())
    with pytest.raises(DeidFhirError) as raised:
        map_dataset(made, MappingContext())
    silent(told_by(raised.value))


def test_an_exception_about_a_resource_that_is_wrong_holds_no_value(
    silent: Callable[..., None],
) -> None:
    for wrong in ({"status": QUOTED, "subject": 7}, {"series": [{"uid": [QUOTED]}]}):
        with pytest.raises(DeidFhirError) as raised:
            check_whole({"resourceType": "ImagingStudy", **wrong}, fhir_version("R4"))
        silent(told_by(raised.value))


def test_an_exception_about_fhir_that_cannot_be_read_back_holds_no_value(
    silent: Callable[..., None],
) -> None:
    markers = {"url": "x/StructureDefinition/deidentification-markers"}
    for slot in (
        {"url": "method", "valueBase64Binary": "/////w=="},
        {"url": "method", "valueCode": QUOTED},
        {"url": QUOTED, "valueString": QUOTED},
    ):
        study = {
            "resourceType": "ImagingStudy",
            "id": "1",
            "extension": [{**markers, "extension": [slot]}],
            "series": [{"uid": "1.2", "instance": [{"uid": "1.2.3"}]}],
        }
        with pytest.raises(DeidFhirError) as raised:
            read_back([study])
        silent(told_by(raised.value))


def test_the_quotation_holds_every_value() -> None:
    assert canaries_in(CANARIES, QUOTED) == {(one.place, one.keyword) for one in CANARIES}
