"""HL7's validator on real HAPI finds nothing wrong with anything that the mapping makes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deidfhir import MappingContext, studies_from_paths
from deidfhir.config import Settings
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.enriched import enriched
from deidfhir.mapping.foreign import Foreign
from deidfhir.mapping.study import foreign_provenances, map_study
from deidfhir.mapping.withdrawal import withdrawn_provenance, withdrawn_study
from deidfhir.model.attributes import attributes
from deidfhir.package.layout import examples
from deidfhir.package.resources import conformance_resources
from deidfhir.policy.policy import Policy
from deidfhir.policy.rulable import LEAVE, WITHHOLD, rulable_attributes
from deidfhir.recognition.vocabulary import load_vocabulary
from deidfhir.tables import table
from tests.conftest import Server
from tests.integration.packaged import packaged
from tests.integration.validation import unexpected, unexpected_of_conformance, validated
from tests.synthetic.pathologies import PATHOLOGIES
from tests.synthetic.samples import write_samples
from tests.synthetic.tool_texts import TOOLS, WORDINGS
from tests.unit.model.records import instance, removed, study

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PLAIN = Settings()
EVERYTHING = Settings(
    label="PSEUDED",
    activity="PSEUD",
    patient="resource",
    dicomweb_root="https://archive.example/dicom-web",
)
WITHOUT_TEXT = Settings(activity="ANONY", narrative=False, subject="withheld")
LOOSE = Policy(
    leave=frozenset(name for name, words in rulable_attributes().items() if LEAVE in words),
    inferred_codes=True,
    agents=frozenset(one.id for one in load_vocabulary().tools),
)
TIGHT = Policy(
    withhold=frozenset(name for name, words in rulable_attributes().items() if WITHHOLD in words)
    - {"DeidentificationMethod"},
    withhold_texts=frozenset(table("telling-texts.toml")),
)
POLICIES = {PLAIN: Policy(), EVERYTHING: LOOSE, WITHOUT_TEXT: TIGHT}
Resources = list[dict[str, Any]]


def mapped(
    paths: Iterable[Path], fhir: FhirName, settings: Settings, recorded: str | None = None
) -> Resources:
    """Return what is made of every study, whatever it claims."""
    context = MappingContext(fhir, settings, recorded, POLICIES[settings])
    return [
        resource
        for one in studies_from_paths(paths)
        if not one.conflicting
        for resource in map_study(one, context).resources
    ]


def foreign(paths: Iterable[Path], fhir: FhirName) -> Resources:
    """Return what is stated of every study by someone else's ImagingStudy.

    Such as ours without anything of ours; every other one lists but one instance a series.
    """
    context = MappingContext(fhir, EVERYTHING, "2026-01-31T12:00:00Z")
    resources = []
    for number, one in enumerate(studies_from_paths(paths)):
        if one.conflicting:
            continue
        ours = map_study(one, context).imaging_study
        theirs = withdrawn_study(ours, context) | {"id": f"pacs-{number}"}
        if number % 2:
            counts = ("numberOfInstances", "numberOfSeries")
            theirs = {key: each for key, each in theirs.items() if key not in counts}
            theirs["series"] = [
                {key: each for key, each in series.items() if key not in counts}
                | {"instance": series["instance"][:1]}
                for series in theirs["series"]
            ]
        made = enriched(theirs, ours, one, context)
        resources += [made] if made else []
        for way in (False, True):
            listed = Foreign.of(theirs, enriched=way)
            resources += foreign_provenances(one, listed, context)
    return resources


@pytest.fixture(scope="module")
def oddities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the samples and all pathologies, each into a folder of its own."""
    folder = tmp_path_factory.mktemp("oddities")
    write_samples(folder / "samples")
    for number, one in enumerate(PATHOLOGIES):
        one.write(folder / f"pathology-{number}")
    return folder


def inferring(fhir: FhirName) -> Resources:
    """Return the studies and Provenance of what every known tool writes."""
    return [
        resource
        for number, one in enumerate((*TOOLS, *WORDINGS))
        for resource in map_study(
            study(instance(1, removed(method=one.texts), study_uid=f"1.2.826.8.{number}")),
            MappingContext(fhir),
        ).resources
    ]


def test_every_resource_of_every_golden_story_is_valid(server: Server) -> None:
    url = packaged(server)
    stories = sorted(GOLDEN.glob(f"*/expected.{server.fhir}.json"))
    resources = [
        entry["resource"]
        for story in stories
        for entry in json.loads(story.read_text(encoding="utf-8"))["entry"]
    ]
    assert len(stories) >= 17
    assert unexpected(validated(url, resources)) == []


