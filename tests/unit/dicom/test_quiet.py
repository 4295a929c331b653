"""pydicom is silent while it decodes for us, in every thread, and afterwards speaks as before."""

from __future__ import annotations

import logging
import threading
import warnings

import pytest
from pydicom import config

from deidfhir.dicom.quiet import quiet

LOG = logging.getLogger("pydicom")


def test_what_is_logged_and_warned_inside_is_dropped_and_outside_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with quiet():
        LOG.warning("inside")
        warnings.warn("inside", stacklevel=1)
        with quiet():
            LOG.warning("deeper")
        LOG.warning("still inside")
    LOG.warning("outside")
    assert [one.message for one in caplog.records] == ["outside"]
    with pytest.warns(UserWarning, match="outside"):
        warnings.warn("outside", stacklevel=1)


def test_another_thread_may_log_what_it_likes(caplog: pytest.LogCaptureFixture) -> None:
    entered, spoken = threading.Event(), threading.Event()

    def decode() -> None:
        with quiet():
            entered.set()
            spoken.wait(5)
            LOG.warning("ours")

    thread = threading.Thread(target=decode)
    thread.start()
    entered.wait(5)
    LOG.warning("the host's")
    spoken.set()
    thread.join()
    assert [one.message for one in caplog.records] == ["the host's"]
    assert not LOG.disabled


def test_two_threads_take_turns() -> None:
    inside: list[int] = []
    together: list[int] = []

    def decode() -> None:
        for _ in range(200):
            with quiet():
                inside.append(1)
                together.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=decode) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert set(together) == {1}
    assert warnings.filters


def test_the_host_s_validation_is_its_own_again_afterwards() -> None:
    before = config.settings.reading_validation_mode
    with quiet():
        assert config.settings.reading_validation_mode == config.IGNORE
    assert config.settings.reading_validation_mode == before
