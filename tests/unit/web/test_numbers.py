"""JSON that comes back to the letter, decimals included."""

from __future__ import annotations

import pytest

from deidfhir.web.numbers import Number, Spelled, Text, decoded, encoded, spelled


@pytest.mark.parametrize(
    "text", ["1.10", "-0.250", "1E+2", "0.1e-7", "12345678901234567890.5", "7", "-0", "9" * 5000]
)
def test_a_number_is_written_as_it_was_read(text: str) -> None:
    content = f'{{"b":{text},"a":["{text}",{text}]}}'
    assert encoded(decoded(content), separators=(",", ":")) == content


def test_a_text_that_looks_like_a_number_stays_a_text() -> None:
    content = '{"a":"\\u00001.10 and more","b":"1.10"}'
    assert decoded(encoded(decoded(content))) == decoded(content)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        encoded({"a": object()})


def test_half_a_pair_of_surrogates_is_written_as_it_was_read() -> None:
    content = '{"a":"\\ud800b"}'
    assert encoded(decoded(content), separators=(",", ":")) == content


def test_what_was_written_out_before_is_put_where_it_belongs() -> None:
    first, second = Spelled({"a": Number("1.10")}), Spelled({"b": ["\u00e9", "\0"]})
    entries = [{"resource": Text(spelled(one)), "n": Number("2.0")} for one in (first, second)]
    written = encoded({"entry": entries})
    plain = [{"resource": dict(one), "n": Number("2.0")} for one in (first, second)]
    assert written == encoded({"entry": plain})


def test_an_object_that_is_written_out_is_still_the_object() -> None:
    content = {"a": [1, {"b": None}]}
    assert Spelled(content) == content
    assert encoded(Spelled(content)) == spelled(content) == encoded(content)


@pytest.mark.parametrize("text", ["\0", "\0-1"])
def test_a_text_that_no_fhir_server_may_send_breaks_nothing(text: str) -> None:
    assert encoded({"a": text}).startswith('{"a": ')
