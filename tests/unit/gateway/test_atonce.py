"""What was made of one object serves for the next of its series, and changes no byte."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ImplicitVRLittleEndian

from deidfhir.gateway.answers import Refused
from deidfhir.gateway.bundles import bundle_of
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.media import MediaType, media_type
from deidfhir.gateway.objects import instances_of, read_body
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.gate import parse_accept
from deidfhir.policy.policy import Policy
from deidfhir.web.numbers import line_of
from tests.synthetic.objects import codes, encode, equipment, instance
from tests.unit.gateway.asking import part10, related

DICOM = MediaType("application/dicom", {})
DICOM_JSON = MediaType("application/dicom+json", {})
REMOVED: dict[str, Any] = {
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "tool 1.0",
    "DeidentificationMethodCodeSequence": codes("113100", "113105"),
    "ContributingEquipmentSequence": [equipment(Manufacturer="House", SoftwareVersions="1")],
}
ODD: list[dict[str, Any]] = [
    {},
    {},
    {"InstanceNumber": None},
    {"InstanceNumber": ""},
    {"InstanceNumber": "007"},
    {"InstanceNumber": "+5"},
    {"InstanceNumber": "-5"},
    {"InstanceNumber": "99999999999"},
    {"InstanceNumber": "2147483648"},
    {"InstanceNumber": ("1", "2")},
    {"SOPInstanceUID": "1.02.3"},
    {"SOPInstanceUID": "abc-1"},
    {"SOPInstanceUID": "no uid"},
    {"PatientIdentityRemoved": "NO"},
    {"BurnedInAnnotation": "YES"},
    {"PatientID": "ANOTHER"},
    {"SeriesDescription": "another"},
    {"EncryptedAttributesSequence": []},
    {},
]


def expected(body: bytes, form: MediaType, context: MappingContext) -> object:
    """Return what the long way makes of a body, or the codes of why it makes nothing."""
    try:
        studies, _ = instances_of(read_body(body, form, 10), 10)
        return line_of(bundle_of(studies, context)).encode()
    except Refused as refusal:
        return [one.code for one in refusal.findings]


def hold(bodies: Iterable[bytes], form: MediaType, context: MappingContext) -> int:
    """Require that the short way gives the same, and return how often it gave anything."""
    at_once, count = Gateway(context).at_once, 0
    for body in bodies:
        found: object
        try:
            found = at_once.line(body, form)
        except Refused as refusal:
            found = [one.code for one in refusal.findings]
        if found is not None:
            count += 1
            assert found == expected(body, form, context)
    return count


def objects() -> list[Dataset]:
    """Return objects of one series, plain and odd ones."""
    made = []
    for number, odd in enumerate([*ODD, *reversed(ODD)], start=1):
        made.append(instance(1, 1, number, **(REMOVED | odd)))
    return made


CONTEXTS = [
    MappingContext(),
    MappingContext("R5"),
    MappingContext().accepting(parse_accept("all")),
    MappingContext(policy=Policy(withhold=frozenset({"InstanceNumber"}))),
    MappingContext(policy=Policy(refuse=frozenset({"number-unusable"}))),
    MappingContext(policy=Policy(refuse=frozenset({"uid-not-oid", "several-values"}))),
    MappingContext(recorded="2026-01-02T03:04:05Z"),
]


@pytest.mark.parametrize("context", CONTEXTS, ids=range(len(CONTEXTS)))
def test_each_object_gives_the_bytes_that_it_gives_alone(context: MappingContext) -> None:
    made = objects()
    assert hold([part10(one) for one in made], DICOM, context) >= 36
    as_json = [json.dumps(one.to_json_dict()).encode() for one in made]
    assert hold(as_json, DICOM_JSON, context) >= 34
    assert hold([b"[" + one + b"]" for one in as_json], DICOM_JSON, context) >= 34


def test_a_single_part_is_as_good_as_a_body() -> None:
    bodies = []
    for one in objects():
        headers, body = related(("application/dicom", part10(one)))
        bodies.append(body)
    form = media_type(headers["Content-Type"])
    assert form is not None
    assert hold(bodies, form, MappingContext()) >= 36


def test_several_parts_go_the_long_way() -> None:
    one = part10(instance(1, **REMOVED))
    for count in (0, 2, 3):
        headers, body = related(*[("application/dicom", one)] * count)
        form = media_type(headers["Content-Type"])
        assert form is not None
        assert Gateway(MappingContext()).at_once.line(body, form) is None


def test_objects_of_several_series_may_lie_among_each_other() -> None:
    made = [
        instance(study, series, number, **REMOVED)
        for number in (1, 2, 3)
        for study in (1, 2)
        for series in (1, 2)
    ]
    assert hold([part10(one) for one in made], DICOM, MappingContext()) == 12


@pytest.mark.parametrize(("limit", "most"), [("_SERIES", 2), ("_BYTES", 9000)])
def test_more_series_than_are_remembered_give_the_same(
    monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(f"deidfhir.gateway.atonce.{limit}", most)
    made = [instance(1, series, n, **REMOVED) for n in (1, 2) for series in range(1, 8)]
    assert hold([part10(one) for one in made], DICOM, MappingContext()) == 14


def test_the_next_object_of_a_series_is_not_mapped_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (part10(instance(1, 1, number, **REMOVED)) for number in (1, 2))
    at_once = Gateway(MappingContext()).at_once
    assert at_once.line(first, DICOM) is not None
    monkeypatch.setattr("deidfhir.gateway.atonce.bundle_of", None)
    line = at_once.line(second, DICOM)
    assert line is not None
    assert json.loads(line)["entry"][1]["resource"]["series"][0]["instance"][0]["number"] == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"x", part10(instance(1, **REMOVED))[:400], part10(instance(1, **REMOVED))[128:]],
)
def test_what_is_no_plain_object_goes_the_long_way(body: bytes) -> None:
    assert Gateway(MappingContext()).at_once.line(body, DICOM) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"[{}, {}]", b"[" * 70_000])
def test_what_is_no_single_object_goes_the_long_way(body: bytes) -> None:
    assert Gateway(MappingContext()).at_once.line(body, DICOM_JSON) is None


def test_a_large_header_goes_the_long_way_and_a_large_body_need_not() -> None:
    at_once = Gateway(MappingContext()).at_once
    large = instance(1, **REMOVED)
    large.add_new(0x00091001, "OB", bytes(70_000))
    large.private_block(0x0009, "TESTS", create=True)
    assert at_once.line(part10(large), DICOM) is None
    pixels = instance(1, **REMOVED)
    pixels.add_new(0x7FE00010, "OB", bytes(200_000))
    assert at_once.line(part10(pixels), DICOM) is not None


@pytest.mark.parametrize(
    "many",
    [
        {"DeidentificationMethod": ("x",) * 500},
        {"DeidentificationMethodCodeSequence": codes(*["113100"] * 200)},
        {"ContributingEquipmentSequence": [equipment(Manufacturer="House")] * 100},
    ],
    ids=["texts", "codes", "equipment"],
)
def test_very_many_markers_go_the_long_way(many: dict[str, Any]) -> None:
    body = part10(instance(1, **(REMOVED | many)))
    assert len(body) < 64 << 10
    assert Gateway(MappingContext()).at_once.line(body, DICOM) is None


def test_another_transfer_syntax_gives_the_same() -> None:
    one = instance(1, **REMOVED)
    bodies = [encode(one, ImplicitVRLittleEndian), part10(one)]
    assert hold(bodies, DICOM, MappingContext()) == 2
    assert dcmread(BytesIO(bodies[0])) == dcmread(BytesIO(bodies[1]))
