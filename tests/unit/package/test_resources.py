"""The published resources: FHIR's models take them, and they are what the tables say."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.check import check_whole
from deidfhir.fhir.versions import FHIR_NAMES, FhirName, fhir_version
from deidfhir.model.attributes import attributes
from deidfhir.model.checks import findings_of
from deidfhir.package.resources import conformance_resources
from deidfhir.tables import table
from tests.unit.model.records import instance, item, removed, study
from tools.generate_package import TARGET, rendered

OWN = "https://imaging.example/fhir"


def resources(fhir: FhirName = "R4", canonical: str | None = None) -> list[dict[str, Any]]:
    settings = Settings() if canonical is None else Settings(canonical=canonical)
    return conformance_resources(settings, fhir)


def one(kind: str, identity: str, fhir: FhirName = "R4") -> dict[str, Any]:
    (found,) = [
        each for each in resources(fhir) if (each["resourceType"], each["id"]) == (kind, identity)
    ]
    return found


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_every_resource_passes_the_models_of_its_version(fhir: FhirName) -> None:
    found = resources(fhir)
    for resource in found:
        check_whole(resource, fhir_version(fhir))
    kinds = {each["resourceType"] for each in found}
    assert kinds == {
        *("StructureDefinition", "CodeSystem", "ValueSet", "ConceptMap", "SearchParameter"),
        *("CapabilityStatement", "OperationDefinition"),
    }


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_names_ids_and_addresses_have_the_usual_form(fhir: FhirName) -> None:
    seen = set()
    for resource in resources(fhir):
        kind, identity = resource["resourceType"], resource["id"]
        assert resource["url"] == f"{Settings().canonical}/{kind}/{identity}"
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", identity)
        assert len(identity) <= 64
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", resource["name"])
        assert (resource["status"], resource["publisher"]) == ("active", "deidfhir")
        seen.add((kind, identity))
    assert len(seen) == len(resources(fhir))


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_a_site_can_publish_under_its_own_address(fhir: FhirName) -> None:
    text = repr(resources(fhir, OWN))
    assert Settings().canonical not in text
    assert f"{OWN}/StructureDefinition/deidentification-markers" in text


def test_every_extension_and_profile_that_the_mapping_names_is_published() -> None:
    published = {
        each["id"] for each in resources() if each["resourceType"] == "StructureDefinition"
    }
    urls = table("urls.toml")
    assert published == {*urls["extension"].values(), *urls["profile"].values()}


def test_every_code_system_that_the_mapping_names_is_published_with_its_value_set() -> None:
    systems = set(table("urls.toml")["system"].values())
    for kind in ("CodeSystem", "ValueSet"):
        assert {each["id"] for each in resources() if each["resourceType"] == kind} == systems


def test_every_slot_of_the_attributes_is_in_the_markers() -> None:
    definition = one("StructureDefinition", "deidentification-markers")
    slices = {each.get("id") for each in definition["differential"]["element"]}
    for within, above in (
        ("object", ""),
        ("code item", "methodCode"),
        ("equipment item", "equipment"),
    ):
        for attribute in attributes(within).values():
            if within == "object" and not attribute.is_marker:
                continue
            inner = f".extension:{above}" if above else ""
            assert f"Extension{inner}.extension:{attribute.slot}" in slices


@pytest.mark.parametrize("fhir", ["R4", "R5"])
def test_slots_name_their_attribute_and_the_context_group_of_their_codes(fhir: FhirName) -> None:
    definition = one("StructureDefinition", "deidentification-markers", fhir)
    assert [each["identity"] for each in definition["mapping"]] == ["dicom"]
    mapped = {
        each["id"]: each["mapping"][0]
        for each in definition["differential"]["element"]
        if "mapping" in each
    }
    addresses = table("package/terminology.toml")["dicom"]
    assert mapped["Extension.extension:method"] == {"identity": "dicom", "map": "(0012,0063)"}
    for path, tag, group in (
        ("methodCode", "(0012,0064)", "CID 7050"),
        ("equipment.extension:purposeCode", "(0040,A170)", "CID 7005"),
    ):
        entry = mapped[f"Extension.extension:{path}"]
        assert entry["map"] == tag
        assert addresses[group] in entry["comment"]


def test_code_systems_hold_the_tables() -> None:
    terms = one("CodeSystem", "deidentification-regulatory-term")
    assert [each["code"] for each in terms["concept"]] == list(
        table("regulatory-terms.toml")["term"]
    )
    assert all("https://" in each["definition"] for each in terms["concept"])
    findings = one("CodeSystem", "deidentification-finding")
    assert [each["code"] for each in findings["concept"]] == list(table("findings.toml"))


@pytest.mark.parametrize("fhir", ["R4", "R5"])
def test_concept_maps_map_every_code_of_their_context_group_or_say_that_nothing_fits(
    fhir: FhirName,
) -> None:
    codes = table("generated/dicom-codes.json")
    for resource in resources(fhir):
        if resource["resourceType"] != "ConceptMap":
            continue
        source = resource["sourceScopeUri" if fhir == "R5" else "sourceUri"]
        group = "CID 7050" if "7050" in source else "CID 7005"
        elements = resource["group"][0]["element"]
        assert {each["code"]: each["display"] for each in elements} == codes[group]
        assert all("target" in each or each.get("noMap") for each in elements)


def findings_by_code() -> dict[str, set[str]]:
    """Return the findings that each code of CID 7050 can add, as the checks give them."""
    known = table("generated/dicom-codes.json")["CID 7050"]
    every = [code for code in known if code != "113100"]
    words: tuple[tuple[str, ...] | None, ...] = (None, ("UNMODIFIED",), ("MODIFIED",), ("REMOVED",))

    def codes_of(codes: tuple[str, ...], word: tuple[str, ...] | None) -> set[str]:
        private = item(CodeValue="1", CodingSchemeDesignator="99X", CodeMeaning="Remap UIDs")
        stated = tuple(
            item(CodeValue=code, CodingSchemeDesignator="DCM", CodeMeaning=known[code])
            for code in codes
        )
        markers = replace(
            removed(method=("x",), method_code=(private, *stated)),
            longitudinal_temporal_information_modified=word,
        )
        return {one.code for one in findings_of(study(instance(1, markers)))}

    added: dict[str, set[str]] = {"113100": set()}
    for word in words:
        added["113100"] |= codes_of(("113100",), word) - codes_of((), word)
    for code in every:
        added[code] = codes_of((code,), None) - codes_of((), None)
        for word in words:
            for other in ((), *((one,) for one in every if one != code)):
                beside = ("113100", *other)
                added[code] |= codes_of((*beside, code), word) - codes_of(beside, word)
    return added


def test_the_map_to_findings_says_what_the_checks_find() -> None:
    findings = one("ConceptMap", "deidentification-method-to-finding")
    mapped = {
        each["code"]: {target.get("code") for target in each["target"]} - {None}
        for each in findings["group"][0]["element"]
    }
    found = findings_by_code()
    # What more than one instance, or a setting, leads to.
    for code in ("113106", "113107"):
        found[code].add("dates-full-and-modified")
    found["113110"].add("label-refused")
    assert mapped == {code: found.get(code, set()) for code in mapped}


def test_options_to_retain_are_no_way_to_deidentify() -> None:
    lifecycle = one("ConceptMap", "deidentification-method-to-lifecycle")
    for each in lifecycle["group"][0]["element"]:
        retains = each["display"].startswith("Retain")
        expected = "relatedto" if retains else "wider"
        assert [one["equivalence"] for one in each["target"]] == [expected], each["code"]


def test_retained_uids_rule_out_the_label_anonyed() -> None:
    labels = one("ConceptMap", "deidentification-method-to-label")
    (element,) = [each for each in labels["group"][0]["element"] if each["code"] == "113110"]
    assert [(each["code"], each["equivalence"]) for each in element["target"]] == [
        ("ANONYED", "disjoint")
    ]


def test_the_source_and_the_generated_form_have_not_drifted() -> None:
    wanted = rendered()
    there = {
        path.relative_to(TARGET).as_posix(): path.read_text(encoding="utf-8")
        for path in TARGET.rglob("*.json")
    }
    assert sorted(there) == sorted(wanted)
    assert [name for name in wanted if there[name] != wanted[name]] == []
