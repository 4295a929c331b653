"""One sync at a time to one target."""

from __future__ import annotations

import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from deidfhir.errors import FatalError, RetriableError
from deidfhir.sync.lease import lease

HELD = "{} is syncing to this target already: run the same command again when it is done"
HOLD = """
import sys, time
from pathlib import Path
from deidfhir.sync.lease import lease
with lease((Path(sys.argv[1]),), "process 1 on there"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return where the lease is to be."""
    return tmp_path / "state" / "one.lease"


def test_a_second_is_told_who_holds_it_until_it_is_given_back(place: Path) -> None:
    with lease((place,), "process 1 on here"):
        with pytest.raises(RetriableError) as caught, lease((place,), "process 2"):
            pass
        assert str(caught.value) == HELD.format("process 1 on here")
        assert caught.value.code == "target-held"
    with lease((place,), "process 2"):
        assert place.read_text() == "process 2"
    assert place.read_text() == ""


def test_a_gateway_that_holds_it_is_waited_for(place: Path) -> None:
    slept: list[float] = []
    with ExitStack() as gateway:
        gateway.enter_context(lease((place,), "a gateway, process 1"))

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 20:
                gateway.close()

        with lease((place,), "process 2", sleep):
            assert place.read_text() == "process 2"
    assert len(slept) == 20


def test_a_gateway_that_does_not_give_it_back_is_not_waited_for_longer_than_ten_seconds(
    place: Path,
) -> None:
    slept: list[float] = []
    with (
        lease((place,), "a gateway, process 1"),
        pytest.raises(RetriableError) as caught,
        lease((place,), "process 2", slept.append),
    ):
        pass
    assert str(caught.value) == HELD.format("a gateway, process 1")
    assert sum(slept) == pytest.approx(10)


def test_it_is_for_the_owner_alone(place: Path) -> None:
    with lease((place,), "x"):
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_a_holder_that_was_killed_holds_it_no_more(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RetriableError) as caught, lease((place,), "x"):
            pass
        assert str(caught.value) == HELD.format("process 1 on there")
        holder.kill()
    with lease((place,), "process 2 with a longer name"):
        assert place.read_text() == "process 2 with a longer name"


def test_a_holder_that_says_nothing_is_another_process(place: Path) -> None:
    with lease((place,), ""):
        with pytest.raises(RetriableError) as caught, lease((place,), "x"):
            pass
        assert str(caught.value) == HELD.format("another process")


def test_the_first_place_that_can_be_written_counts(place: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    unusable = tmp_path / "file" / "one.lease"
    with lease((unusable, place), "x"):
        assert place.read_text() == "x"
    with pytest.raises(FatalError) as caught, lease((unusable,), "x"):
        pass
    assert (caught.value.code, caught.value.details) == ("journal-unusable", {"path": unusable})


def test_a_lease_is_held_even_where_nothing_can_be_written_into_its_file(place: Path) -> None:
    place.parent.mkdir(parents=True)
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)){HOLD}"
    with subprocess.Popen([sys.executable, "-c", full, place], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RetriableError) as caught, lease((place,), "process 2"):
            pass
        holder.kill()
    assert str(caught.value) == HELD.format("another process")
