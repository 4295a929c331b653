"""Each folder tells a story: what the images state, and what FHIR then says, to the last letter.

`story.md` tells it, `input/` holds the objects as DICOM JSON, `expected.R4.json` and
`expected.R5.json` the transaction Bundle, `findings.json` the codes of what is odd, `refused.json`
why the default gate refuses the study, and `options.toml` with what `--accept` it is mapped then.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, config
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from deidfhir.fhir.check import check_whole
from deidfhir.fhir.versions import FhirName, fhir_version
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.gate import parse_accept
from deidfhir.pipeline.mapped import Work
from tests.synthetic.objects import write

HERE = Path(__file__).resolve().parent
CASES = sorted(path.parent for path in HERE.glob("*/story.md"))
VERSIONS: list[FhirName] = ["R4", "R5"]

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
both_versions = pytest.mark.parametrize("version", VERSIONS)


def worked(folder: Path, version: FhirName, accept: str) -> tuple[list[dict[str, Any]], Work]:
    """Return the Bundles of a folder, and the work with its refusals and findings."""
    context = MappingContext(version).accepting(parse_accept(accept))
    work = Work(read_paths([folder]), context)
    bundles = [one.bundle() for _, one in work.mapped() if one is not None]
    assert work.reading.skipped == []
    return bundles, work


def accept_of(case: Path) -> str:
    options = case / "options.toml"
    accept = tomllib.loads(options.read_text())["accept"] if options.exists() else "removed"
    return str(accept)


def pretty(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def hold_against(path: Path, content: object, *, update: bool) -> None:
    """Compare with an expected file byte for byte; None stands for a file that is not there."""
    if update and content is None:
        path.unlink(missing_ok=True)
    elif update:
        path.write_text(pretty(content), encoding="utf-8")
    found = path.read_text(encoding="utf-8") if path.exists() else None
    assert (None if content is None else pretty(content)) == found


@every_case
@both_versions
def test_dicom_json_gives_exactly_what_is_expected(
    case: Path, version: FhirName, *, update: bool
) -> None:
    bundles, _ = worked(case / "input", version, accept_of(case))
    assert len(bundles) <= 1
    hold_against(case / f"expected.{version}.json", bundles[0] if bundles else None, update=update)


@every_case
def test_r4b_says_what_r4_says(case: Path) -> None:
    accept = accept_of(case)
    assert worked(case / "input", "R4B", accept)[0] == worked(case / "input", "R4", accept)[0]


@every_case
def test_the_default_gate_refuses_with_its_reasons(case: Path, *, update: bool) -> None:
    bundles, work = worked(case / "input", "R4", "removed")
    refused = [
        {
            "finding": one.finding.code,
            "verdict": one.verdict.value,
            "reasons": list(one.reasons),
        }
        for one in work.refusals
    ]
    assert len(refused) + len(bundles) == 1
    hold_against(case / "refused.json", refused[0] if refused else None, update=update)


def codes(work: Work) -> list[str]:
    return sorted({one.code for one in work.findings})


@every_case
def test_what_is_odd_is_found(case: Path, *, update: bool) -> None:
    _, work = worked(case / "input", "R4", accept_of(case))
    hold_against(case / "findings.json", codes(work), update=update)


@every_case
@both_versions
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_the_same_objects_as_part_10_files_give_exactly_the_same(
    case: Path, version: FhirName, syntax: str, tmp_path: Path
) -> None:
    for number, made in enumerate(objects(case)):
        written(made, tmp_path / f"{number}.dcm", syntax)
    bundles, work = worked(tmp_path, version, accept_of(case))
    hold_against(case / f"expected.{version}.json", bundles[0] if bundles else None, update=False)
    # Implicit VR Little Endian has no Value Representations that could be odd.
    expected = json.loads((case / "findings.json").read_text())
    assert set(expected) - set(codes(work)) <= {"marker-vr"}
    assert set(codes(work)) <= set(expected)


def written(made: Dataset, path: Path, syntax: str) -> None:
    """Write a Part 10 file, or a bare data set where the File Meta has nothing to name."""
    if "SOPClassUID" in made:
        write(made, path, syntax)
    else:
        with config.disable_value_validation():
            made.save_as(path, implicit_vr=UID(syntax).is_implicit_VR, little_endian=True)


def objects(case: Path) -> list[Dataset]:
    """Return the objects of a case as data sets, unvalidated: some are meant to be wrong."""
    found = []
    for path in sorted((case / "input").iterdir()):
        content = json.loads(path.read_text(encoding="utf-8"))
        with config.disable_value_validation():
            many = content if isinstance(content, list) else [content]
            found += [Dataset.from_json(one) for one in many]
    return found


@every_case
@both_versions
def test_every_resource_passes_the_models_of_fhir(case: Path, version: FhirName) -> None:
    path = case / f"expected.{version}.json"
    entries = json.loads(path.read_text())["entry"] if path.exists() else []
    for entry in entries:
        check_whole(entry["resource"], fhir_version(version))
    assert entries or (case / "refused.json").exists()


def test_there_is_a_case_for_each_kind_of_study() -> None:
    assert len(CASES) >= 17
    for case in CASES:
        lines = (case / "story.md").read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("# "), case.name
        assert 3 <= len(lines) <= 8, case.name
        known = {"story.md", "input", "findings.json", "options.toml", "refused.json"}
        assert {path.name for path in case.iterdir()} <= known | {
            f"expected.{version}.json" for version in VERSIONS
        }
