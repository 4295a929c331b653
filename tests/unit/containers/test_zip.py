"""Members of zip files: whatever the file says of itself, and however it lies."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib

import pytest

from tests.synthetic.packing import zip_of
from tests.unit.containers.reading import given, limits

FILES = [("a/1.dcm", b"one" * 900), ("a/2.dcm", b""), ("3", bytes(range(256)) * 10)]
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGED, LIMIT, REFUSED = "container-damaged", "container-limit", "container-member-refused"


def read(data: bytes, **options: int) -> object:
    return given("x.zip", data, limits(**options))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("streamed", [False, True])
def test_members_are_given_in_the_order_of_the_directory(method: int, *, streamed: bool) -> None:
    assert read(zip_of(FILES, method, streamed=streamed)) == FILES


@pytest.mark.parametrize("method", METHODS)
def test_of_a_member_no_more_is_unpacked_than_is_asked_for(method: int) -> None:
    data = zip_of([("big", bytes(1 << 20)), ("next", b"n")], method)
    assert given("x.zip", data, limits(ratio=0), most=10) == [("big", bytes(10)), ("next", b"n")]


def test_folders_are_no_members() -> None:
    assert read(zip_of([("a/", b""), ("a/b", b"x")])) == [("a/b", b"x")]


def test_what_lies_before_the_zip_file_is_passed_over() -> None:
    assert read(b"a program that unpacks it" + zip_of(FILES)) == FILES


def test_a_comment_may_hold_what_looks_like_an_end() -> None:
    data = zip_of(FILES)
    comment = b"PK\5\6" + bytes(30)
    assert read(data[:-2] + struct.pack("<H", len(comment)) + comment) == FILES


def zip64(data: bytes) -> bytes:
    """Give a zip file of one member the long forms of its sizes, offset and end."""
    name_length = struct.unpack_from("<H", data, 26)[0]
    directory = data.rindex(b"PK\1\2")
    packed, size = struct.unpack_from("<II", data, directory + 20)
    entry = bytearray(data[directory : directory + 46 + name_length])
    extra = struct.pack("<HHQQQ", 1, 24, size, packed, 0)
    struct.pack_into("<II", entry, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", entry, 30, len(extra))
    struct.pack_into("<I", entry, 42, 0xFFFFFFFF)
    whole = data[:directory] + bytes(entry) + extra
    length = len(entry) + len(extra)
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, length, directory)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, directory + length, 1)
    full = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return whole + end64 + locator + full


def test_zip64_is_read() -> None:
    data = zip64(zip_of(FILES[:1]))
    assert read(data) == FILES[:1]
    at = data.index(b"PK\6\6")
    assert read(data[:at] + b"XX" + data[at + 2 :]) == [("", DAMAGED)]


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x.dcm", "a/../../x.dcm", "C:/x.dcm", "c:x", "a\0b", "\\x", "..\\x", "a\n"],
)
def test_a_name_that_leads_out_or_is_none_is_refused(name: str) -> None:
    # `zipfile` itself writes no NUL: it is put where another character was.
    data = zip_of([(name.replace("\0", "N"), b"x")])
    if "\0" in name:
        data = data.replace(b"aNb", b"a\0b")
    (found,) = given("x.zip", data)
    assert found[1] == REFUSED
    assert "\0" not in found[0]
    assert "\n" not in found[0]


@pytest.mark.parametrize("name", ["a/./b//c", "a\\b.dcm", "ä/ö.dcm", "..a/b..", "a b"])
def test_other_names_are_not_refused(name: str) -> None:
    (found,) = given("x.zip", zip_of([(name, b"x")]))
    assert found == (name.replace("./", "").replace("//", "/"), b"x")


def test_names_in_the_first_code_page_of_zip_files_are_read() -> None:
    data = zip_of([("aXb", b"x")]).replace(b"aXb", b"a\x81b")
    assert given("x.zip", data) == [("aüb", b"x")]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(kind: int) -> None:
    data = bytearray(zip_of([("link", b"/etc/passwd")]))
    at = data.rindex(b"PK\1\2")
    data[at + 5] = 3  # made by Unix
    struct.pack_into("<I", data, at + 38, (kind | 0o644) << 16)
    assert read(bytes(data)) == [("link", REFUSED)]


@pytest.mark.parametrize("flag", [1, 1 << 6, 1 << 13])
def test_an_encrypted_member_is_told(flag: int) -> None:
    data = bytearray(zip_of(FILES[:1]))
    data[data.rindex(b"PK\1\2") + 8] |= flag & 0xFF
    data[data.rindex(b"PK\1\2") + 9] |= flag >> 8
    assert read(bytes(data)) == [("a/1.dcm", "container-encrypted")]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_is_packed_by_another_method_is_told(method: int) -> None:
    assert read(zip_of([*FILES[:1], ("z", b"z")], method)) == [
        ("a/1.dcm", "container-method"),
        ("z", "container-method"),
    ]


def test_of_two_members_of_one_name_the_first_is_read() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zip_of([("a", b"1"), ("b", b"2"), ("./a", b"3"), ("a", b"4")])
    twice = "container-member-twice"
    assert read(data) == [("a", b"1"), ("b", b"2"), ("a", twice), ("a", twice)]


@pytest.mark.parametrize("method", METHODS)
def test_a_member_whose_sum_is_wrong_is_told_and_those_after_it_are_read(method: int) -> None:
    data = bytearray(zip_of(FILES, method, streamed=True))
    at = data.index(b"PK\1\2")
    data[at + 16] ^= 1
    assert read(bytes(data)) == [("a/1.dcm", DAMAGED), *FILES[1:]]


@pytest.mark.parametrize("place", [8, 14, 18, 22, 30])  # method, sum, sizes, name
def test_a_member_whose_own_header_says_something_else_is_told(place: int) -> None:
    data = bytearray(zip_of(FILES))
    data[place] ^= 3
    assert read(bytes(data)) == [("a/1.dcm", DAMAGED), *FILES[1:]]


def test_a_member_that_is_longer_or_shorter_than_told_is_told() -> None:
    for change in (-1, 1):
        data = bytearray(zip_of(FILES, streamed=True))
        at = data.index(b"PK\1\2") + 24
        struct.pack_into("<I", data, at, len(FILES[0][1]) + change)
        assert read(bytes(data)) == [("a/1.dcm", DAMAGED), *FILES[1:]]


@pytest.mark.parametrize("left", [0, 1, 21, 60, -1, -60])
def test_a_file_that_is_cut_gives_nothing(left: int) -> None:
    assert read(zip_of(FILES)[:left]) == [("", DAMAGED)]


def test_a_file_that_goes_on_behind_its_end_gives_nothing() -> None:
    assert read(zip_of(FILES) + b"more") == [("", DAMAGED)]


def test_one_file_of_several_gives_nothing() -> None:
    data = bytearray(zip_of(FILES))
    data[-18] = 1
    assert read(bytes(data)) == [("", DAMAGED)]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_directory_of_another_length_than_told_is_told(count: int) -> None:
    data = bytearray(zip_of(FILES))
    struct.pack_into("<HH", data, len(data) - 14, count, count)
    assert read(bytes(data)) == [("", DAMAGED)]


def overlapping(names: int, kernel: bytes) -> bytes:
    """Return a zip file whose entries all name one member."""
    data = zip_of([("0", kernel)])
    at = data.rindex(b"PK\1\2")
    entry, directory = data[at : at + 47], b""
    for number in range(names):
        directory += entry[:46] + bytes([48 + number])
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, names, names, len(directory), at, 0)
    return data[:at] + directory + end


def test_members_that_begin_at_one_place_are_refused() -> None:
    assert read(overlapping(9, bytes(1000))) == [("", DAMAGED)]


def test_members_that_lie_over_each_other_are_refused() -> None:
    inner = zip_of([("b", b"x" * 50)], zipfile.ZIP_STORED)
    local = inner[: inner.index(b"PK\1\2")]
    whole = zip_of([("a", local), ("c", b"")], zipfile.ZIP_STORED)
    at, directory = whole.index(b"PK\1\2"), bytearray(whole[whole.index(b"PK\1\2") :])
    # The second entry names what lies inside of the first member.
    second = directory.index(b"PK\1\2", 4)
    struct.pack_into("<I", directory, second + 16, zlib.crc32(b"x" * 50))
    struct.pack_into("<II", directory, second + 20, 50, 50)
    struct.pack_into("<I", directory, second + 42, 31)
    directory[second + 46 : second + 47] = b"b"
    assert read(whole[:at] + bytes(directory)) == [("", DAMAGED)]


def test_more_members_than_are_allowed_are_refused_before_any_is_read() -> None:
    assert read(zip_of(FILES), members=2) == [("", LIMIT)]
    assert read(zip_of(FILES), members=3) == FILES


def test_more_bytes_than_are_allowed_are_refused_before_any_is_unpacked() -> None:
    total = sum(len(data) for _, data in FILES)
    assert read(zip_of(FILES), size=total - 1) == [("", LIMIT)]
    assert read(zip_of(FILES), size=total) == FILES


def test_a_bomb_is_refused_where_it_goes_off() -> None:
    bomb = zip_of([("a", b"a"), ("bomb", bytes(80 << 20)), ("c", b"c")])
    assert len(bomb) < 100_000
    assert given("x.zip", bomb) == [("a", b"a"), ("", LIMIT)]
    assert len(given("x.zip", bomb, most=10)) == 3  # nothing is read of it but its beginning
