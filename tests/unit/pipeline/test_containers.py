"""Zip and tar files and NDJSON are read as folders of the same files are, and told as such."""

from __future__ import annotations

import json
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from tests.synthetic.dicomjson import json_object
from tests.synthetic.objects import encode, instance, write, write_bytes
from tests.synthetic.packing import gzip_of, pack, tar_of, zip_of
from tests.synthetic.pathologies import PATHOLOGIES
from tests.synthetic.samples import write_samples

if TYPE_CHECKING:
    from tests.conftest import Cli

ENDS = (".zip", ".tar", ".tar.gz", ".tgz")
Show = Callable[..., tuple[int, dict[str, str], int]]


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Give a folder of studies, broken files and others."""
    write_samples(tmp_path / "samples")
    return tmp_path / "samples"


@pytest.fixture
def show(cli: Cli, tmp_path: Path) -> Show:
    """Return instances, skipped paths with their codes, and the number of foreign files."""

    def shown(*paths: object) -> tuple[int, dict[str, str], int]:
        told = cli("show", *paths, "--json").report
        skips = {one["path"].removeprefix(f"{tmp_path}/"): one["code"] for one in told["skipped"]}
        return told["instances"], skips, told["foreign"]

    return shown


def made(number: int = 1, **stated: Any) -> bytes:  # noqa: ANN401
    """Return one object."""
    return encode(
        instance(1, 1, number, PatientIdentityRemoved="YES", **stated), "1.2.840.10008.1.2"
    )


def json_of(number: int = 1) -> dict[str, Any]:
    """Return one object as DICOM JSON."""
    return json_object(instance(1, 1, number, PatientIdentityRemoved="YES"))


@pytest.mark.parametrize("end", ENDS)
def test_a_container_maps_as_its_folder_does(cli: Cli, samples: Path, end: str) -> None:
    container = pack(samples, samples.with_name(f"x{end}"))
    folder, packed, two = (
        cli("map", one, "--accept", "all", "--workers", number)
        for one, number in ((samples, 1), (container, 1), (container, 2))
    )
    assert packed.out == folder.out == two.out
    assert packed.out.count("\n") == 12
    assert packed.code == folder.code == 3
    assert packed.err.replace(f"{container}/", "") == folder.err.replace(f"{samples}/", "")


@pytest.mark.parametrize("end", [".zip", ".tgz"])
def test_every_oddity_in_a_container_is_read_as_in_a_folder(
    cli: Cli, tmp_path: Path, end: str
) -> None:
    folder = tmp_path / "in"
    for number, one in enumerate(PATHOLOGIES):
        one.write(folder / f"{number}")
    odd = instance(900, PatientIdentityRemoved="YES")
    write(odd, folder / "deflated", DeflatedExplicitVRLittleEndian)
    write(instance(901, PatientIdentityRemoved="YES"), folder / "big.dcm", ExplicitVRBigEndian)
    write(instance(902, PatientIdentityRemoved="YES"), folder / "bare", preamble=False)
    write(instance(903, PatientIdentityRemoved="YES"), folder / "bare.dcm", meta=False)
    packed = pack(folder, tmp_path / f"x{end}")
    told = [cli("show", one, "--json").out for one in (folder, packed)]
    assert told[1].replace(f"{packed}/", "") == told[0].replace(f"{folder}/", "")


@pytest.mark.parametrize("end", [".zip", ".tar", ".tgz"])
def test_every_real_object_in_a_container_is_read_as_in_a_folder(
    cli: Cli, tmp_path: Path, real_folder: Path, end: str
) -> None:
    packed = pack(real_folder, tmp_path / f"x{end}")
    told = [cli("show", one, "--json").out for one in (real_folder, packed)]
    assert told[1].replace(f"{packed}/", "") == told[0].replace(f"{real_folder}/", "")


def test_containers_in_a_folder_are_read_with_what_lies_beside_them(
    show: Show, tmp_path: Path
) -> None:
    write_bytes(made(1), tmp_path / "in" / "1")
    write_bytes(zip_of([("2", made(2)), ("notes.txt", b"no object")]), tmp_path / "in" / "a.zip")
    write_bytes(gzip_of(tar_of([("b/3.dcm", made(3))])), tmp_path / "in" / "sub" / "b.tgz")
    assert show(tmp_path / "in") == (3, {}, 1)


def test_what_is_wrong_with_members_is_told_and_the_others_are_read(
    show: Show, tmp_path: Path
) -> None:
    files = [
        ("1", made(1)),
        ("empty.dcm", b""),
        ("text.dcm", b"no object, and long enough to be looked at"),
        ("cut", made(2)[:300]),
        ("x.json", b"{"),
        ("x.ndjson", b""),
        ("../up", made(3)),
        ("inner.zip", zip_of([("4", made(4))])),
        ("inner", gzip_of(tar_of([("5", made(5))]))),
        ("inner/1.dcm.gz", gzip_of(made(6))),
        ("nothing", b""),
        ("._1.dcm", b"\x00\x05\x16\x07" + bytes(200)),
        ("__MACOSX/README.txt", b"text"),
        ("1", made(7)),
        ("last", made(8)),
    ]
    codes = {
        "empty.dcm": "file-empty",
        "text.dcm": "not-dicom",
        "cut": "truncated",
        "x.json": "not-dicom-json",
        "x.ndjson": "file-empty",
        "../up": "container-member-refused",
        "inner.zip": "container-nested",
        "inner": "container-nested",
        "inner/1.dcm.gz": "container-nested",
        "1": "container-member-twice",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_bytes(zip_of(files), tmp_path / "x.zip")
    write_bytes(tar_of(files), tmp_path / "x.tar")
    for name in ("x.zip", "x.tar"):
        assert show(tmp_path / name) == (
            2,
            {f"{name}/{member}": code for member, code in codes.items()},
            3,
        )


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.zip", b"", "file-empty"),
        ("x.tar", b"", "file-empty"),
        ("x.zip", b"no zip file", "container-damaged"),
        ("x.tgz", b"\x1f\x8b", "container-damaged"),
        ("x.tar.gz", gzip_of(tar_of([("a.dcm", b"b")]))[:60], "container-damaged"),
    ],
)
def test_what_is_named_as_a_container_and_is_none_is_skipped_for_cause(
    show: Show, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    write_bytes(content, tmp_path / "in" / name)
    assert show(tmp_path / "in") == (0, {f"in/{name}": code}, 0)
    assert show(tmp_path / "in" / name) == (0, {f"in/{name}": code}, 0)


def test_a_container_that_may_not_be_read_is_skipped_for_cause(show: Show, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.zip").symlink_to("nowhere")
    assert show(tmp_path / "in") == (0, {"in/x.zip": "file-unreadable"}, 0)


@pytest.mark.parametrize("content", [zip_of([]), zip_of([("folder/", b"")])])
def test_a_container_without_members_is_foreign(show: Show, tmp_path: Path, content: bytes) -> None:
    write_bytes(content, tmp_path / "x.zip")
    assert show(tmp_path / "x.zip") == (0, {}, 1)


def test_an_encrypted_and_an_otherwise_packed_member_is_told(show: Show, tmp_path: Path) -> None:
    data = bytearray(zip_of([("1", made(1)), ("2", made(2))]))
    data[data.index(b"PK\1\2") + 8] |= 1
    write_bytes(bytes(data), tmp_path / "x.zip")
    assert show(tmp_path / "x.zip") == (1, {"x.zip/1": "container-encrypted"}, 0)
    write_bytes(zip_of([("1", made(1))], zipfile.ZIP_BZIP2), tmp_path / "y.zip")
    assert show(tmp_path / "y.zip") == (0, {"y.zip/1": "container-method"}, 0)


@pytest.mark.parametrize("setting", ["MEMBERS=1", "BYTES=1000"])
@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz"])
def test_the_limits_of_a_site_hold(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, name: str
) -> None:
    for number in (1, 2, 3):
        write_bytes(made(number), tmp_path / "in" / f"{number}")
    packed = pack(tmp_path / "in", tmp_path / name)
    limit, _, value = setting.partition("=")
    monkeypatch.setenv(f"DEIDFHIR_CONTAINER_{limit}", value)
    instances, skips, _ = show(packed)
    assert skips == {name: "container-limit"}
    # Of a zip file the directory tells all beforehand.
    assert instances == (1 if limit == "MEMBERS" and name != "x.zip" else 0)


@pytest.mark.parametrize(
    ("name", "member"), [("a.tgz", "passed.txt"), ("b.zip", "x.json"), ("c.zip", "x.ndjson")]
)
def test_a_bomb_is_refused_whether_it_is_passed_over_or_read_whole(
    show: Show, tmp_path: Path, name: str, member: str
) -> None:
    files = [("1", made()), (member, b" " * (65 << 20))]
    data = zip_of(files) if name.endswith("zip") else gzip_of(tar_of(files))
    assert len(data) < 1 << 20
    write_bytes(data, tmp_path / name)
    assert show(tmp_path / name)[:2] == (1, {name: "container-limit"})


def test_a_header_that_would_fill_the_memory_is_not_read(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private element before the markers, so large that pydicom alone may pass over it."""
    monkeypatch.setenv("DEIDFHIR_OBJECT_BYTES", "2000000")
    whole = made()
    at = whole.index(b"\x10\x00\x10\x00")
    private = b"\x09\x00\x01\x10" + (3_000_000).to_bytes(4, "little") + bytes(3_000_000)
    write_bytes(zip_of([("x", whole[:at] + private + whole[at:])]), tmp_path / "c.zip")
    assert show(tmp_path / "c.zip") == (0, {"c.zip/x": "object-too-large"}, 0)
    monkeypatch.setenv("DEIDFHIR_OBJECT_BYTES", "4000000")
    assert show(tmp_path / "c.zip") == (1, {}, 0)


