"""JSON that comes back to the letter, decimals included."""

from __future__ import annotations

import pytest

from deidfhir.sync.numbers import decoded, encoded


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
