"""What real tools write into the markers that the standard does not, as findings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from deidfhir.model.attributes import by_keyword
from deidfhir.model.options import FULL_DATES, MODIFIED_DATES, RETAIN_UIDS
from deidfhir.model.record import Item, Items, Markers, keyword_of, trimmed
from deidfhir.tables import table

_LONGEST = {"AE": 16, "CS": 16, "LO": 64, "SH": 16, "UI": 64}  # PS3.5 6.2, characters
_PACKED = re.compile(r"(?<!\d)1131\d\d(?!\d)")
_LONGITUDINAL = frozenset({FULL_DATES, MODIFIED_DATES})
_ELSEWHERE = "0012,0064"
_VALUES = ("CodeValue", "LongCodeValue", "URNCodeValue")


def oddities(markers: Markers, sop_class_uid: str) -> Iterator[str]:
    """Yield the codes of what is odd in the markers of one instance.

    Args:
        markers: As read.
        sop_class_uid: The instance's SOP Class UID.
    """
    yield from _texts(markers)
    yield from _codes(markers)
    yield from _words(markers)
    if any(not item.first("ContributionDateTime") for item in markers.equipment):
        yield "equipment-undated"
    if _states_anything(markers) and sop_class_uid in _derived():
        yield "markers-may-be-inherited"
    temporal = markers.longitudinal_temporal_information_modified
    if keyword_of(temporal) and not _states_anything(markers):
        yield "temporal-alone"
    if not keyword_of(temporal) and markers.option_codes() & _LONGITUDINAL:
        yield "temporal-missing"


def _states_anything(markers: Markers) -> bool:
    given = (markers.patient_identity_removed, markers.method, markers.method_code)
    return any(one is not None for one in given)


def _derived() -> frozenset[str]:
    return frozenset(table("crosswalk/derived-sop-classes.toml")["sop_class"])


def _texts(markers: Markers) -> Iterator[str]:
    texts = [text for text in map(trimmed, markers.method_texts) if text]
    stated = markers.option_codes()
    if any(count > 1 for count in Counter(texts).values()):
        yield "method-repeated"
    if any(text.startswith("{") and text.endswith("}") for text in texts):
        yield "template-braces"
    if any(set(_PACKED.findall(text)) - stated for text in texts):
        yield "codes-in-text"
    if not markers.method_code and any(_ELSEWHERE in text for text in texts):
        yield "details-missing"
    if any(len(text) > _LONGEST["LO"] for text in texts) or _too_long(markers):
        yield "value-too-long"


def _too_long(markers: Markers) -> bool:
    return any(
        _item_too_long(item, within)
        for items, within in (
            (markers.method_code or (), "code item"),
            (markers.equipment, "equipment item"),
        )
        for item in items
    )


def _item_too_long(item: Item, within: str) -> bool:
    rows = by_keyword(within)
    return any(
        len(value) > _LONGEST.get(rows[keyword].vr, len(value))
        for keyword, _ in item.elements
        for value in item.values(keyword)
    )


def _codes(markers: Markers) -> Iterator[str]:
    items: Items = markers.method_code or ()
    if any(count > 1 for count in Counter(items).values()):
        yield "code-repeated"
    if any(_is_incomplete(item) for item in items):
        yield "code-incomplete"
    known: dict[str, str] = table("generated/dicom-codes.json")["CID 7050"]
    ours = [item for item in items if item.first("CodingSchemeDesignator").upper() == "DCM"]
    if any(item.first("CodeValue") not in known for item in ours if item.first("CodeValue")):
        yield "code-undefined"
    if any(_differs(item, known) for item in ours):
        yield "code-meaning-differs"
    schemes = {item.first("CodingSchemeDesignator") for item in items} - {""}
    identified = {designator for designator, _ in markers.coding_schemes}
    if any(one.startswith("99") and one not in identified for one in schemes):
        yield "scheme-unidentified"
    private = {item.first("CodeMeaning").lower() for item in items} - {""}
    if RETAIN_UIDS in markers.option_codes() and "remap uids" in private:
        yield "uids-retained-and-remapped"


def _is_incomplete(item: Item) -> bool:
    coded = any(item.first(keyword) for keyword in _VALUES)
    scheme = item.first("CodingSchemeDesignator") or item.first("URNCodeValue")
    return not (coded and scheme and item.first("CodeMeaning"))


def _differs(item: Item, known: dict[str, str]) -> bool:
    meaning, sent = known.get(item.first("CodeValue")), item.first("CodeMeaning")
    return bool(meaning and sent and sent != meaning)


def _words(markers: Markers) -> Iterator[str]:
    """Yield what the enumerated values of PS3.3 do not know."""
    allowed = (
        (markers.burned_in_annotation, ("YES", "NO")),
        (markers.recognizable_visual_features, ("YES", "NO")),
        (
            markers.longitudinal_temporal_information_modified,
            ("UNMODIFIED", "MODIFIED", "REMOVED"),
        ),
    )
    if any(keyword_of(values) not in ("", *words) for values, words in allowed):
        yield "marker-undefined-term"
