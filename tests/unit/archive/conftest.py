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


@pytest.fixture(scope="session")
def one_cloud() -> Iterator[SimulatedCloud]:
    """Start a simulated DICOM service of Azure and Google Cloud, once for all tests."""
    with SimulatedCloud() as made:
        yield made


@pytest.fixture
def cloud(one_cloud: SimulatedCloud) -> SimulatedCloud:
    """Give a simulated DICOM service of Azure and Google Cloud."""
    one_cloud.renew()
    return one_cloud


@pytest.fixture(scope="session")
def one_issuer() -> Iterator[TokenService]:
    """Start who issues tokens, once for all tests."""
    with TokenService() as made:
        yield made


@pytest.fixture
def tokens(one_issuer: TokenService) -> TokenService:
    """Give who issues tokens."""
    one_issuer.renew()
    return one_issuer
