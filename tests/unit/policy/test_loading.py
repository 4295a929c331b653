"""A policy file: what it says, and how its mistakes are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deidfhir.config import Settings
from deidfhir.errors import UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.model.verdict import Verdict
from deidfhir.policy.loading import load_policy
from deidfhir.policy.policy import Policy, policy_line
from deidfhir.policy.rulable import rulable_attributes, rulable_findings
from deidfhir.policy.ruling import Claims, rulings
from deidfhir.tables import table

PAGE = Path(__file__).resolve().parents[3] / "docs" / "policy.md"


def loaded(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    return load_policy(str(path))


def test_without_a_file_the_default_holds_and_loosens_nothing() -> None:
    policy = load_policy()
    assert policy == Policy()
    assert policy.accept == {Verdict.REMOVED}
    assert policy.leave | policy.withhold | policy.refuse | policy.withhold_texts == set()
    assert not policy.inferred_codes


def test_an_empty_file_is_the_default_but_for_its_name(tmp_path: Path) -> None:
    policy = loaded(tmp_path, "")
    assert policy.name == "site"
    assert policy.digest == Policy().digest


def test_the_file_of_the_page_is_one(tmp_path: Path) -> None:
    match = re.search(r"<!-- file: policy.toml -->\n```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert match is not None
    policy = loaded(tmp_path, match[1])
    assert policy == Policy(
        name="research export",
        accept=frozenset({Verdict.REMOVED, Verdict.UNKNOWN}),
        refuse=frozenset({"encrypted-attributes"}),
        withhold_texts=frozenset({"text-like-person", "text-like-operator", "text-like-batch"}),
        leave=frozenset({"StudyDescription", "OperatorsName"}),
        withhold=frozenset({"ContributionDescription"}),
        agents=frozenset({"orthanc"}),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1", ["colour", "no such key", "accept"]),
        ("accept = 'removed'", ["accept", "list of texts"]),
        ("accept = ['clean']", ["accept", "'clean'", "not-removed"]),
        ("inferred_codes = 'yes'", ["inferred_codes", "true or false"]),
        ("agents = [7]", ["agents", "list of texts"]),
        ("name = ''", ["name", "one line"]),
        ('name = "a\\nb"', ["name", "one line"]),
        ("finding = 7", ["finding", "a table"]),
        ("[finding]\nno-such = 'refuse'", ["finding.no-such", "known:"]),
        ("[finding]\ntruncated = 'refuse'", ["finding.truncated", "no policy rules on it"]),
        ("[finding]\nuids-retained = 'withhold'", ["finding.uids-retained", "takes refuse"]),
        ("[finding]\nuids-retained = 7", ["finding.uids-retained", "takes refuse"]),
        ("[attribute]\nPatientName = 'leave'", ["attribute.PatientName", "no policy rules on it"]),
        ("[attribute]\nPatientID = 'leave'", ["attribute.PatientID", "takes withhold"]),
        ("[attribute]\nStudyInstanceUID = 'withhold'", ["attribute.StudyInstanceUID"]),
        ("[attribute]\nPatientIdentityRemoved = 'withhold'", ["PatientIdentityRemoved"]),
        ("[attribute]\nOperatorIdentificationSequence = 'leave'", ["OperatorIdentification"]),
        ("[attribute]\nStudyDate = 'keep'", ["attribute.StudyDate", "leave or withhold"]),
    ],
)
def test_a_mistake_is_told_with_file_and_key(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        loaded(tmp_path, text)
    assert raised.value.code == "policy-entry"
    told = str(raised.value)
    assert "\n" not in told
    for word in (str(tmp_path / "site.toml"), *words):
        assert word in told


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        loaded(tmp_path, "accept removed")
    assert raised.value.code == "policy-form"


def test_what_decisions_settle_no_policy_changes() -> None:
    rulable = rulable_attributes()
    # D1 to D3: the verdict's markers. D5, D6: identifiers. D17: what ids are made of.
    fixed = {
        *("PatientIdentityRemoved", "BurnedInAnnotation", "RecognizableVisualFeatures"),
        *("DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified"),
        *("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality"),
        *("OperatorIdentificationSequence", "PurposeOfReferenceCodeSequence"),
        *("ContributingEquipmentSequence", "EncryptedAttributesSequence"),
    }
    assert fixed & set(rulable) == set()
    assert rulable["PatientID"] == ("withhold",)
    assert "duplicate-instance-differs" not in rulable_findings()


def test_only_findings_about_method_texts_can_withhold() -> None:
    withhold = {code for code, words in rulable_findings().items() if "withhold" in words}
    assert withhold == set(table("telling-texts.toml"))


def test_names_of_attributes_are_unambiguous() -> None:
    rows = [row for row in table("attributes.toml")["attribute"] if "site" in row]
    assert len({row["keyword"] for row in rows}) == len(rows)


def test_the_digest_changes_with_everything_but_the_name() -> None:
    changed = [
        Policy(accept=frozenset(Verdict)),
        Policy(refuse=frozenset({"uids-retained"})),
        Policy(withhold_texts=frozenset({"text-like-person"})),
        Policy(leave=frozenset({"StudyDate"})),
        Policy(withhold=frozenset({"StudyDate"})),
        Policy(inferred_codes=True),
        Policy(agents=frozenset({"orthanc"})),
    ]
    digests = {one.digest for one in (Policy(), *changed)}
    assert len(digests) == len(changed) + 1
    assert Policy(name="other").digest == Policy().digest


def test_a_policy_that_accepts_nothing_says_so(tmp_path: Path) -> None:
    policy = loaded(tmp_path, "accept = []")
    assert policy.accept == set()
    assert "accept nothing" in policy_line(policy.as_dict())


def test_the_line_names_the_settings_beside_the_policy_where_they_are_not_the_usual() -> None:
    settings = Settings(subject="withheld", label="PSEUDED", ids="keyed")
    line = policy_line(MappingContext(settings=settings).decided())
    assert line.endswith(": accept removed; subject withheld; label PSEUDED; ids keyed")
    assert policy_line(MappingContext().decided()).endswith(": accept removed")


def test_what_is_left_and_withheld_at_once_is_withheld() -> None:
    both = frozenset({"StudyDescription"})
    claims = Claims(frozenset({"113105"}), removed=True)
    ruled = rulings("object", claims, Policy(leave=both, withhold=both))
    assert not ruled["StudyDescription"].leaves


def test_the_line_of_a_report_names_every_departure() -> None:
    policy = Policy(
        "house",
        refuse=frozenset({"uids-retained"}),
        leave=frozenset({"StudyDate"}),
        withhold=frozenset({"PatientID"}),
        inferred_codes=True,
        agents=frozenset({"orthanc"}),
    )
    assert policy_line(policy.as_dict()) == (
        f"house ({policy.digest}): accept removed; uids-retained refuse; PatientID withhold; "
        "StudyDate leave; inferred codes unlock; agent orthanc"
    )
