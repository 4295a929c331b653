"""Write `docs/mapping-table.md` from the tables: attribute → element, R4 and R5.

python -m tools.generate_mapping_page
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deidfhir.model.attributes import Attribute, attributes
from deidfhir.policy.ruling import needed
from deidfhir.tables import table

TARGET = Path(__file__).resolve().parent.parent / "docs" / "mapping-table.md"
_HEAD = """\
# Attribute by attribute

Made from [`mappings/attributes.toml`](../mappings/attributes.toml) by
`python -m tools.generate_mapping_page`; do not edit.

`markers.SLOT` is a slot of the extension [`deidentification-markers`](mapping.md).
R4 stands for R4B, too.
Nothing that has no row is read, and nothing leaves but what a row lets leave, or what a site's
[policy](policy.md) says of it.
"""
_PLACES = {
    "object": "The object's root data set",
    "code item": "An item of a code sequence",
    "equipment item": "An item of the Contributing Equipment Sequence whose purpose is 109104",
    "udi item": "An item of the UDI Sequence",
    "scheme item": "An item of the Coding Scheme Identification Sequence",
    "file meta": "File Meta Information",
}
# What the condition of a sequence is about, where that is not the whole of it.
_OF_ITEMS = {"ContributingEquipmentSequence": "always, of items whose purpose is 109104 (D4)"}


def rendered() -> str:
    """Return the page."""
    lines = [_HEAD]
    for place, title in _PLACES.items():
        lines += [
            f"## {title}",
            "",
            "| attribute | R4 | R5 | leaves | a policy may | section |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(one) for one in attributes(place).values()]
        lines.append("")
    lines += [
        "## Codes of CID 7050",
        "",
        "| code | meaning | section of PS3.15 | `Provenance.policy` |",
    ]
    lines += ["|---|---|---|---|", *_codes(), ""]
    return "\n".join(lines)


def _row(one: Attribute) -> str:
    r4 = ", ".join(f"`{path}`" for path in _elements(one)) or "-"
    r5 = ", ".join(f"`{_R5.get(path, path)}`" for path in _elements(one)) or "-"
    condition = _OF_ITEMS.get(one.keyword, needed(one.leaves))
    site = ", ".join(one.site) or "-"
    same = "the same" if r4 == r5 and r4 != "-" else r5
    return f"| {one.label} {one.keyword} | {r4} | {same} | {condition} | {site} | {one.section} |"


def _elements(one: Attribute) -> Iterator[str]:
    if one.to:
        yield f"markers.{one.slot}" if one.is_marker else one.to
    yield from one.also


# Elements whose name or type differs in R5 (deidfhir.fhir.versions).
_R5 = {
    "ImagingStudy.series.bodySite": "ImagingStudy.series.bodySite.concept.text",
    "ImagingStudy.series.modality": "ImagingStudy.series.modality.coding",
    "ImagingStudy.modality": "ImagingStudy.modality.coding",
    "Device.deviceName": "Device.displayName",
}


def _codes() -> Iterator[str]:
    meanings = table("generated/dicom-codes.json")["CID 7050"]
    for code, row in table("crosswalk/deid-method.toml").items():
        yield f"| {code} | {meanings[code]} | {row['section']} | <{row['policy']}> |"


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
