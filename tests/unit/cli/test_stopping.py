"""SIGINT and SIGTERM while a sync runs."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from deidfhir.cli.stopping import stopping
from deidfhir.errors import RetriableError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline import listing, workers
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNALS = (signal.SIGINT, signal.SIGTERM)
TOLD = "deidfhir: stopping after what is under way; ask again to stop at once\n"


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Give each test the handlers that a process starts with, and take what it leaves."""
    before = {one: signal.getsignal(one) for one in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_and_the_second_interrupts(
    number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    with stopping() as stop:
        assert not stop()
        signal.raise_signal(number)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert capfd.readouterr() == ("", TOLD)


def test_the_handlers_are_given_back() -> None:
    with stopping():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with stopping() as stop:
        signal.raise_signal(signal.SIGINT)
        assert not stop()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_reading_ends_after_the_files_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_FEW", 2)
    monkeypatch.setattr(workers, "_MANY", 2)
    monkeypatch.setattr(listing, "LARGEST", 1)
    for number in range(1, 7):
        write(instance(number), tmp_path / f"{number}.dcm")
    told: list[int] = []
    options = RunOptions(
        Files((tmp_path,)),
        MappingContext(),
        progress=lambda _, count, __: told.append(count),
        stop=lambda: "interrupted" * (len(told) == 2),
    )
    with pytest.raises(RetriableError) as caught:
        options.read()
    assert (caught.value.code, told) == ("interrupted", [2, 4])
