"""What the tests of the sync room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deidfhir.sync.journal import Journal


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Give a journal that is forgotten."""
    made = Journal(None)
    yield made
    made.close()
