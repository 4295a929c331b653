"""A policy at work in the commands: what it refuses, what it takes back, how it is named."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir import MappingContext, NotAccepted, Policy, map_dataset
from tests.synthetic.dicomjson import json_object, write_json
from tests.synthetic.objects import (
    codes,
    element,
    equipment,
    instance,
    sop_uid,
    tag_of,
    write,
)

if TYPE_CHECKING:
    from pydicom import Dataset

    from tests.conftest import Cli


def removed(number: int, **attributes: Any) -> Dataset:  # noqa: ANN401
    stated: dict[str, Any] = {
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethodCodeSequence": codes("113100"),
    }
    return instance(number, **{**stated, **attributes})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Write one study that is plain, and one whose UIDs are retained."""
    write(removed(1), tmp_path / "in" / "1.dcm")
    retained = codes("113100", "113110")
    write(removed(2, DeidentificationMethodCodeSequence=retained), tmp_path / "in" / "2.dcm")
    return tmp_path / "in"


def rules(tmp_path: Path, text: str, name: str = "site") -> Path:
    path = tmp_path / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


REFUSING = '[finding]\nuids-retained = "refuse"\n'


def test_a_finding_that_the_policy_refuses_refuses_its_study(
    cli: Cli, archive: Path, tmp_path: Path
) -> None:
    policy = rules(tmp_path, REFUSING)
    run = cli("sync", archive, "--to", tmp_path / "out", "--policy", policy, "--json")
    (refusal,) = run.report["refusals"]
    assert (run.code, refusal["path"]) == (3, str(archive / "2.dcm"))
    assert refusal["finding"]["code"] == "refused-by-policy"
    assert refusal["detail"] == "uids-retained"
    assert cli("map", archive, "--policy", policy).err.count("(uids-retained)") == 1


