"""Members of tar files, packed by gzip or not: read once, from the beginning to the end."""

from __future__ import annotations

import io
import tarfile
import warnings

import pytest

from tests.synthetic.packing import gzip_of, tar_of
from tests.unit.containers.reading import Given, given, limits

LONG = "a/" * 80 + "long.dcm"
FILES = [("a/1.dcm", b"one" * 900), ("2", b""), (LONG, bytes(512)), ("ä", b"4")]
DAMAGED, LIMIT, REFUSED = "container-damaged", "container-limit", "container-member-refused"
FORMS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def read(data: bytes, **options: int) -> Given:
    """Return what a tar file gives, which is the same when it is packed by gzip."""
    plain = given("x.tar", data, limits(**options))
    assert given("x.tgz", gzip_of(data), limits(**options)) == plain
    return plain


@pytest.mark.parametrize("form", FORMS)
def test_members_are_given_in_their_order(form: int) -> None:
    assert read(tar_of(FILES, form)) == FILES


@pytest.mark.parametrize("name", ["x.tar", "x.TGZ", "x.tar.gz"])
def test_whether_gzip_packed_it_the_bytes_say(name: str) -> None:
    assert given(name, tar_of(FILES)) == FILES
    assert given(name, gzip_of(tar_of(FILES))) == FILES


def test_members_need_not_be_read_to_their_end() -> None:
    expected = [(name, data[:10]) for name, data in FILES]
    assert given("x.tar", tar_of(FILES), most=10) == expected
    assert given("x.tgz", gzip_of(tar_of(FILES)), most=10) == expected


def test_gzip_files_that_follow_one_another_are_one() -> None:
    data = tar_of(FILES)
    assert given("x.tgz", gzip_of(data[:1000]) + gzip_of(data[1000:])) == FILES
    assert given("x.tgz", gzip_of(data) + bytes(10_000)) == FILES


