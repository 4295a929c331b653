"""A stream that cannot be sought in is read by pydicom as a file is, within bounds."""

from __future__ import annotations

import io
import os

import pytest

from deidfhir.dicom.elements import ObjectSkipped
from deidfhir.dicom.held import Held

DATA = bytes(range(256)) * 1000


def held(most: int = 1 << 20, given: int = 100) -> Held:
    """Hold a stream of which something was read."""
    stream = io.BytesIO(DATA)
    return Held(stream.read(given), stream.read, most)


def test_it_reads_and_seeks_as_a_file_does() -> None:
    ours, plain = held(), io.BytesIO(DATA)
    for place, size in ((0, 10), (95, 10), (200_000, 7), (3, 0), (255_990, 100), (300_000, 5)):
        assert ours.seek(place) == plain.seek(place)
        assert ours.read(size) == plain.read(size)
        assert ours.tell() == plain.tell()
    assert ours.seek(-10, os.SEEK_CUR) == plain.seek(-10, os.SEEK_CUR)
    ours.seek(1)
    assert ours.read() == DATA[1:]
    assert ours.read(1) == b""


def test_it_knows_no_end_to_count_from() -> None:
    for place, whence in ((0, os.SEEK_END), (-1, os.SEEK_SET)):
        with pytest.raises(ValueError, match=str(place)):
            held().seek(place, whence)


def test_no_more_is_held_than_may_be() -> None:
    ours = held(most=5000)
    assert len(ours.read(5000)) == 5000
    for size in (1, -1):
        ours.seek(4999)
        with pytest.raises(ObjectSkipped) as caught:
            ours.read(size + 1 if size > 0 else size)
        assert caught.value.code == "object-too-large"
    exact = Held(b"", io.BytesIO(DATA[:5000]).read, 5001)
    assert exact.read() == DATA[:5000]
