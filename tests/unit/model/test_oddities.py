"""Each oddity of real tools is found where it is, and not where it only seems to be."""

from __future__ import annotations

import pytest

from deidfhir.model.checks import findings_of
from deidfhir.model.oddities import oddities
from deidfhir.model.record import Instance, Item, Markers
from deidfhir.tables import table
from tests.synthetic.vocabulary import PACKED_TEXT, TCIA_TEXT

from .records import CT, dcm, dcms, equipment, instance, item, removed, study

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
DATED = equipment(Manufacturer="maker", ContributionDateTime="20180803")


def of(markers: Markers, sop_class: str = CT) -> Instance:
    return instance(1, markers, sop_class_uid=sop_class)


def shown(one: Instance) -> list[str]:
    return list(oddities(one.markers, one.facts.sop_class_uid))


def coded(*items: Item, schemes: tuple[tuple[str, str], ...] = ()) -> Instance:
    return of(removed(method_code=(dcm("113100"), *items), coding_schemes=schemes))


def texts(*method: str, codes: tuple[str, ...] = ()) -> Instance:
    return of(removed(method=method, method_code=dcms(*codes) or None))


def code(value: str, scheme: str = "DCM", meaning: str = "m") -> Item:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


REMAP = code("210001", "99PMP", "Remap UIDs")
SHOWN = {
    "method-repeated": (texts("a", "b", " a "), texts("a", "b", "", "")),
    "template-braces": (texts("{Per DICOM PS 3.15 AnnexE}"), texts("Per {DICOM}s")),
    "codes-in-text": (
        texts(PACKED_TEXT, codes=("113100",)),
        texts("DCM:113100/113105", "1131001", codes=("113100", "113105")),
    ),
    "details-missing": (texts(TCIA_TEXT), texts(TCIA_TEXT, codes=("113100",))),
    "value-too-long": (texts("x" * 65), texts("x" * 64)),
    "code-repeated": (coded(dcm("113100")), coded(dcm("113105"))),
    "code-incomplete": (
        coded(item(CodeValue="113101")),
        coded(item(URNCodeValue="urn:oid:1.2", CodeMeaning="m")),
    ),
    "code-undefined": (coded(code("113040")), coded(code("113040", "99X"))),
    "code-meaning-differs": (coded(code("113110", meaning="Retain UIDs")), coded(dcm("113110"))),
    "scheme-unidentified": (
        coded(REMAP),
        coded(REMAP, schemes=(("99PMP", "1.3.6.1.4.1.5962.98.1"),)),
    ),
    "uids-retained-and-remapped": (coded(dcm("113110"), REMAP), coded(REMAP)),
    "marker-undefined-term": (
        of(removed(burned_in_annotation=("OTHER",))),
        of(removed(burned_in_annotation=("no ",), recognizable_visual_features=())),
    ),
    "equipment-undated": (
        of(removed(equipment=(DATED, equipment(Manufacturer="maker")))),
        of(removed(equipment=(DATED,))),
    ),
    "markers-may-be-inherited": (of(removed(), SEG), of(Markers(), SEG)),
    "temporal-missing": (
        coded(dcm("113107")),
        of(
            removed(
                method_code=dcms("113107"),
                longitudinal_temporal_information_modified=("MODIFIED",),
            )
        ),
    ),
    "temporal-alone": (
        of(Markers(longitudinal_temporal_information_modified=("MODIFIED",))),
        of(removed(longitudinal_temporal_information_modified=("MODIFIED",))),
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_an_oddity_is_found_where_it_is_and_only_there(name: str) -> None:
    odd, even = SHOWN[name]
    assert name in shown(odd)
    assert name not in shown(even)
    assert name in [one.code for one in findings_of(study(odd))]


def test_every_oddity_of_the_table_is_shown() -> None:
    text = list(table("findings.toml"))
    first, last = text.index("method-repeated"), text.index("temporal-alone")
    of_reading = {"equipment-purpose-wrong", "marker-vr", "marker-in-bulk", "values-in-one-string"}
    assert set(text[first : last + 1]) == set(SHOWN) | of_reading


def test_a_code_value_of_twenty_characters_is_too_long_and_kept() -> None:
    markers = removed(method_code=(code("replace_recognizable", "mri_reface"),))
    assert "value-too-long" in shown(of(markers))
    assert markers.method_code is not None
    assert markers.method_code[0].first("CodeValue") == "replace_recognizable"


def test_an_object_without_markers_has_no_oddity() -> None:
    assert shown(of(Markers())) == []