def test_every_example_of_the_package_is_valid(server: Server) -> None:
    found = examples(Settings(), server.fhir)
    assert len(found) > 30
    assert unexpected(validated(packaged(server), found)) == []


def test_every_conformance_resource_of_the_package_is_valid(server: Server) -> None:
    found = conformance_resources(Settings(), server.fhir)
    assert len(found) > 20
    assert unexpected_of_conformance(validated(packaged(server), found)) == []


@pytest.mark.parametrize("settings", [PLAIN, EVERYTHING], ids=["plain", "everything"])
def test_whatever_is_made_of_real_files_is_valid(
    server: Server, real_folder: Path, settings: Settings
) -> None:
    resources = mapped([real_folder], server.fhir, settings, "2026-01-31T12:00:00Z")
    assert len(resources) > 70
    assert unexpected(validated(packaged(server), resources)) == []


@pytest.mark.parametrize(
    "settings",
    [PLAIN, EVERYTHING, WITHOUT_TEXT],
    ids=["plain", "everything", "without narrative"],
)
def test_whatever_is_made_of_samples_and_oddities_is_valid(
    server: Server, oddities: Path, settings: Settings
) -> None:
    resources = mapped([oddities], server.fhir, settings)
    issues = unexpected(validated(packaged(server), resources))
    if not settings.narrative:
        # What a site gives up by leaving the narrative out (FHIR narrative.html, dom-6).
        issues = [one for one in issues if "dom-6" not in one.text]
    assert issues == []


def test_what_is_inferred_of_every_known_tool_is_valid(server: Server) -> None:
    resources = inferring(server.fhir)
    assert len(resources) > 150
    assert unexpected(validated(packaged(server), resources)) == []


def test_what_is_left_of_withdrawn_statements_is_valid(server: Server, oddities: Path) -> None:
    context = MappingContext(server.fhir)
    left = {"ImagingStudy": withdrawn_study, "Provenance": withdrawn_provenance}
    resources = [
        left[one["resourceType"]](one, context)
        for one in mapped([oddities / "samples"], server.fhir, PLAIN)
        if one["resourceType"] in left
    ]
    assert len(resources) > 10
    assert unexpected(validated(packaged(server), resources)) == []


def test_what_is_stated_by_the_resources_of_others_is_valid(server: Server, oddities: Path) -> None:
    resources = foreign([oddities / "samples"], server.fhir)
    assert len(resources) > 20
    assert unexpected(validated(packaged(server), resources)) == []


def test_what_was_validated_has_every_slot_and_extension_that_can_be_emitted(
    oddities: Path, real_folder: Path
) -> None:
    resources = [
        one
        for settings in POLICIES
        for one in mapped([oddities, real_folder], "R4", settings, "2026-01-31T12:00:00Z")
    ]
    resources += foreign([oddities], "R4")
    seen = {name for one in (*resources, *inferring("R4")) for name in _slots(one, "")}
    slots = {f"markers.{one.slot}" for one in attributes("object").values() if one.is_marker} | {
        f"methodCode.{name}" for name in ("item", "coding", "codeValue", "codeMeaning")
    }
    slots |= {
        f"equipment.{one.slot}"
        for one in attributes("equipment item").values()
        if one.keyword
        in ("Manufacturer", "StationName", "SoftwareVersions", "ContributionDateTime")
    }
    slots |= {f"inferred.{name}" for name in ("rule", "value", "tool", "name", "version", "code")}
    slots |= {
        f"inferred.{name}" for name in ("manufacturer", "date", "edition", "term", "evidence")
    }
    slots |= {f"step.{name}" for name in ("scope", "key", "place")} | {"follows", "dates-modified"}
    slots |= {"promoted"} | {"instances.series", "added.owner", "added.label"}
    slots |= {"series.uid", "series.instance", "instance.uid", "instance.markers"}
    assert sorted(slots - seen) == []


def _slots(value: Any, above: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield the names of all extensions, with the name of the one that holds them."""
    if isinstance(value, list):
        for one in value:
            yield from _slots(one, above)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key != "extension":
                yield from _slots(one, above)
                continue
            for each in one:
                name = str(each.get("url", "")).rsplit("/", 1)[-1].removeprefix("deidentification-")
                yield f"{above}.{name}".removeprefix(".")
                yield from _slots(each, name)
