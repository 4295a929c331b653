"""The count of canaries at the end of a run, and what the tests of this folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.privacy.holding import COUNT

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say how many canaries were planted, found where they may be, and found elsewhere."""
    if COUNT["outputs"]:
        terminalreporter.write_line(
            "canaries: {planted} looked for in {outputs} outputs, {found} found where the "
            "allow-list says so, {leaked} elsewhere".format_map(COUNT)
        )


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give a key of a site."""
    path = tmp_path_factory.mktemp("key") / "site.key"
    path.write_bytes(bytes(range(64)))
    return str(path)
