"""Of a value in every attribute of Table E.1-1, exactly what the allow-list states reaches FHIR."""

from __future__ import annotations

import json
from itertools import combinations

import pytest

from deidfhir import MappingContext, map_dataset, studies_from_datasets
from deidfhir.config import Settings
from deidfhir.fhir.versions import FHIR_NAMES, FhirName
from deidfhir.mapping.study import map_study
from deidfhir.model.attributes import attributes
from deidfhir.policy.policy import Policy
from deidfhir.policy.rulable import LEAVE, WITHHOLD, rulable_attributes
from tests.privacy.allowed import OPTIONS, RULED, STATES, SUBJECT, Case
from tests.privacy.holding import full, hold
from tests.synthetic.objects import item, put

EVERYTHING = tuple(one for one in OPTIONS if one != "113106")


def held(case: Case, fhir: FhirName = "R4") -> None:
    """Map an object full of canaries, and hold what is made against what may leave."""
    made, canaries = full(case.markers())
    bundle = map_dataset(made, case.context(fhir), accept="all").bundle()
    hold(canaries, json.dumps(bundle), case.allowed)


@pytest.mark.parametrize("fhir", FHIR_NAMES)
@pytest.mark.parametrize("options", [None, (), EVERYTHING], ids=["no codes", "profile", "all"])
@pytest.mark.parametrize("state", STATES)
def test_exactly_the_allow_list_leaves_whatever_the_verdict(
    state: str, options: tuple[str, ...] | None, fhir: FhirName
) -> None:
    held(Case(state, options), fhir)


@pytest.mark.parametrize("options", [*((one,) for one in OPTIONS), *combinations(OPTIONS, 2)])
def test_what_an_option_allows_arrives_and_nothing_more(options: tuple[str, ...]) -> None:
    held(Case(options=options))


def ruled(word: str) -> list[str]:
    return [name for name, words in rulable_attributes().items() if word in words]


# These give a title only where Document Title is absent, or are not planted in a form that counts.
ELSEWHERE = {"ImageType", "ConceptNameCodeSequence", "ContentLabel", "PatientSex"}


def test_every_attribute_that_a_policy_rules_on_is_tried() -> None:
    tried = set(RULED) | ELSEWHERE | {"DeidentificationMethod"}
    assert set(ruled(LEAVE)) | set(ruled(WITHHOLD)) == tried


@pytest.mark.parametrize("state", ["removed", "not removed"])
@pytest.mark.parametrize("name", sorted({*ruled(LEAVE)} - ELSEWHERE))
def test_a_policy_lets_one_attribute_leave_and_no_other(name: str, state: str) -> None:
    held(Case(state, policy=Policy(leave=frozenset({name}))))


@pytest.mark.parametrize("level", ["Study", "Series"])
def test_a_time_leaves_with_its_date_alone(level: str) -> None:
    both = Case(policy=Policy(leave=frozenset({f"{level}Date", f"{level}Time"})))
    held(both)
    assert ("root", f"{level}Time") in both.allowed


@pytest.mark.parametrize("options", [(), EVERYTHING], ids=["profile", "all"])
@pytest.mark.parametrize("name", sorted({*ruled(WITHHOLD)} - ELSEWHERE))
def test_a_policy_withholds_one_attribute_and_no_other(name: str, options: tuple[str, ...]) -> None:
    held(Case(options=options, policy=Policy(withhold=frozenset({name}))))


def test_a_method_text_that_is_withheld_is_nowhere() -> None:
    for policy, there in (
        (Policy(withhold=frozenset({"DeidentificationMethod"})), False),
        (Policy(), True),
    ):
        case = Case(policy=policy)
        made, canaries = full({**case.markers(), "DeidentificationMethod": "WITNESS-1 4.2"})
        text = json.dumps(map_dataset(made, case.context()).bundle())
        hold(canaries, text, case.allowed)
        assert ("WITNESS" in text) is there


@pytest.mark.parametrize("title", ["DocumentTitle", "ConceptNameCodeSequence", "ContentLabel"])
def test_each_attribute_that_gives_a_title_needs_the_option(title: str) -> None:
    order = ["DocumentTitle", "ConceptNameCodeSequence", "ContentLabel", "ImageType"]
    gone = dict.fromkeys(order[: order.index(title) + 1])
    following = order[order.index(title) + 1]
    place = ("root", following)
    if following == "ConceptNameCodeSequence":
        place = ("root/ConceptNameCodeSequence", "CodeMeaning")
    for options in ((), ("113105",)):
        case = Case(options=options)
        made, canaries = full({**case.markers(), **gone})
        text = json.dumps(map_dataset(made, case.context()).bundle())
        expected = set(case.allowed) - {("root", "DocumentTitle")}
        hold(canaries, text, expected | {place} if options else expected)


