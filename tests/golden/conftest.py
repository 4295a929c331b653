"""`pytest tests/golden --update-golden` writes the expected files anew; read the diff."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        default=False,
        help="write the expected files of tests/golden from what the program makes",
    )


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether the expected files are to be written."""
    # Without a default, a run over all tests, which loads this file late, would not know it.
    return bool(request.config.getoption("--update-golden", default=False))