def test_a_finding_that_only_mapping_shows_is_refused_too(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dated = codes("113100", "113106")
    made = removed(1, StudyDate="x", DeidentificationMethodCodeSequence=dated)
    write(made, tmp_path / "in" / "1.dcm")
    policy = rules(tmp_path, '[finding]\ndate-unusable = "refuse"\n')
    monkeypatch.setenv("DEIDFHIR_POLICY", str(policy))
    run = cli("map", tmp_path / "in")
    assert (run.code, run.out) == (3, "")
    context = MappingContext(policy=Policy(refuse=frozenset({"date-unusable"})))
    with pytest.raises(NotAccepted) as raised:
        map_dataset(made, context)
    assert raised.value.code == "refused-by-policy"


def test_what_a_policy_refuses_later_is_withdrawn(cli: Cli, archive: Path, tmp_path: Path) -> None:
    target = (archive, "--to", tmp_path / "out")
    assert cli("sync", *target).code == 0
    run = cli("sync", *target, "--policy", rules(tmp_path, REFUSING), "--json")
    assert (run.code, run.report["withdrawn"]) == (3, 1)
    assert run.report["resources"]["deleted"] == 1
    again = cli("sync", *target, "--policy", rules(tmp_path, REFUSING), "--json")
    assert again.report["withdrawn"] == 0
    back = cli("sync", *target, "--json")
    assert (back.code, back.report["resources"]["created"]) == (0, 1)


def test_a_part_of_a_study_is_enough_to_withdraw_what_the_policy_refuses(
    cli: Cli, archive: Path, tmp_path: Path
) -> None:
    retained = codes("113100", "113110")
    second = instance(
        2,
        1,
        2,
        PatientIdentityRemoved="YES",
        DeidentificationMethodCodeSequence=retained,
    )
    other = write(second, archive / "2b.dcm")
    target = ("--to", tmp_path / "out")
    assert cli("sync", archive, *target).code == 0
    run = cli("sync", other, *target, "--policy", rules(tmp_path, REFUSING), "--json")
    assert run.report["withdrawn"] == 1


def test_a_study_that_contradicts_itself_is_refused_for_that_first(
    cli: Cli, tmp_path: Path
) -> None:
    write(instance(1, PatientIdentityRemoved="NO"), tmp_path / "in" / "1.dcm")
    write(instance(1, PatientIdentityRemoved=""), tmp_path / "in" / "2.dcm")
    run = cli("sync", tmp_path / "in", "--to", tmp_path / "out", "--json")
    # What was stated before stays: nobody knows which of the two holds (D19).
    assert run.report["refusals"][0]["finding"]["code"] == "duplicate-instance-differs"


def test_verdicts_may_be_given_with_blanks(cli: Cli, archive: Path) -> None:
    assert cli("map", archive, "--accept", "removed, unknown").code == 0


def test_the_command_line_overrides_the_verdicts_of_the_policy_and_nothing_else(
    cli: Cli, archive: Path, tmp_path: Path
) -> None:
    write(instance(3, PatientIdentityRemoved="NO"), archive / "3.dcm")
    policy = rules(tmp_path, 'accept = ["removed", "not-removed"]\n' + REFUSING)
    verdicts = cli("map", archive, "--policy", policy)
    assert len(verdicts.lines) == 2
    narrowed = cli("map", archive, "--policy", policy, "--accept", "removed")
    assert len(narrowed.lines) == 1


def test_a_journal_remembers_the_key_of_its_ids_and_refuses_another(
    cli: Cli, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [tmp_path / "a.key", tmp_path / "b.key"]
    for number, key in enumerate(keys):
        key.write_bytes(bytes(range(number, number + 40)) + b"secret")
    monkeypatch.setenv("DEIDFHIR_IDS", "keyed")
    target = (archive, "--to", tmp_path / "out", "--json")
    monkeypatch.setenv("DEIDFHIR_KEY_FILE", str(keys[0]))
    assert cli("sync", *target).code == 0
    assert cli("verify", *target).report["missing"] == 0
    monkeypatch.setenv("DEIDFHIR_KEY_FILE", str(keys[1]))
    for command in ("sync", "verify"):
        run = cli(command, *target)
        assert run.code == 1
        assert "another target, FHIR version or id namespace" in run.err
    monkeypatch.setenv("DEIDFHIR_IDS", "named")
    assert cli("sync", *target).code == 1
    journal = next((tmp_path / "home").rglob("*.sqlite3")).read_bytes()
    assert b"secret" not in journal


def test_another_key_for_the_subject_alone_updates_what_was_sent(
    cli: Cli, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [tmp_path / "a.key", tmp_path / "b.key"]
    for number, key in enumerate(keys):
        key.write_bytes(bytes(range(number, number + 40)))
    monkeypatch.setenv("DEIDFHIR_SUBJECT", "keyed")
    target = (archive, "--to", tmp_path / "out", "--json")
    for key, updated in zip((*keys, keys[1]), (0, 2, 0), strict=True):
        monkeypatch.setenv("DEIDFHIR_KEY_FILE", str(key))
        assert cli("sync", *target).report["resources"]["updated"] == updated


def words_of(report: dict[str, Any]) -> dict[str, str]:
    rows = report["objects"][0]["attributes"]
    return {row["attribute"]: f"{row['leaves']} {row['rule']}" for row in rows}


def test_explain_says_which_rule_or_policy_decided(cli: Cli, tmp_path: Path) -> None:
    item = equipment(Manufacturer="M", StationName="S", OperatorsName="O")
    dated = {"StudyDate": "20000612", "StudyDescription": "CT", "SeriesDescription": "AXIAL"}
    path = write(
        removed(1, ContributingEquipmentSequence=[item], PatientSex="F", **dated),
        tmp_path / "1.dcm",
    )
    ruled = {"StudyDescription": "leave", "PatientID": "withhold", "OperatorsName": "leave"}
    lines = "\n".join(f'{name} = "{word}"' for name, word in ruled.items())
    policy = rules(tmp_path, f"[attribute]\n{lines}\n", "house")
    told = words_of(json.loads(cli("explain", path, "--json", "--policy", policy).out))
    assert told["StudyDescription"] == "True leaves by the site's policy house"
    assert told["PatientID"] == "False withheld by the site's policy house"
    assert told["OperatorsName"] == "True leaves by the site's policy house"
    assert told["SeriesDescription"] == "False needs 113105 among the method codes (D5)"
    assert told["StudyDate"] == "False needs 113106 or 113107 among the method codes (D5)"
    assert told["StationName"] == "False needs 113109 among the method codes (D4)"
    assert told["Manufacturer"] == "True always leaves"
    plain = words_of(json.loads(cli("explain", path, "--json").out))
    assert plain["OperatorsName"] == "False only if the site's policy says so (D4)"
    assert plain["SpecificCharacterSet"] == "False never; read to judge"
    assert told["PatientSex"].startswith("False needs 113108")


def test_explain_of_an_object_that_is_not_removed(cli: Cli, tmp_path: Path) -> None:
    made = instance(
        1,
        PatientIdentityRemoved="NO",
        DeidentificationMethod="nobody knows this",
        TimezoneOffsetFromUTC="+0100",
    )
    path = write(made, tmp_path / "1.dcm")
    (told,) = cli("explain", path, "--json").report["objects"]
    rows = {row["attribute"]: row for row in told["attributes"]}
    assert (told["refused_by_default"], told["refused"]) == (True, "not-accepted")
    assert rows["StudyInstanceUID"]["leaves"]
    assert rows["StudyInstanceUID"]["values"] == []
    assert not rows["PatientID"]["leaves"]
    assert rows["PatientID"]["rule"].startswith("needs Patient Identity Removed YES")
    assert not rows["TimezoneOffsetFromUTC"]["leaves"]
    assert not [one for one in rows["DeidentificationMethod"]["to"] if "Provenance" in one]
    assert told["unrecognised"] == ["nobody knows this"]
    policy = rules(tmp_path, 'accept = ["all"]\n[attribute]\nDeidentificationMethod = "withhold"\n')
    (told,) = cli("explain", path, "--json", "--policy", policy).report["objects"]
    assert (told["refused_by_default"], told["refused"]) == (True, None)
    assert told["unrecognised"] == []


def test_explain_prints_what_is_sent_and_nothing_that_only_stands_there(
    cli: Cli, tmp_path: Path
) -> None:
    odd = {
        "Modality": "DOE^JOHN",
        "SOPClassUID": "DOE JOHN",
        "StudyDate": "DOE JANE",
        "TimezoneOffsetFromUTC": "ZONE DOE",
        "PatientSex": "JOHN DOE",
    }
    stated = codes("113100", "113106", "113108")
    made = removed(1, DeidentificationMethodCodeSequence=stated)
    for keyword, value in {**odd, "InstanceNumber": "DOE"}.items():
        made.pop(tag_of(keyword), None)
        made.add(element(keyword, "LO", value))
    path = tmp_path / "1.json"
    write_json(json_object(made), path)
    run = cli("explain", path, "--json")
    assert "DOE" not in run.out
    rows = {row["attribute"]: row for row in run.report["objects"][0]["attributes"]}
    assert not any(rows[keyword]["leaves"] for keyword in (*odd, "InstanceNumber"))
    assert rows["StudyInstanceUID"]["values"] == [f"urn:oid:{made.StudyInstanceUID}"]


def test_explain_shows_a_time_only_with_its_date(cli: Cli, tmp_path: Path) -> None:
    dated = {"StudyDate": "20000612", "StudyTime": "101500", "TimezoneOffsetFromUTC": "+0100"}
    path = write(removed(1, **dated), tmp_path / "1.dcm")
    alone = rules(tmp_path, '[attribute]\nStudyTime = "leave"\n', "alone")
    told = words_of(cli("explain", path, "--json", "--policy", alone).report)
    assert [told[one].split()[0] for one in dated] == ["False"] * 3
    both = rules(tmp_path, '[attribute]\nStudyTime = "leave"\nStudyDate = "leave"\n', "both")
    report = cli("explain", path, "--json", "--policy", both).report
    rows = {row["attribute"]: row for row in report["objects"][0]["attributes"]}
    moment = ["2000-06-12T10:15:00+01:00"]
    assert [rows[one]["values"] for one in dated] == [moment, moment, ["+01:00"]]


def test_explain_asks_the_findings_of_the_mapping_too(cli: Cli, tmp_path: Path) -> None:
    path = write(removed(1, Modality="XX"), tmp_path / "1.dcm")
    policy = rules(tmp_path, '[finding]\nmodality-undefined = "refuse"\n')
    (told,) = cli("explain", path, "--json", "--policy", policy).report["objects"]
    assert told["refused"] == "refused-by-policy"
    assert "modality-undefined" in [one["code"] for one in told["findings"]]


def test_a_report_names_no_tool_of_a_text_that_is_withheld(cli: Cli, tmp_path: Path) -> None:
    path = write(removed(1, DeidentificationMethod="Orthanc 1.12.7"), tmp_path / "1.dcm")
    target = (path, "--to", tmp_path / "out", "--json")
    assert cli("sync", *target).report["tools"] == {"orthanc": 1}
    policy = rules(tmp_path, '[attribute]\nDeidentificationMethod = "withhold"\n')
    assert cli("sync", *target, "--policy", policy).report["tools"] == {}


@pytest.mark.parametrize("keyed", [False, True])
def test_the_journal_tells_nothing_of_what_is_withheld(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, keyed: bool
) -> None:
    key = tmp_path / "a.key"
    key.write_bytes(bytes(range(40)))
    monkeypatch.setenv("DEIDFHIR_IDS", "keyed" if keyed else "named")
    monkeypatch.setenv("DEIDFHIR_KEY_FILE", str(key))
    rows = []
    for number, station in enumerate(("STATION-1", "STATION-2")):
        item = equipment(Manufacturer="M", StationName=station)
        path = write(removed(1, ContributingEquipmentSequence=[item]), tmp_path / "in" / "1.dcm")
        journal = tmp_path / f"{number}.journal"
        out = tmp_path / f"out-{number}"
        assert cli("sync", path.parent, "--to", out, "--journal", journal).code == 0
        with closing(sqlite3.connect(journal)) as database:
            rows.append(database.execute("SELECT sources FROM study").fetchall())
    assert rows[0] == rows[1]
    uid = sop_uid(1)
    guessed = sha256(uid.encode()).hexdigest()[:16]
    assert uid not in str(rows)
    assert guessed not in str(rows)


def test_a_policy_that_changes_does_not_make_sources_contradict_each_other(
    cli: Cli, tmp_path: Path
) -> None:
    item = equipment(Manufacturer="M", ContributionDescription="D")
    for name in ("a", "b"):
        made = removed(1, ContributingEquipmentSequence=[item])
        write(made, tmp_path / name / "1.dcm")
    target = ("--to", tmp_path / "out", "--json")
    assert cli("sync", tmp_path / "a", *target).code == 0
    assert cli("sync", tmp_path / "b", *target).code == 0
    policy = rules(tmp_path, '[attribute]\nContributionDescription = "withhold"\n')
    assert cli("sync", tmp_path / "a", *target, "--policy", policy).code == 0
    assert cli("sync", tmp_path / "b", *target, "--policy", policy).code == 0


def test_explain_says_that_other_equipment_stays(cli: Cli, tmp_path: Path) -> None:
    made = removed(1, ContributingEquipmentSequence=[equipment("109101", Manufacturer="M")])
    told = words_of(cli("explain", write(made, tmp_path / "1.dcm"), "--json").report)
    expected = "False holds no item of purpose 109104 (D4)"
    assert told["ContributingEquipmentSequence"] == expected


def test_a_method_that_is_withheld_whole_is_no_empty_one_in_reverse(
    cli: Cli, tmp_path: Path
) -> None:
    path = write(removed(1, DeidentificationMethod="only"), tmp_path / "1.dcm")
    policy = rules(tmp_path, '[attribute]\nDeidentificationMethod = "withhold"\n')
    bundle = tmp_path / "bundle.ndjson"
    bundle.write_text(cli("map", path, "--policy", policy).out)
    assert "00120063" not in json.loads(cli("reverse", bundle).out)
    empty = write(removed(1, DeidentificationMethod=""), tmp_path / "2.dcm")
    bundle.write_text(cli("map", empty, "--policy", policy).out)
    assert json.loads(cli("reverse", bundle).out)["00120063"] == {"vr": "LO"}


def test_explain_of_a_keyed_subject_shows_the_pseudonym(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "a.key"
    key.write_bytes(bytes(range(40)))
    path = write(removed(1, PatientID="SUBJ-4711"), tmp_path / "1.dcm")
    monkeypatch.setenv("DEIDFHIR_KEY_FILE", str(key))
    for subject, shown in (("keyed", True), ("withheld", False)):
        monkeypatch.setenv("DEIDFHIR_SUBJECT", subject)
        run = cli("explain", path, "--json")
        assert "SUBJ-4711" not in run.out
        rows = {row["attribute"]: row for row in run.report["objects"][0]["attributes"]}
        assert [len(one) for one in rows["PatientID"]["values"]] == ([32] if shown else [])
    assert "setting `subject`" in rows["PatientID"]["rule"]


def test_a_text_that_is_withheld_shows_as_such_in_show(cli: Cli, tmp_path: Path) -> None:
    path = write(removed(1, DeidentificationMethod=("first", "DOE^JANE")), tmp_path / "1.dcm")
    policy = rules(tmp_path, '[finding]\ntext-like-person = "withhold"\n')
    run = cli("show", path, "--json", "--policy", policy)
    assert run.report["studies"][0]["methods"] == [["first", {"withheld": True}]]
    assert run.report["studies"][0]["unrecognised"] == ["first"]
    assert "first | (withheld)" in cli("show", path, "--policy", policy).out
    assert "DOE" not in run.out + cli("show", path, "--policy", policy).out
    bundle = cli("map", path, "--policy", policy).out
    (tmp_path / "bundle.ndjson").write_text(bundle)
    back = cli("reverse", tmp_path / "bundle.ndjson")
    assert json.loads(back.out)["00120063"]["Value"] == ["first"]
    assert "1 elements are marked as withheld" in back.err
