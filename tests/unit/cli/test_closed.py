"""Mistakes about what leaves end the command; none of them opens anything, none shows a secret."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir import Policy, Settings, UsageError, datasets_of, map_study, studies_from_json
from deidfhir.cli import mapping
from deidfhir.config import load_settings
from deidfhir.dicom.elements import ObjectSkipped
from tests.synthetic.objects import instance, write
from tests.unit.model.records import instance as record
from tests.unit.model.records import removed, study

if TYPE_CHECKING:
    from tests.conftest import Cli


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write one object."""
    made = instance(1, PatientIdentityRemoved="YES", DeidentificationMethod="DOE^JANE")
    return write(made, tmp_path / "in" / "1.dcm")


def strict(tmp_path: Path) -> Path:
    """Write settings with a policy that withholds."""
    policy = tmp_path / "strict.toml"
    policy.write_text('[attribute]\nDeidentificationMethod = "withhold"\n')
    config = tmp_path / "site.toml"
    config.write_text(f'policy = "{policy}"\n')
    return config


def test_an_empty_option_does_not_take_the_policy_away(
    cli: Cli, file: Path, tmp_path: Path
) -> None:
    run = cli("map", file, "--config", strict(tmp_path), "--policy", "")
    assert (run.code, run.out) == (2, "")
    assert "--policy is empty" in run.err


def test_an_empty_variable_does_not_either(
    cli: Cli, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_POLICY", "")
    run = cli("map", file, "--config", strict(tmp_path))
    assert run.code == 0
    assert "DOE" not in run.out


def test_a_variable_that_is_no_setting_is_told(
    cli: Cli, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_POLCY", "strict.toml")
    run = cli("map", file)
    assert (run.code, run.out) == (2, "")
    assert "DEIDFHIR_POLCY" in run.err


WRONG: list[dict[str, Any]] = [
    {"subject": "Withheld"},
    {"ids": "keyd"},
    {"label": "anonyed"},
    {"patient": "yes"},
    {"narrative": "perhaps"},
    {"namespace": "no uri"},
    {"tenant": "a|b"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_settings_made_in_python_are_held_to_the_same_forms(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as raised:
        Settings(**wrong)
    assert next(iter(wrong)) in str(raised.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"withhold": {"StudyDescripton"}},
        {"withhold": {"SOPInstanceUID"}},
        {"withhold": {"Modality"}},
        {"leave": {"PatientID"}},
        {"leave": {"StationName"}},
        {"leave": {"OperatorIdentificationSequence"}},
        {"refuse": {"truncated"}},
        {"withhold_texts": {"text-like-persn"}},
        {"withhold_texts": {"uids-retained"}},
    ],
    ids=str,
)
def test_policies_made_in_python_are_too(wrong: dict[str, set[str]]) -> None:
    given: dict[str, Any] = {key: frozenset(names) for key, names in wrong.items()}
    with pytest.raises(UsageError) as raised:
        Policy(**given)
    assert next(iter(next(iter(wrong.values())))) in str(raised.value)


def test_a_key_that_is_given_in_the_place_of_its_file_does_not_show(
    cli: Cli, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_IDS", "keyed")
    monkeypatch.setenv("DEIDFHIR_KEY_FILE", "0123456789abcdef" * 4)
    run = cli("map", file)
    assert (run.code, run.out) == (2, "")
    assert "0123456789abcdef" not in run.err


@pytest.mark.parametrize("target", ["admin:secret@host:8080/fhir", "admin:secret@host"])
def test_a_password_before_a_host_without_scheme_does_not_show(
    cli: Cli, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("sync", "verify"):
        run = cli(command, file, "--to", target)
        assert (run.code, run.out) == (2, "")
        assert "secret" not in run.err
    assert not [one for one in tmp_path.rglob("*") if "secret" in one.name]


def test_an_error_that_nobody_foresaw_shows_its_kind_alone(
    cli: Cli, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise ValueError("DOE^JANE")  # as a library would quote a value

    monkeypatch.setattr(mapping, "map_paths", broken)
    run = cli("map", file)
    assert run.code == 1
    assert "ValueError" in run.err
    assert "DOE" not in run.err


def test_folders_that_are_made_on_the_way_are_the_owner_s_alone(
    cli: Cli, file: Path, tmp_path: Path
) -> None:
    out, journal = tmp_path / "a" / "b" / "c", tmp_path / "j" / "k" / "journal"
    assert cli("sync", file, "--to", out, "--journal", journal).code == 0
    made = [out, *out.parents[:2], *journal.parents[:2]]
    assert {stat.S_IMODE(one.stat().st_mode) for one in made} == {0o700}


def test_a_draft_or_journal_that_lies_open_is_closed(cli: Cli, file: Path, tmp_path: Path) -> None:
    out, journal = tmp_path / "out", tmp_path / "journal"
    assert cli("sync", file, "--to", out, "--journal", journal).code == 0
    journal.chmod(0o666)
    findings = tmp_path / "findings.json"
    findings.write_text("")
    findings.chmod(0o666)
    (out / ".ImagingStudy.ndjson.draft").write_text("")
    (out / ".ImagingStudy.ndjson.draft").chmod(0o666)
    write(instance(2, PatientIdentityRemoved="YES"), file.parent / "2.dcm")
    assert cli("sync", file.parent, "--to", out, "--journal", journal).code == 0
    cli("map", file, "--findings", findings)
    files = [journal, findings, *out.iterdir()]
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}


def test_objects_that_are_no_dicom_json_are_skipped_and_the_stream_goes_on() -> None:
    good = {
        "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
        "0020000E": {"vr": "UI", "Value": ["1.2.3.4"]},
        "00080018": {"vr": "UI", "Value": ["1.2.3.4.5"]},
    }
    great = {**good, "00200013": {"vr": "IS", "Value": [10**5000]}}
    told: list[str] = []
    every: list[Any] = [5, {7: {}}, None, great, good]
    (found,) = studies_from_json(every, lambda finding: told.append(finding.code))
    assert len(found.instances) == 1
    assert told == ["not-dicom-json", "not-dicom-json", "not-dicom-json", "damaged"]
    with pytest.raises(ObjectSkipped):
        list(studies_from_json([every[0]]))


def test_a_host_that_validates_strictly_gets_long_values_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pydicom import config  # noqa: PLC0415 - this test's alone

    monkeypatch.setattr(config.settings, "reading_validation_mode", config.RAISE)
    text = "tool " + "x" * 80
    bundle = map_study(study(record(1, removed(method=(text,))))).bundle()
    (dataset,) = datasets_of([bundle])
    assert dataset.DeidentificationMethod == text


def test_an_empty_variable_is_as_one_that_is_not_set() -> None:
    assert load_settings(None, {"DEIDFHIR_LABEL": "", "DEIDFHIR_TENANT": ""}) == Settings()
