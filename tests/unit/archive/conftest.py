"""What the tests of cloud archives are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulated.dicomweb import SimulatedCloud
from tests.simulated.healthimaging import SimulatedStore
from tests.simulated.tokens import TokenService


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> SimulatedStore:
    """Give a simulated data store that stands where AWS is."""
    made = SimulatedStore()
    monkeypatch.setattr("deidfhir.archive.aws.client", made.client)
    return made


@pytest.fixture
def cloud() -> Iterator[SimulatedCloud]:
    """Give a simulated DICOM service of Azure and Google Cloud."""
    with SimulatedCloud() as made:
        yield made


@pytest.fixture
def tokens() -> Iterator[TokenService]:
    """Give who issues tokens."""
    with TokenService() as made:
        yield made
