"""multipart/related is read strictly, and within limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidfhir.gateway.answers import Refused
from deidfhir.gateway.media import MediaType, accepted, media_type
from deidfhir.gateway.multipart import parts_of


def parts(body: bytes, boundary: str = "b", most: int = 10) -> list[tuple[str, bytes]]:
    """Return form and content of each part."""
    form = MediaType("multipart/related", {"boundary": boundary, "type": "application/dicom"})
    return [(one.form.name, one.content) for one in parts_of(body, form, most)]


def test_parts_are_what_stands_between_the_boundaries() -> None:
    first = b"before\r\n--b\r\nContent-Type: a/x; y=1\r\n\r\none"
    body = first + b"\r\n--b \t\r\n\r\n\r\n\r\n--b--\r\nafter"
    assert parts(body) == [("a/x", b"one"), ("application/dicom", b"\r\n")]


def test_an_empty_part_has_no_content() -> None:
    assert parts(b"--b\r\n\r\n\r\n--b--") == [("application/dicom", b"")]


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_whatever_is_sent_in_parts_comes_back(contents: list[bytes]) -> None:
    mark = b"--long-enough-not-to-be-drawn"
    sent = b"".join(mark + b"\r\nContent-Type: a/x\r\n\r\n" + one + b"\r\n" for one in contents)
    found = parts(sent + mark + b"--", mark[2:].decode())
    assert found == [("a/x", one) for one in contents]


@given(st.binary(max_size=200), st.sampled_from(["b", "", "ä", "a" * 71, "a ", "\r\n"]))
def test_whatever_is_sent_is_read_or_refused(body: bytes, boundary: str) -> None:
    try:
        parts(body.replace(b"X", b"\r\n--b\r\n"), boundary)
    except Refused as refusal:
        assert refusal.status in (400, 413, 415)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--c--",
        b"--b\r\n\r\nno end",
        b"--b",
        b"--b\n\nx\n--b--",
        b"--b x\r\n\r\n\r\n--b--",
        b"--b\r\nContent-Type a/x\r\n\r\n\r\n--b--",
        b"--b\r\nA: x\r\nA: y\r\n\r\n\r\n--b--",
        b"--b\r\nA: " + b"x" * 9000 + b"\r\n\r\n\r\n--b--",
        b"--b\r\nno head\r\n--b--",
    ],
)
def test_what_is_broken_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as found:
        parts(body)
    assert found.value.findings[0].code == "multipart-broken"


def test_a_part_that_is_encoded_or_of_no_type_is_refused() -> None:
    for head in (b"Content-Transfer-Encoding: base64", b"Content-Type: x"):
        with pytest.raises(Refused) as found:
            parts(b"--b\r\n" + head + b"\r\n\r\nx\r\n--b--")
        assert found.value.findings[0].code == "content-not-supported"


def test_more_parts_than_the_limit_are_refused() -> None:
    body = b"--b\r\n\r\nx\r\n" * 3 + b"--b--"
    assert len(parts(body, most=3)) == 3
    with pytest.raises(Refused) as found:
        parts(body, most=2)
    assert found.value.findings[0].code == "parts-too-many"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Application/DICOM", ("application/dicom", {})),
        (' a/b ; C="d\\"e" ;f=g; ', ("a/b", {"c": 'd"e', "f": "g"})),
        ("a/b;", ("a/b", {})),
        ("a/b; c=1; c=1", ("a/b", {"c": "1"})),
        ("a/b; c=1; c=2", None),
        ("a", None),
        ("a/b c", None),
        ('a/b; c="d', None),
        ("a/b" + ";" * 1000, None),
    ],
)
def test_a_media_type_is_read_as_http_writes_it(header: str, expected: object) -> None:
    assert media_type(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "a/b"),
        ("*/*", "a/b"),
        ("a/c", "a/c"),
        ("a/*;q=0.1, a/c;q=0.2", "a/c"),
        ("a/b;q=0, */*", "a/c"),
        ("a/b;q=2", None),
        ("x/y", None),
        ("nonsense", None),
    ],
)
def test_the_answer_is_what_the_client_likes_most(header: str, expected: str | None) -> None:
    assert accepted(header, ("a/b", "a/c")) == expected
