"""What names of files and members say."""

from __future__ import annotations

import pytest

from deidfhir.containers.names import container_kind, is_nested, shown


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.zip", "zip"),
        ("A.ZIP", "zip"),
        ("a.tar", "tar"),
        ("a.tgz", "tar"),
        ("a.tar.gz", "tar"),
        ("a.gz", ""),
        ("a.zip.txt", ""),
        (".zip", ""),
        ("zip", ""),
    ],
)
def test_a_container_is_known_by_the_end_of_its_name(name: str, kind: str) -> None:
    assert container_kind(name) == kind


@pytest.mark.parametrize(
    ("name", "head", "nested"),
    [
        ("a.zip", b"", True),
        ("a.TGZ", b"", True),
        ("a.dcm.gz", b"", True),
        ("a", b"PK\3\4", True),
        ("a", b"\x1f\x8b\x08", True),
        ("a", bytes(257) + b"ustar", True),
        ("a", b"PK\3\4" + bytes(124) + b"DICM", False),
        ("report.docx", b"PK\3\4", False),
        ("a", b"text", False),
    ],
)
def test_a_container_in_a_container_is_known_by_name_or_bytes(
    name: str, head: bytes, *, nested: bool
) -> None:
    assert is_nested(name, head) is nested


def test_what_is_no_text_in_a_name_is_shown_escaped() -> None:
    assert shown("./a//b\n\x1b[31m.dcm") == "a/b\\n\\x1b[31m.dcm"
    assert shown("a\udce4\u3000") == "a\udce4\u3000"
