"""What a policy changes in the FHIR: texts, codes, agents, subjects, ids (D5 to D7, D16, D17)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deidfhir import read_back
from deidfhir.config import Settings
from deidfhir.errors import UsageError
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.leaving import leaving_study
from deidfhir.mapping.patient import withdrawn_patient
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.record import MASKED, Instance, Markers
from deidfhir.policy.policy import Policy
from deidfhir.recognition.vocabulary import load_vocabulary
from tests.unit.model.records import dcms, equipment, instance, removed, study

PERSON = Policy(withhold_texts=frozenset({"text-like-person", "text-like-operator"}))
PACKED = "DCM:113100/113105/113107/113109/113112"
CANONICAL = "https://deidfhir.example/fhir/StructureDefinition"


def made(*instances: Instance, policy: Policy | None = None, **settings: Any) -> MappedStudy:  # noqa: ANN401
    context = MappingContext("R4", Settings(**settings), policy=policy)
    return map_study(study(*instances), context)


def texts_of(resource: JsonObject) -> list[str]:
    (markers,) = [one for one in resource["extension"] if one["url"].endswith("-markers")]
    slots = [one for one in markers["extension"] if one["url"] == "method"]
    return [one.get("valueString", "withheld") for one in slots]


def test_a_text_that_tells_is_withheld_in_its_place_and_the_others_leave() -> None:
    given = removed(method=("Orthanc 1.12.7", "DOE^JANE", "OP: 7", "last"))
    found = made(instance(1, given), policy=PERSON)
    expected = ["Orthanc 1.12.7", "withheld", "withheld", "last"]
    assert texts_of(found.imaging_study) == texts_of(found.provenances[0]) == expected
    text = json.dumps(found.bundle())
    assert "DOE" not in text
    assert "OP: 7" not in text
    (back,) = read_back([found.bundle()])
    method = ("Orthanc 1.12.7", MASKED, MASKED, "last")
    assert back.instances[0].markers.method == method


def test_by_default_such_a_text_leaves_with_a_finding() -> None:
    found = made(instance(1, removed(method=("DOE^JANE",))))
    assert texts_of(found.imaging_study) == ["DOE^JANE"]


def test_nothing_is_inferred_from_a_text_that_is_withheld() -> None:
    policy = Policy(withhold=frozenset({"DeidentificationMethod"}))
    given = removed(method=("CTP: DICOM-S142-Baseline: 20090420:133941", "Orthanc 1.12.7"))
    text = json.dumps(made(instance(1, given), policy=policy).bundle())
    for word in ("2009", "1.12.7", "orthanc", "Orthanc", "inferred"):
        assert word not in text
    open_text = json.dumps(made(instance(1, given)).bundle())
    assert all(word in open_text for word in ("2009", "1.12.7", "orthanc", "inferred"))


def test_a_text_that_is_too_long_to_be_looked_at_is_withheld_too() -> None:
    given = removed(method=("x" * 300, "short"))
    assert texts_of(made(instance(1, given), policy=PERSON).imaging_study) == ["withheld", "short"]
    assert texts_of(made(instance(1, given)).imaging_study) == ["x" * 300, "short"]


def test_instances_whose_texts_differ_only_in_what_is_withheld_share_one_provenance() -> None:
    texts = [("tool", "DOE^JANE"), ("tool", "ROE^RICHARD")]
    instances = [instance(n, removed(method=one)) for n, one in enumerate(texts, 1)]
    assert len(made(*instances, policy=PERSON).provenances) == 1
    assert len(made(*instances).provenances) == 2


def test_a_method_that_is_withheld_still_counts_for_the_verdict() -> None:
    given = Markers(("NO",), ("tool",))
    policy = Policy(withhold=frozenset({"DeidentificationMethod"}))
    found = made(instance(1, given), policy=policy)
    assert '"contradictory"' in json.dumps(found.imaging_study)


DATED: dict[str, Any] = {
    "study_date": "20000612",
    "study_description": "CT CHEST",
    "body_part": "CHEST",
}


@pytest.mark.parametrize("counts", [False, True])
def test_codes_in_a_text_unlock_only_if_the_policy_says_so(*, counts: bool) -> None:
    item = equipment(Manufacturer="M", StationName="STATION", InstitutionName="INSTITUTION")
    given = removed(method=(PACKED,), equipment=(item,))
    found = made(instance(1, given, **DATED), policy=Policy(inferred_codes=counts))
    text = json.dumps(found.imaging_study)
    for word in ("CT CHEST", "2000-06-12", "STATION", "INSTITUTION", "dates-modified"):
        assert (word in text) is counts
    assert "policy" not in found.provenances[0]  # inferred codes stand for no stated ones (D13)


def test_dates_that_count_by_inference_clash_with_others_as_stated_ones_do() -> None:
    full = removed(method_code=dcms("113106"))
    shifted = removed(method=("DCM:113100/113107",))
    found = made(
        instance(1, full, **DATED),
        instance(2, shifted, **DATED),
        policy=Policy(inferred_codes=True),
    )
    assert "2000-06-12" not in json.dumps(found.bundle())
    assert "dates-full-and-modified" in [one.code for one in found.findings]


def test_dates_that_leave_by_policy_alone_do_not_stand_beside_shifted_ones() -> None:
    policy = Policy(leave=frozenset({"StudyDate", "SeriesDate"}))
    unsaid = instance(1, removed(), series_date="20000612")
    shifted = removed(method_code=dcms("113107"))
    other = instance(1, shifted, series=2, series_date="20001225")
    assert "2000-06-12" in json.dumps(made(unsaid, policy=policy).bundle())
    text = json.dumps(made(unsaid, other, policy=policy).bundle())
    assert "2000" not in text
    # What has no date of its own says nothing about those of the others.
    undated = instance(1, removed(), series=3)
    assert "2000-12-25" in json.dumps(made(undated, other, policy=policy).bundle())


def test_an_option_counts_for_a_clash_even_where_there_is_no_date() -> None:
    full = instance(1, removed(method_code=dcms("113106")))
    shifted = instance(2, removed(method_code=dcms("113107")), series=2, series_date="20001225")
    found = made(full, shifted)
    assert "2000" not in json.dumps(found.bundle())
    assert "dates-full-and-modified" in [one.code for one in found.findings]


def test_inferred_codes_count_beside_stated_ones() -> None:
    given = removed(method=("DCM:113100/113107",), method_code=dcms("113105"))
    text = json.dumps(
        made(instance(1, given, **DATED), policy=Policy(inferred_codes=True)).bundle()
    )
    assert "CT CHEST" in text
    assert "2000-06-12" in text


def test_a_blank_text_is_nothing_to_withhold() -> None:
    policy = Policy(withhold=frozenset({"DeidentificationMethod"}))
    (back,) = read_back([made(instance(1, removed(method=("", "x"))), policy=policy).bundle()])
    assert back.instances[0].markers.method == ("", MASKED)


def test_what_leaves_knows_no_path() -> None:
    kept, _ = leaving_study(study(instance(1, path="DOE/1.dcm")), MappingContext())
    assert kept.instances[0].path == ""


PROMOTE = Policy(agents=frozenset({"orthanc"}))


def promoted(found: MappedStudy) -> list[JsonObject]:
    return [one for one in found.devices if "extension" in one]


def test_a_tool_that_the_policy_promotes_becomes_the_agent_and_is_marked() -> None:
    given = removed(method=("Orthanc 1.12.7", "other"))
    found = made(instance(1, given), policy=PROMOTE)
    (device,) = promoted(found)
    mark = [{"url": f"{CANONICAL}/deidentification-promoted", "valueCode": "orthanc"}]
    assert device["extension"] == mark
    assert device["deviceName"] == [{"name": "Orthanc", "type": "model-name"}]
    assert device["version"] == [{"value": "1.12.7"}]
    assert device["type"]["coding"][0]["code"] == "109104"
    assert "inferred from a wording, not stated: Orthanc 1.12.7" in device["text"]["div"]
    (agent,) = found.provenances[0]["agent"]
    assert agent["extension"] == mark
    assert agent["who"] == {"reference": f"Device/{device['id']}", "type": "Device"}
    assert "inferred" in json.dumps(found.provenances[0]["extension"])


def test_the_same_tool_in_two_values_is_one_agent_and_two_versions_are_two() -> None:
    same = removed(method=("Orthanc 1.12.7", "other", "Orthanc 1.12.7"))
    found = made(instance(1, same), policy=PROMOTE)
    assert (len(promoted(found)), len(found.provenances[0]["agent"])) == (1, 1)
    versions = removed(method=("Orthanc 1.12.7", "other", "Orthanc 1.12.8"))
    found = made(instance(1, versions), policy=PROMOTE)
    assert (len(promoted(found)), len(found.provenances[0]["agent"])) == (2, 2)


def test_a_promoted_tool_has_the_maker_that_its_entry_names() -> None:
    maker = next(
        one for one in load_vocabulary().tools if one.manufacturer and one.id == "mri-reface"
    )
    policy = Policy(agents=frozenset({"mri-reface"}))
    (device,) = promoted(made(instance(1, removed(method=("mri_reface 0.3.3",))), policy=policy))
    assert device["manufacturer"] == maker.manufacturer


def test_a_tool_is_not_promoted_by_default_nor_beside_recorded_equipment() -> None:
    given = removed(method=("Orthanc 1.12.7",))
    assert promoted(made(instance(1, given))) == []
    recorded = removed(method=("Orthanc 1.12.7",), equipment=(equipment(Manufacturer="Orthanc"),))
    assert promoted(made(instance(1, recorded), policy=PROMOTE)) == []


def test_a_promoted_device_is_none_that_an_item_names() -> None:
    named = equipment(ManufacturerModelName="Orthanc", SoftwareVersions="1.12.7")
    stated = made(instance(1, removed(equipment=(named,))), policy=PROMOTE)
    inferred = made(instance(1, removed(method=("Orthanc 1.12.7",))), policy=PROMOTE)
    assert {one["id"] for one in stated.devices} & {one["id"] for one in inferred.devices} == set()


def test_a_policy_that_names_no_tool_is_told() -> None:
    with pytest.raises(UsageError) as raised:
        MappingContext(policy=Policy("house", agents=frozenset({"nobody"}))).prepare()
    assert "nobody" in str(raised.value)
    assert "orthanc" in {one.id for one in load_vocabulary().tools}


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "site.key"
    path.write_bytes(bytes(range(32)) + b"0123456789")
    return str(path)


def identifier(found: MappedStudy) -> str | None:
    subject: JsonObject = found.imaging_study["subject"]
    value: str | None = subject.get("identifier", {}).get("value")
    return value


def test_a_keyed_subject_is_the_same_for_the_same_patient_of_a_tenant(
    key_file: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.key"
    other.write_bytes(bytes(range(100, 150)))
    keyed: dict[str, Any] = {"subject": "keyed", "key_file": key_file}
    one, two = instance(1, patient_id="SUBJ-1"), instance(1, patient_id="SUBJ-2")
    again = instance(1, patient_id="SUBJ-1", study_uid="1.2.826.9")
    first = identifier(made(one, **keyed))
    assert first == identifier(made(again, **keyed))
    assert first is not None
    assert len(first) == 32
    different = {
        identifier(made(two, **keyed)),
        identifier(made(one, **keyed, tenant="north")),
        identifier(made(one, subject="keyed", key_file=str(other))),
        identifier(made(one)),
    }
    assert len(different | {first}) == 5


def test_a_subject_that_is_withheld_says_so() -> None:
    for one in (
        made(instance(1, patient_id="SUBJ-1"), subject="withheld"),
        made(instance(1, patient_id="SUBJ-1"), policy=Policy(withhold=frozenset({"PatientID"}))),
    ):
        assert identifier(one) is None
        assert '"masked"' in json.dumps(one.imaging_study["subject"])
        assert "SUBJ" not in json.dumps(one.bundle())


def test_what_a_key_makes_is_pinned(key_file: str) -> None:
    # Another algorithm would tear apart what researchers join on, and double every resource.
    keyed: dict[str, Any] = {"subject": "keyed", "ids": "keyed", "key_file": key_file}
    found = made(instance(1, patient_id="SUBJ-1"), **keyed)
    assert identifier(found) == "1fb4097d2fc2cc637a2cb49cfaba5f1b"
    assert found.imaging_study["id"] == "cd5a8031-bf1b-88af-93e5-722b55969e4a"


def test_an_empty_patient_id_is_not_said_to_be_withheld() -> None:
    found = made(instance(1, Markers(("NO",))))
    assert '"unknown"' in json.dumps(found.imaging_study["subject"])


def test_a_patient_that_may_not_be_deleted_is_left_inactive_and_empty() -> None:
    left = withdrawn_patient("p1", MappingContext())
    assert (left["active"], set(left)) == (False, {"resourceType", "id", "text", "active"})


def test_ids_with_a_key_are_others_for_every_key_and_tenant(key_file: str, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_bytes(bytes(range(100, 150)))
    item = equipment(Manufacturer="M")
    one = instance(1, removed(equipment=(item,)), patient_id="SUBJ-1")

    def ids(**settings: Any) -> set[str]:  # noqa: ANN401
        found = made(one, patient="resource", dicomweb_root="https://x.example/d", **settings)
        return {resource["id"] for resource in found.resources}

    every = [
        ids(),
        ids(ids="keyed", key_file=key_file),
        ids(ids="keyed", key_file=str(other)),
        ids(ids="keyed", key_file=key_file, tenant="north"),
        ids(ids="keyed", key_file=key_file, namespace="https://other.example/ids"),
    ]
    assert [len(one) for one in every] == [5] * 5
    assert len(set().union(*every)) == 25
    assert ids(ids="keyed", key_file=key_file) == every[1]
    for text in every[1]:
        assert UUID(text).variant == "specified in RFC 4122"
        assert text[14] == "8"


def test_a_changed_claim_keeps_its_keyed_ids(key_file: str) -> None:
    keyed: dict[str, Any] = {"ids": "keyed", "key_file": key_file}
    before = made(instance(1, removed(method=("a",))), **keyed)
    after = made(instance(1, removed(method=("b",), method_code=dcms("113100"))), **keyed)
    assert [one["id"] for one in before.resources] == [one["id"] for one in after.resources]


@pytest.mark.parametrize(
    ("sex", "gender"), [("F", "female"), ("M", "male"), ("O", "other"), ("X", None), ("", None)]
)
def test_patient_s_sex_becomes_a_gender_or_nothing(sex: str, gender: str | None) -> None:
    given = removed(method_code=dcms("113100"))
    policy = Policy(leave=frozenset({"PatientSex"}))
    found = made(
        instance(1, given, patient_id="S", patient_sex=sex), policy=policy, patient="resource"
    )
    assert found.patient is not None
    assert found.patient.get("gender") == gender


def test_instances_that_differ_in_sex_give_none() -> None:
    policy = Policy(leave=frozenset({"PatientSex"}))
    pair = [instance(n, patient_id="S", patient_sex=sex) for n, sex in ((1, "F"), (2, "M"))]
    found = made(*pair, policy=policy, patient="resource")
    assert found.patient is not None
    assert "gender" not in found.patient
