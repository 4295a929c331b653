"""A folder, its zip, tar, NDJSON and DICOMDIR give the same Bundles, whatever it holds."""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.gate import parse_accept
from deidfhir.pipeline.mapped import Work
from deidfhir.tables import table
from tests.synthetic.dicomjson import json_object
from tests.synthetic.media import NEEDED, write_media
from tests.synthetic.objects import codes, instance, write, write_bytes
from tests.synthetic.packing import gzip_of, pack, tar_of, zip_of
from tests.unit.containers.reading import given as given_of

MODEST = settings(max_examples=25, deadline=None, derandomize=True)
NAMES = st.text("ab.é ", min_size=1, max_size=4).filter(lambda one: one.strip(". ") == one)
STATED = st.fixed_dictionaries(
    {
        "PatientIdentityRemoved": st.sampled_from(["YES", "YES", "NO", "", "yes"]),
        "DeidentificationMethod": st.sampled_from([("tool",), ("CTP", "Jane's own"), ()]),
        "BurnedInAnnotation": st.sampled_from(["NO", "YES", None]),
        "SeriesDescription": st.sampled_from(["axial", None]),
    }
)


@dataclass(frozen=True)
class Made:
    """An object and where it lies."""

    folder: str
    study: int
    number: int
    codes: tuple[str, ...]
    stated: dict[str, Any]

    def dataset(self) -> Any:  # noqa: ANN401 - a pydicom data set
        """Return the object; its UID is its study's and its number's."""
        given = {**NEEDED, **self.stated}
        if self.codes:
            given["DeidentificationMethodCodeSequence"] = codes(*self.codes)
        return instance(self.study, 1, self.number, **given)


MADE = st.builds(
    Made,
    NAMES,
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([(), ("113100",), ("113100", "113105")]),
    STATED,
)
OBJECTS = st.lists(MADE, min_size=1, max_size=6, unique_by=lambda one: (one.study, one.number))


def bundles(path: Path) -> tuple[list[str], list[str]]:
    """Return the Bundles of what lies at a path, and the codes of what was found."""
    context = MappingContext("R4").accepting(parse_accept("all"))
    work = Work(read_paths([path]), context)
    made = [json.dumps(one.bundle()) for _, one in work.mapped() if one is not None]
    assert work.reading.skipped == []
    return made, sorted(one.code for one in work.findings)


@MODEST
@given(objects=OBJECTS, end=st.sampled_from([".zip", ".tar", ".tar.gz"]))
def test_every_kind_of_source_gives_the_same_bundles(objects: list[Made], end: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for one in objects:
            write(one.dataset(), root / "in" / one.folder / f"{one.study}-{one.number}")
        lines = [json.dumps(json_object(one.dataset())) for one in objects]
        sources = (
            pack(root / "in", root / f"x{end}"),
            write_bytes("\n".join(lines).encode(), root / "x.ndjson"),
            write_bytes(zip_of([("x.ndjson", "\n".join(lines).encode())]), root / "y.zip"),
            write_media((one.dataset() for one in objects), root / "media", root / "source"),
        )
        expected = bundles(root / "in")
        for source in sources:
            assert bundles(source) == expected, source.name


WHOLE = {
    "x.zip": zip_of([("a/1.dcm", b"one" * 500), ("2", b"two")]),
    "y.zip": zip_of([("a/1.dcm", b"one" * 50), ("2", b"two")], zipfile.ZIP_STORED, streamed=True),
    "x.tar": tar_of([("a/1.dcm", b"one" * 500), ("2", b"two")]),
    "x.tgz": gzip_of(tar_of([("a/1.dcm", b"one" * 500), ("2", b"two")])),
}
PLACES = st.tuples(st.integers(0, 10**6), st.integers(0, 255))


@settings(MODEST, max_examples=300)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(PLACES, min_size=1, max_size=4),
    cut=st.one_of(st.none(), st.integers(0, 10**6)),
)
def test_no_bytes_lead_a_container_to_anything_but_its_members_or_a_finding(
    name: str, changes: list[tuple[int, int]], cut: int | None
) -> None:
    data = bytearray(WHOLE[name])
    for place, value in changes:
        data[place % len(data)] = value
    if cut is not None:
        del data[cut % len(data) :]
    for member, content in given_of(name, bytes(data)):
        assert member or content in table("findings.toml")


@settings(MODEST, max_examples=200)
@given(name=st.sampled_from(sorted(WHOLE)), data=st.binary(max_size=2000))
def test_any_bytes_are_a_container_or_a_finding(name: str, data: bytes) -> None:
    assert given_of(name, data)