def special(kind: bytes, name: str = "link") -> bytes:
    """Return a tar file with a member of some kind before a file."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as made:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        made.addfile(info)
        made.addfile(tarfile.TarInfo("after"))
    return held.getvalue()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(kind: bytes) -> None:
    assert read(special(kind)) == [("link", REFUSED), ("after", b"")]


def test_folders_are_no_members() -> None:
    assert read(special(tarfile.DIRTYPE)) == [("after", b"")]


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "C:/x", "a\nb", "\\x"])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    assert [one[1] for one in read(tar_of([(name, b"x"), ("b", b"y")]))] == [REFUSED, b"y"]


def test_of_two_members_of_one_name_the_first_is_read() -> None:
    found = read(tar_of([("a", b"1"), ("b", b"2"), ("./a", b"3")]))
    assert found == [("a", b"1"), ("b", b"2"), ("a", "container-member-twice")]


def test_a_file_that_is_cut_anywhere_is_told_after_what_is_whole() -> None:
    data = tar_of(FILES[:2])
    whole = [0, 512 + 2700 + 372, 512 + 2700 + 372 + 512]
    for left in range(0, whole[2] + 512, 100):
        expected = FILES[: sum(left >= one for one in whole[1:])]
        found = given("x.tar", data[:left])
        assert found[-1] == ("", DAMAGED), left
        assert found[: len(expected)] == expected, left


def test_a_file_that_ends_between_two_members_is_told() -> None:
    """Nobody could tell that anything is missing, but for the mark of the end."""
    data = tar_of(FILES[:1])
    assert given("x.tar", data[: 512 + 2700 + 372]) == [FILES[0], ("", DAMAGED)]
    assert given("x.tar", data[: 512 + 2700 + 372 + 512]) == [FILES[0]]


def test_what_lies_behind_the_end_is_told() -> None:
    found = read(tar_of(FILES) + tar_of([("hidden", b"x")]))
    assert found == [*FILES, ("", DAMAGED)]


def test_a_header_that_is_none_is_told() -> None:
    data = bytearray(tar_of(FILES))
    data[10] ^= 1
    assert read(bytes(data)) == [("", DAMAGED)]
    second = 512 + 2700 + 372
    data = bytearray(tar_of(FILES))
    data[second] ^= 1
    assert read(bytes(data)) == [FILES[0], ("", DAMAGED)]


@pytest.mark.parametrize("change", [-1, 20, -9])
def test_gzip_that_is_cut_or_whose_sum_is_wrong_is_told(change: int) -> None:
    data = gzip_of(tar_of(FILES))
    if change > 0:
        broken = data[:change] + bytes([data[change] ^ 0x55]) + data[change + 1 :]
    else:
        broken = data[:change]
    assert given("x.tgz", broken)[-1] == ("", DAMAGED)
    damaged = data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]
    assert given("x.tgz", damaged)[-1] == ("", DAMAGED)


def test_what_follows_gzip_and_is_none_is_told() -> None:
    assert given("x.tgz", gzip_of(tar_of(FILES)) + b"more")[-1] == ("", DAMAGED)


@pytest.mark.parametrize("data", [b"", b"text", bytes(511), b"\x1f\x8b"])
def test_what_is_no_tar_file_is_told(data: bytes) -> None:
    assert given("x.tar", data) == [("", DAMAGED)]


def test_an_empty_tar_file_has_no_members() -> None:
    assert read(tar_of([])) == []


def test_more_members_than_are_allowed_are_refused() -> None:
    assert read(tar_of(FILES), members=2) == [*FILES[:2], ("", LIMIT)]
    assert read(tar_of(FILES), members=4) == FILES


def test_more_bytes_than_are_allowed_are_refused() -> None:
    assert read(tar_of(FILES), size=2048)[-1] == ("", LIMIT)


def test_a_bomb_is_refused_where_it_goes_off() -> None:
    bomb = gzip_of(tar_of([("a", b"a"), ("bomb", bytes(80 << 20))]))
    assert len(bomb) < 100_000
    assert given("x.tgz", bomb, most=10)[-1] == ("", LIMIT)
    assert given("x.tgz", bomb, limits(ratio=2000), most=10)[-1] == ("bomb", bytes(10))


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_headers_that_would_fill_the_memory_are_refused(form: int) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=form) as made:
        made.addfile(tarfile.TarInfo("n" * (2 << 20)))
    assert read(held.getvalue()) == [("", LIMIT)]


def test_headers_for_all_members_that_would_fill_the_memory_are_refused() -> None:
    pieces = []
    for number in range(3):
        held = io.BytesIO()
        with tarfile.open(
            fileobj=held,
            mode="w",
            format=tarfile.PAX_FORMAT,
            pax_headers={f"k{number}": "v" * 500_000},
        ) as made:
            made.addfile(tarfile.TarInfo(f"{number}"))
        pieces.append(held.getvalue().rstrip(b"\0"))
        pieces[-1] += bytes(-len(pieces[-1]) % 512)
    assert read(b"".join(pieces) + bytes(1024))[-1] == ("", LIMIT)


def test_a_sparse_file_is_refused() -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as made:
        info = tarfile.TarInfo("sparse")
        info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": "9"}
        info.size = 1
        made.addfile(info, io.BytesIO(b"x"))
    assert read(held.getvalue()) == [("sparse", REFUSED)]


def test_nothing_but_findings_comes_of_any_changed_byte() -> None:
    """Whatever `tarfile` is led to, no error of its own is seen, nor a warning."""
    data = tar_of(FILES[:2], tarfile.PAX_FORMAT) + tar_of([(LONG, b"x")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for place in range(0, 2000, 7):
            for value in (0, 0x2D, 0x80, 0xFF):
                changed = data[:place] + bytes([value]) + data[place + 1 :]
                assert all(isinstance(one[0], str) for one in given("x.tar", changed))


def test_zeros_behind_the_end_fill_a_tape_up() -> None:
    assert read(tar_of(FILES) + bytes(1 << 20)) == FILES


def test_a_name_that_is_no_text_stays_as_it_is() -> None:
    assert read(tar_of([("a\udce4", b"x")], tarfile.GNU_FORMAT)) == [("a\udce4", b"x")]