def test_of_a_method_code_all_attributes_of_the_macro_leave_and_its_scheme_s_uid() -> None:
    # PS3.3 8.8: what D4 calls verbatim. Attributes of Table E.1-1 among them leave as markers do.
    values = {
        one.keyword: f"MACRO{number}"
        for number, one in enumerate(attributes("code item").values())
        if not one.items and one.vr not in ("UI", "DT", "UR")
    }
    values |= {"ContextGroupVersion": "19610203", "ContextUID": "1.2.826.9.61"}
    scheme = item(CodingSchemeDesignator="MACRO1", CodingSchemeUID="1.2.826.9.62")
    other = item(CodingSchemeDesignator="OTHER", CodingSchemeUID="1.2.826.9.63")
    stated = {
        "DeidentificationMethodCodeSequence": [item(**values), item(URNCodeValue="MACRO-URN")],
        "CodingSchemeIdentificationSequence": [scheme, other],
    }
    case = Case(options=None)
    made, canaries = full({**case.markers(), **stated})
    text = json.dumps(map_dataset(made, case.context()).bundle())
    hold(canaries, text, case.allowed)
    assert [one for one in (*values.values(), "MACRO-URN") if one not in text] == []
    assert values["CodingSchemeDesignator"] == "MACRO1"
    assert "1.2.826.9.62" in text
    assert "1.2.826.9.63" not in text


@pytest.mark.parametrize("subject", ["keyed", "withheld"])
@pytest.mark.parametrize("patient", ["reference", "resource"])
def test_a_subject_that_is_keyed_or_withheld_does_not_leave(
    subject: str, patient: str, key_file: str
) -> None:
    settings = Settings(subject=subject, patient=patient, key_file=key_file)  # type: ignore[arg-type]
    held(Case(options=EVERYTHING, settings=settings))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(patient="resource"),
        Settings(narrative=False),
        Settings(label="PSEUDED", activity="PSEUD"),
        Settings(dicomweb_root="https://archive.example/dicom-web"),
        Settings(tenant="north", canonical="https://site.example/fhir"),
    ],
    ids=["patient", "no narrative", "label", "endpoint", "tenant"],
)
@pytest.mark.parametrize("state", STATES)
def test_no_setting_lets_anything_else_leave(settings: Settings, state: str) -> None:
    held(Case(state, settings=settings))
    held(Case(state, EVERYTHING, settings=settings), "R5")


def test_keyed_ids_are_made_of_nothing_that_stays(key_file: str) -> None:
    held(Case(options=EVERYTHING, settings=Settings(ids="keyed", key_file=key_file)))


def test_patient_s_sex_leaves_with_its_option_and_a_patient_alone() -> None:
    for options, settings, leaves in (
        (("113108",), Settings(patient="resource"), True),
        (("113108",), Settings(), False),
        ((), Settings(patient="resource"), False),
    ):
        case = Case(options=options, settings=settings)
        made, canaries = full({**case.markers(), "PatientSex": "F"})
        text = json.dumps(map_dataset(made, case.context()).bundle())
        hold(canaries, text, case.allowed)
        assert ('"female"' in text) is leaves


def test_in_a_mixed_study_each_instance_lets_leave_what_it_claims_alone() -> None:
    claims = [Case(options=EVERYTHING), Case("not removed"), Case("absent", None)]
    objects, canaries = [], []
    for serial, case in enumerate(claims):
        made, own = full(case.markers(), serial)
        shared = {"StudyInstanceUID": "1.2.826.9.1", "SeriesInstanceUID": "1.2.826.9.1.1"}
        objects.append(put(made, **shared))  # new elements: the old ones are other tests', too
        canaries.append(own)
    (study,) = studies_from_datasets(objects)
    text = json.dumps(map_study(study, MappingContext()).bundle())
    joined = {
        ("root", name)
        for name in ("StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber")  # one, or none agreed
    }
    above = {SUBJECT, *RULED["StudyDate"], *RULED["StudyTime"], *RULED["SeriesDate"]}
    above |= {*RULED["SeriesTime"], *RULED["StudyDescription"], *RULED["SeriesDescription"]}
    above |= RULED["BodyPartExamined"]  # what the others lock for all
    for case, own in zip(claims, canaries, strict=True):
        hold(own, text, set(case.allowed) - joined - above)
