"""A JSON array, object by object, whatever pieces it comes in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidfhir.web.jsonarray import objects_in

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one, max_size=3)
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), max_size=5)


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    """Yield bytes in pieces."""
    for start in range(0, len(text), size):
        yield text[start : start + size]


@given(OBJECTS, st.integers(1, 40), st.sampled_from([None, 1]))
def test_whatever_the_pieces_the_objects_are_those_of_the_array(
    objects: list[dict[str, Any]], size: int, indent: int | None
) -> None:
    plain = json.dumps(objects, indent=indent, ensure_ascii=False)
    is_text = not any("\ud800" <= one <= "\udfff" for one in plain)
    text = (plain if is_text else json.dumps(objects, indent=indent)).encode()
    assert list(objects_in(pieces(text, size))) == objects


def test_one_object_alone_is_taken_too_and_nothing_is_none() -> None:
    assert list(objects_in([b' {"a":1}\n'])) == [{"a": 1}]
    assert list(objects_in([])) == []
    assert list(objects_in([b"  \n"])) == []
    assert list(objects_in([b"\xef\xbb\xbf[]"])) == []


@pytest.mark.parametrize(
    "text",
    [
        b"[",
        b"[{}",
        b"[{},",
        b"[{},]",
        b"[{} {}]",
        b"[1]",
        b"[[]]",
        b"3",
        b'"a"',
        b"null",
        b"[{}] {}",
        b"{} []",
        b"{",
        b'[{"a":]',
        b"<html>",
        b"\xff\xfe[",
        b'[{"a":"\xc3',
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_no_array_of_objects_is_no_answer(text: bytes, size: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(objects_in(pieces(text, size)))


def test_what_came_whole_is_given_before_what_is_broken() -> None:
    found = objects_in([b'[{"a":1},{"b":2},', b"oops"])
    assert [next(found), next(found)] == [{"a": 1}, {"b": 2}]
    with pytest.raises(ValueError, match=r"."):
        next(found)
