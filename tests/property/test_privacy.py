"""What is withheld appears nowhere in what leaves; what the codes allow arrives (D4 to D6)."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from deidfhir.fhir.versions import FHIR_NAMES, FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import map_study
from deidfhir.model.record import Item, Markers
from deidfhir.policy.policy import Policy
from tests.unit.model.records import dcms, equipment, instance, item, study

MODEST = settings(max_examples=80, deadline=None, derandomize=True)

# Element of an equipment item → what lets it leave, by D4.
ITEM_RULES: Final = {
    "Manufacturer": "always",
    "InstitutionName": "113112",
    "InstitutionAddress": "113112",
    "StationName": "113109",
    "InstitutionalDepartmentName": "113112",
    "OperatorsName": "operators",
    "ManufacturerModelName": "always",
    "DeviceSerialNumber": "113109",
    "SoftwareVersions": "always",
    "ContributionDescription": "always",
}
# Fact of an instance → what lets it leave, by D5 and D6.
FACT_RULES: Final = {
    "study_description": "113105",
    "series_description": "113105",
    "body_part": "113105",
    "title": "113105",
    "patient_id": "removed",
    "path": "never",
}
CODES: Final = ("113100", "113105", "113106", "113107", "113109", "113110", "113112")
CANARY: Final = re.compile(r"CANARY-\w+")


def planted() -> Item:
    """Make an equipment item in which every value tells its place."""
    values: dict[str, Any] = {keyword: f"CANARY-{keyword}" for keyword in ITEM_RULES}
    values["UDISequence"] = (item(UniqueDeviceIdentifier="CANARY-UDISequence"),)
    values["InstitutionalDepartmentTypeCodeSequence"] = (item(CodeMeaning="CANARY-DeptType"),)
    return equipment(**values)


def allowed(word: str, codes: list[str], *, operators: bool) -> set[str]:
    """Return the canaries that may be seen."""
    unlocked = {"always", *codes} | ({"operators"} if operators else set())
    rules = {**ITEM_RULES, "UDISequence": "113109", "DeptType": "113112"}
    if word == "YES":
        unlocked.add("removed")
    return {f"CANARY-{name}" for name, rule in {**rules, **FACT_RULES}.items() if rule in unlocked}


@MODEST
@given(
    word=st.sampled_from(["YES", "NO", "", "TRUE"]),
    codes=st.lists(st.sampled_from(CODES), unique=True),
    operators=st.booleans(),
    version=st.sampled_from(FHIR_NAMES),
)
def test_exactly_what_may_leave_is_seen(
    word: str, codes: list[str], version: FhirName, *, operators: bool
) -> None:
    markers = Markers((word,), None, dcms(*codes), equipment=(planted(),))
    facts: dict[str, Any] = {name: f"CANARY-{name}" for name in FACT_RULES}
    policy = Policy(leave=frozenset({"OperatorsName"} if operators else ()))
    context = MappingContext(version, policy=policy)
    made = map_study(study(instance(1, markers, **facts)), context)
    seen = set(CANARY.findall(json.dumps(made.bundle())))
    assert seen == allowed(word, codes, operators=operators)


@MODEST
@given(
    codes=st.lists(st.lists(st.sampled_from(CODES), unique=True), min_size=2, max_size=4),
    word=st.sampled_from(["YES", "NO"]),
)
def test_one_instance_that_locks_a_description_locks_it_for_all(
    codes: list[list[str]], word: str
) -> None:
    facts: dict[str, Any] = {
        "study_description": "CANARY-study",
        "series_description": "CANARY-series",
        "body_part": "CANARY-body",
        "patient_id": "CANARY-patient",
    }
    first = instance(0, Markers((word,)), **facts)
    others = [
        instance(n, Markers(("YES",), None, dcms(*one)), **facts) for n, one in enumerate(codes, 1)
    ]
    made = map_study(study(first, *others), MappingContext())
    expected = ["CANARY-patient"] if word == "YES" else []
    assert CANARY.findall(json.dumps(made.bundle())) == expected


@MODEST
@given(codes=st.lists(st.sets(st.sampled_from(CODES)), min_size=1, max_size=4))
def test_dates_leave_only_where_every_instance_allows_the_same(codes: list[set[str]]) -> None:
    instances = [
        instance(
            n,
            Markers(("YES",), None, dcms(*sorted(one))),
            study_date="19990102",
            series_date="19990102",
        )
        for n, one in enumerate(codes)
    ]
    made = map_study(study(*instances), MappingContext())
    choices = {frozenset(one & {"113106", "113107"}) for one in codes}
    open_to_all = len(choices) == 1 and frozenset() not in choices
    text = json.dumps(made.bundle())
    assert text.count('"1999-01-02"') == (2 if open_to_all else 0)
    shifted = any("113107" in one for one in codes) and open_to_all
    assert ("dates-modified" in text) is shifted