def test_what_is_too_large_to_be_held_is_told(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_OBJECT_BYTES", "3000")
    line = json.dumps(json_of()).encode()
    text = json.dumps(json_of() | {"00081030": {"vr": "LO", "Value": ["x" * 4000]}}).encode()
    files = [("x.json", text), ("y.ndjson", line + b"\n" + text + b"\n")]
    write_bytes(zip_of(files), tmp_path / "x.zip")
    expected = {"x.zip/x.json": "object-too-large", "x.zip/y.ndjson#2": "object-too-large"}
    assert show(tmp_path / "x.zip") == (1, expected, 0)


def test_media_in_a_container_are_read_and_their_directory_is_passed_over(
    show: Show, tmp_path: Path
) -> None:
    directory = b"\0" * 128 + b"DICM" + b"\x02\0\x02\0UI\x14\x001.2.840.10008.1.3.10"
    for name in ("DICOMDIR", "dicomdir.dcm"):
        write_bytes(zip_of([(name, directory), ("A/1", made())]), tmp_path / "x.zip")
        assert show(tmp_path / "x.zip") == (1, {}, 1)


def test_dicom_json_and_ndjson_in_a_container_are_read(show: Show, tmp_path: Path) -> None:
    lines = b"\n".join(json.dumps(json_of(number)).encode() for number in (3, 4))
    files = [
        ("a/x.json", json.dumps([json_of(1), json_of(2), {"00100010": {}}]).encode()),
        ("b/y.ndjson", lines + b"\n{\n"),
        ("patients.ndjson", b'{"resourceType": "Patient"}\n{"resourceType": "Patient"}\n'),
    ]
    write_bytes(gzip_of(tar_of(files)), tmp_path / "x.tgz")
    assert show(tmp_path / "x.tgz") == (
        4,
        {"x.tgz/a/x.json#3": "no-study-uid", "x.tgz/b/y.ndjson#3": "not-dicom-json"},
        1,
    )


@pytest.mark.parametrize("name", ["x.ndjson", "x.jsonl", "X.NDJSON"])
def test_a_line_of_ndjson_that_is_broken_is_told_by_its_number(
    show: Show, tmp_path: Path, name: str
) -> None:
    lines = [json.dumps(json_of(1)), "", "{", json.dumps(json_of(2)), '"text"', "[]", "{}"]
    write_bytes("\r\n".join(lines).encode(), tmp_path / name)
    broken = {f"{name}#{number}": "not-dicom-json" for number in (3, 5, 6, 7)}
    assert show(tmp_path / name) == (2, broken, 0)


def test_ndjson_of_fhir_is_foreign_and_a_resource_between_objects_is_told(
    show: Show, tmp_path: Path
) -> None:
    resource = json.dumps({"resourceType": "ImagingStudy"})
    write_bytes(f"\n{resource}\n{resource}\n".encode(), tmp_path / "a.ndjson")
    assert show(tmp_path / "a.ndjson") == (0, {}, 1)
    write_bytes(f"{json.dumps(json_of())}\n{resource}\n".encode(), tmp_path / "b.ndjson")
    assert show(tmp_path / "b.ndjson") == (1, {"b.ndjson#2": "not-dicom-json"}, 0)


def test_a_header_that_is_broken_behind_the_markers_is_read_as_far(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too large to be held stands behind all that decides."""
    monkeypatch.setenv("DEIDFHIR_OBJECT_BYTES", "20000")
    whole = made(BurnedInAnnotation="NO")
    at = whole.index(b"\x28\x00\x01\x03") + 10
    private = b"\x29\x00\x10\x00\x04\x00\x00\x00MINE" + b"\x29\x00\x01\x10" + b"\xff" * 4
    item = b"\xfe\xff\x00\xe0" + (1 << 16).to_bytes(4, "little") + bytes(1 << 16)
    write_bytes(zip_of([("x", whole[:at] + private + item)]), tmp_path / "x.zip")
    assert show(tmp_path / "x.zip")[:2] == (1, {})


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_told_by_the_path_of_their_container_and_their_name(
    cli: Cli, tmp_path: Path, form: int
) -> None:
    member = encode(instance(1, PatientIdentityRemoved="NO"), "1.2.840.10008.1.2")
    write_bytes(tar_of([("./a/b.dcm", member)], form), tmp_path / "x.tar")
    ran = cli("map", tmp_path / "x.tar")
    assert f"{tmp_path}/x.tar/a/b.dcm: not-removed" in ran.err
    assert ran.code == 3


def test_explain_takes_a_member_a_container_and_ndjson(cli: Cli, tmp_path: Path) -> None:
    files = [("a/1.dcm", made(1)), ("2", made(2)), ("bad.dcm", b""), ("t.txt", b"text")]
    path = write_bytes(zip_of(files), tmp_path / "x.zip")
    assert len(cli("explain", path, "--json").report["objects"]) == 2
    member = cli("explain", f"{path}/a/1.dcm", "--json").report
    assert member["path"] == f"{path}/a/1.dcm"
    assert len(member["objects"]) == 1
    lines = write_bytes(json.dumps(json_of()).encode(), tmp_path / "x.ndjson")
    assert len(cli("explain", lines, "--json").report["objects"]) == 1
    for name, words in (
        ("none", "no such file"),
        ("bad.dcm", "the file is empty"),
        ("t.txt", "holds no DICOM data set"),
    ):
        ran = cli("explain", f"{path}/{name}")
        assert words in ran.err, name
        assert f"{path}/{name}" in ran.err
    broken = write_bytes(b"broken", tmp_path / "y.zip")
    assert "cut off, damaged" in cli("explain", broken).err
