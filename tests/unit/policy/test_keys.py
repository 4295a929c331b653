"""Keys: what is made with one, and that it never shows."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from deidfhir.errors import UsageError
from deidfhir.policy.keys import Key, load_key

SECRET = b"abcdefghijklmnopqrstuvwxyz-secret"


def test_a_digest_is_hmac_sha_256() -> None:
    # RFC 4231 4.3, test case 2, with its short key: the algorithm is the standard's.
    found = Key(b"Jefe").digest("what do ya want for nothing?")
    assert found.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_a_key_shows_in_no_form_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    path.write_bytes(SECRET + b"\n")
    key = load_key(str(path))
    assert key == Key(SECRET)
    told = repr(key) + str(key) + key.fingerprint
    assert SECRET.decode() not in told
    assert SECRET.hex() not in told
    assert pickle.loads(pickle.dumps(key)) == key


def test_only_a_line_end_after_a_longer_key_is_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    for content, secret in (
        (SECRET + b"\r\n", SECRET),
        (SECRET[:31] + b"\n", SECRET[:31] + b"\n"),  # 32 bytes, all of them at random
        (b" " + SECRET, b" " + SECRET),
    ):
        path.write_bytes(content)
        assert load_key(str(path)) == Key(secret)


def test_keys_that_differ_have_other_fingerprints() -> None:
    assert Key(SECRET).fingerprint != Key(SECRET[::-1]).fingerprint
    assert len(Key(SECRET).fingerprint) == 16


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "key-unreadable"),
        (b"short\n", "key-short"),
        (b"", "key-short"),
        (bytes(40), "key-weak"),
        (b"ab" * 40, "key-weak"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_without_its_content(
    tmp_path: Path, content: bytes | None, code: str
) -> None:
    path = tmp_path / "bad.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        load_key(str(path))
    assert raised.value.code == code
    # What cannot be read may be the key itself, given in its place.
    assert (str(path) in str(raised.value)) is (content is not None)
    assert raised.value.__context__ is None
    assert "short\n" not in str(raised.value)
