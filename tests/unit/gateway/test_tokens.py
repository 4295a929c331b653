"""The token file: what it takes, and that it is read anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from deidfhir.errors import UsageError
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.tokens import Tokens
from deidfhir.mapping.context import MappingContext
from tests.unit.gateway.asking import asked, codes

FIRST, SECOND = "first-token-of-tests", "second-token-of-tests"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file with one token."""
    path = tmp_path / "tokens"
    path.write_text(f"\n# the archive's\n  {FIRST}  \n")
    path.chmod(0o600)
    return path


def test_a_changed_file_holds_at_once(file: Path) -> None:
    tokens = Tokens(file)
    assert tokens.admits(f"Bearer {FIRST}")
    assert not tokens.admits(f"Bearer {SECOND}")
    file.write_text(f"{SECOND}\n")
    assert not tokens.admits(f"Bearer {FIRST}")
    assert tokens.admits(f"Bearer {SECOND}")


@pytest.mark.parametrize("content", [b"", b"short", b"with space in the middle", b"\xff" * 20])
def test_a_file_that_goes_bad_lets_nobody_in_and_the_gateway_is_not_ready(
    file: Path, content: bytes
) -> None:
    with asked(Gateway(MappingContext(), tokens=Tokens(file))) as client:
        assert client.get("/readyz").status_code == 200
        file.write_bytes(content)
        answer = client.get("/readyz")
        assert (answer.status_code, codes(answer)) == (503, ["gateway-unready"])
        assert (
            client.get("/metrics", headers={"Authorization": f"Bearer {FIRST}"}).status_code == 401
        )
        file.unlink()
        assert client.get("/readyz").status_code == 503
        file.write_text(SECOND)
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"short", b"a b c d e f g h i j k"])
def test_a_file_without_tokens_is_refused_at_the_start(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(UsageError) as found:
        Tokens(file)
    assert found.value.code == "gateway-token-form"
    if content.strip():
        assert content.decode() not in str(found.value)


def test_a_file_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as found:
        Tokens(tmp_path / "none")
    assert found.value.code == "gateway-token-file"


def test_a_file_that_others_may_read_is_known(file: Path) -> None:
    assert not Tokens(file).is_shared
    file.chmod(0o644)
    assert Tokens(file).is_shared
    tokens = Tokens(file)
    file.unlink()
    assert not tokens.is_shared
