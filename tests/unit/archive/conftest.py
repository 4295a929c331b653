"""What the tests of cloud archives are given."""

from __future__ import annotations

import pytest

from tests.simulated.healthimaging import SimulatedStore


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> SimulatedStore:
    """Give a simulated data store that stands where AWS is."""
    made = SimulatedStore()
    monkeypatch.setattr("deidfhir.archive.aws.client", made.client)
    return made
