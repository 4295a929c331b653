"""Lines of a stream, however its bytes come."""

from __future__ import annotations

import io

import pytest

from deidfhir.containers import lines
from deidfhir.containers.lines import lines_of


@pytest.mark.parametrize("piece", [1, 2, 3, 64])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"\n\na\r\n", [b"", b"", b"a\r"]),
        (b"123456\n1234567\n12", [b"123456", None, b"12"]),
        (b"1234567890", [None]),
    ],
)
def test_a_line_is_given_without_its_end_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, data: bytes, expected: list[bytes | None], piece: int
) -> None:
    monkeypatch.setattr(lines, "_PIECE", piece)
    assert list(lines_of(io.BytesIO(data).read, 6)) == expected
