"""`POST /map` gives what `deidfhir map` gives, byte for byte, or says why it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread

from deidfhir.fhir.versions import FHIR_NAMES, FhirName
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.limits import Limits
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.gate import parse_accept
from tests.synthetic.objects import equipment, instance, write
from tests.unit.gateway.asking import DICOM, DICOM_JSON, asked, codes, part10, related

if TYPE_CHECKING:
    from tests.conftest import Cli

REMOVED: dict[str, Any] = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool 1.0"}


def files(folder: Path, count: int) -> list[Path]:
    """Write objects of one study."""
    paths = []
    for number in range(1, count + 1):
        made = instance(1, 1, number, **REMOVED)
        paths.append(write(made, folder / f"{number}.dcm"))
    return paths


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_one_object_gives_the_bytes_of_the_command_line(
    cli: Cli, tmp_path: Path, fhir: FhirName
) -> None:
    (path,) = files(tmp_path, 1)
    expected = cli("map", path, "--fhir", fhir).out.rstrip("\n").encode()
    as_json = json.dumps(dcmread(path).to_json_dict()).encode()
    with asked(Gateway(MappingContext(fhir))) as client:
        for headers, body in (
            (DICOM, path.read_bytes()),
            (DICOM_JSON, as_json),
            related(("application/dicom", path.read_bytes())),
            related(("application/dicom+json", as_json)),
        ):
            answer = client.post("/map", content=body, headers=headers)
            assert (answer.status_code, answer.content) == (200, expected)
            assert answer.headers["content-type"] == "application/fhir+json"


def test_several_objects_of_a_study_are_one_bundle(cli: Cli, tmp_path: Path) -> None:
    paths = files(tmp_path, 3)
    (expected,) = cli("map", tmp_path).out.splitlines()
    parts = [("application/dicom", path.read_bytes()) for path in paths]
    headers, body = related(*reversed(parts))
    with asked() as client:
        answer = client.post("/map", content=body, headers=headers)
    assert answer.text == expected


def test_what_the_gate_refuses_is_named_by_its_number_and_nothing_is_mapped() -> None:
    refused = part10(instance(2, PatientIdentityRemoved="NO"))
    headers, body = related(
        ("application/dicom", part10(instance(1, **REMOVED))), ("application/dicom", refused)
    )
    with asked() as client:
        answer = client.post("/map", content=body, headers=headers)
    assert (answer.status_code, codes(answer)) == (422, ["not-accepted"])
    assert answer.json()["issue"][0]["diagnostics"].startswith("#2: ")


def test_more_verdicts_may_pass_as_on_the_command_line() -> None:
    context = MappingContext().accepting(parse_accept("all"))
    with asked(Gateway(context)) as client:
        body = part10(instance(1, PatientIdentityRemoved="NO"))
        answer = client.post("/map", content=body, headers=DICOM)
    kinds = [one["resource"]["resourceType"] for one in answer.json()["entry"]]
    assert kinds == ["ImagingStudy"]


def test_several_studies_are_one_bundle_in_which_what_they_share_stands_once(
    cli: Cli, tmp_path: Path
) -> None:
    item = equipment(Manufacturer="House", ManufacturerModelName="Eraser")
    made = [instance(n, ContributingEquipmentSequence=[item], **REMOVED) for n in (2, 1)]
    for number, one in enumerate(made):
        write(one, tmp_path / f"{number}.dcm")
    expected = [entry for line in cli("map", tmp_path).lines for entry in line["entry"]]
    headers, body = related(*[("application/dicom", part10(one)) for one in made])
    with asked() as client:
        found = client.post("/map", content=body, headers=headers).json()["entry"]
    unique = [one for number, one in enumerate(expected) if one not in expected[:number]]
    assert found == unique
    assert len(unique) < len(expected)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"x", "not-dicom"),
        (b"\0" * 128 + b"DICM", "not-dicom"),
        (part10(instance(1, **REMOVED))[:400], "truncated"),
        (part10(instance(1, StudyInstanceUID=None, **REMOVED)), "no-study-uid"),
    ],
)
def test_an_object_that_cannot_be_used_is_told_by_its_number(content: bytes, code: str) -> None:
    with asked() as client:
        answer = client.post("/map", content=content, headers=DICOM)
    assert (answer.status_code, codes(answer)) == (422, [code])
    assert answer.json()["issue"][0]["diagnostics"].startswith("#1: ")


def test_limits_of_size_and_number_hold() -> None:
    one = part10(instance(1, **REMOVED))
    limits = Limits(body=len(one) * 4, objects=2)
    headers, body = related(*[("application/dicom", one)] * 3)
    with asked(Gateway(MappingContext(), limits)) as client:
        many = client.post("/map", content=body, headers=headers)
        large = client.post("/map", content=one * 5, headers=DICOM)
        unknown = client.post("/map", content=iter([one] * 5), headers=DICOM)
    assert (many.status_code, codes(many)) == (413, ["parts-too-many"])
    assert (large.status_code, codes(large)) == (413, ["body-too-large"])
    assert (unknown.status_code, codes(unknown)) == (413, ["body-too-large"])
