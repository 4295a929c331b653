"""StructureDefinitions of our extensions, slot by slot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deidfhir.fhir.extensions import DATA_ABSENT_REASON
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.items import CODING, DEVICE, NUMBER
from deidfhir.model.attributes import Attribute, attributes
from deidfhir.package.base import Publication
from deidfhir.tables import table

_DICOM = "dicom"
_ABSENT = "absent"
_DEEPEST = 2  # an equivalent code may have equivalent codes; as deep as anyone has been seen to go


def extension_definitions(publication: Publication) -> list[JsonObject]:
    """Return the StructureDefinition of every extension of ours."""
    rows = table("package/extensions.toml")["extension"]
    return [_definition(row, publication) for row in rows]


def _definition(row: dict[str, Any], publication: Publication) -> JsonObject:
    url = publication.extension(row["key"])
    elements: list[JsonObject] = [
        {
            "id": "Extension",
            "path": "Extension",
            "short": row["title"],
            "definition": row["description"],
        }
    ]
    if "attributes" in row:
        numbering = _numbering(row["attributes"], publication, is_item=False)
        elements[0]["constraint"] = list(numbering)
    if "target" in row:
        elements[0]["constraint"] = [_to(row["target"], publication)]
    elements += _simple(row) if "value" in row else _complex(row, publication)
    fixed = {"id": "Extension.url", "path": "Extension.url", "fixedUri": url}
    position = next(
        number for number, one in enumerate(elements) if one["path"] == "Extension.value[x]"
    )
    elements.insert(position, fixed)
    return {
        **publication.resource("StructureDefinition", url, row),
        "fhirVersion": publication.fhir_version,
        **_mapped_standard(row),
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": one} for one in row["contexts"]],
        "type": "Extension",
        "baseDefinition": table("urls.toml")["hl7"]["structure"] + "Extension",
        "derivation": "constraint",
        "differential": {"element": elements},
    }


def _mapped_standard(row: dict[str, Any]) -> JsonObject:
    """Return what the elements' `mapping` refers to, where they have one."""
    if "attributes" not in row and not any("group" in slot for slot in row.get("slots", ())):
        return {}
    uri = table("urls.toml")["hl7"]["dicom_standard"]
    return {"mapping": [{"identity": _DICOM, "uri": uri, "name": "DICOM"}]}


def _mapping(attribute: str, group: str | None) -> JsonObject:
    """Return the `mapping` of a slot to the attribute and the context group of its codes.

    A binding would say the same, but validators warn, whatever its strength, wherever the value set
    is not loaded; and nobody publishes it for certain.
    """
    entry = {"identity": _DICOM, "map": attribute or group or ""}
    if group:
        entry["comment"] = f"{group}: {table('package/terminology.toml')['dicom'][group]}"
    return {"mapping": [entry]}


def _simple(row: dict[str, Any]) -> Iterator[JsonObject]:
    yield {"id": "Extension.extension", "path": "Extension.extension", "max": "0"}
    fixed = {"patternBoolean": row["fixed"]} if "fixed" in row else {}
    yield {
        "id": "Extension.value[x]",
        "path": "Extension.value[x]",
        "min": 1,
        "type": [_type(row["value"], row)],
        **fixed,
    }


def _to(target: str, publication: Publication) -> JsonObject:
    """Return the constraint on a reference's type, which validators do not follow in extensions."""
    row = table("package/extensions.toml")["constraint"]["target"]
    expression = row["expression"].replace("{target}", target)
    return publication.invariant({**row, "expression": expression})


def _type(code: str, row: dict[str, Any]) -> JsonObject:
    if "target" not in row:
        return {"code": code}
    structure = table("urls.toml")["hl7"]["structure"]
    return {"code": code, "targetProfile": [structure + row["target"]]}


def _complex(row: dict[str, Any], publication: Publication) -> Iterator[JsonObject]:
    yield _sliced("Extension", "Extension", closed=True)
    for slot in row["slots"]:
        yield from _slot("Extension", slot, publication)
    if "attributes" in row:
        for attribute in attributes(row["attributes"]).values():
            if attribute.is_marker:
                yield from _attribute("Extension", attribute, publication, 0)
    yield {"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"}


def _sliced(identity: str, path: str, *, closed: bool = False) -> JsonObject:
    return {
        "id": f"{identity}.extension",
        "path": f"{path}.extension",
        "slicing": {
            "discriminator": [{"type": "value", "path": "url"}],
            "ordered": False,
            "rules": "closed" if closed else "open",
        },
    }


def _slot(identity: str, slot: dict[str, Any], publication: Publication) -> Iterator[JsonObject]:
    """Yield a slot that holds one value, or slots of its own."""
    if "slots" in slot:
        yield from _nested(identity, slot, publication)
        return
    value: JsonObject = {"min": 1, "type": [_type(slot["type"], slot)]}
    if "binding" in slot:
        strength = {"strength": "required", "valueSet": publication.value_set(slot["binding"])}
        value["binding"] = strength
    head = _head(identity, slot["url"], slot.get("min", 0), slot["max"], slot["text"])
    if "target" in slot:
        head["constraint"] = [_to(slot["target"], publication)]
    yield {**head, **_mapping("", slot["group"])} if "group" in slot else head
    yield from _tail(identity, slot["url"], value)


def _nested(identity: str, slot: dict[str, Any], publication: Publication) -> Iterator[JsonObject]:
    """Yield a slot that holds slots, and possibly one of our extensions as a whole."""
    yield _head(identity, slot["url"], slot.get("min", 0), slot["max"], slot["text"])
    inner = f"{identity}.extension:{slot['url']}"
    yield _sliced(inner, _path(inner), closed=True)
    for one in slot["slots"]:
        yield from _slot(inner, one, publication)
    if "extension" in slot:
        head = _head(inner, slot["extension"], 0, "1", "What is stated of it")
        profile = publication.extension(slot["extension"])
        yield {**head, "type": [{"code": "Extension", "profile": [profile]}]}
    yield from _tail(identity, slot["url"], {"max": "0"})


def _attribute(
    identity: str, attribute: Attribute, publication: Publication, depth: int
) -> Iterator[JsonObject]:
    """Yield a slot that holds a DICOM attribute: its values, or the items of its sequence."""
    name, text = attribute.slot, f"{attribute.label} {attribute.keyword}, {attribute.section}"
    group = table("package/extensions.toml")["context-group"].get(name)
    head = {**_head(identity, name, 0, "*", text), **_mapping(attribute.label, group)}
    inner = f"{identity}.extension:{name}"
    if not attribute.items:
        yield head
        yield from _absence(inner)
        texts = [{"code": "string"}, {"code": "base64Binary"}]
        yield from _tail(identity, name, {"type": texts})
        return
    if depth < _DEEPEST:
        yield {**head, "constraint": list(_numbering(attribute.items, publication, is_item=True))}
        yield from _absence(inner)
        yield from _item(inner, attribute.items, publication, depth + 1)
    else:
        yield head
    yield from _tail(identity, name, {"max": "0"})


def _absence(inner: str) -> Iterator[JsonObject]:
    """Yield the slicing of what stands in a slot, and the slice that says why nothing does."""
    yield _sliced(inner, _path(inner), closed=True)
    yield {
        "id": f"{inner}.extension:{_ABSENT}",
        "path": f"{_path(inner)}.extension",
        "sliceName": _ABSENT,
        "short": "Why there is no value: it is empty in the object, or withheld",
        "min": 0,
        "max": "1",
    }
    slot = f"{inner}.extension:{_ABSENT}"
    yield {"id": f"{slot}.url", "path": f"{_path(slot)}.url", "fixedUri": DATA_ABSENT_REASON}
    value = {"min": 1, "type": [{"code": "code"}]}
    yield {"id": f"{slot}.value[x]", "path": f"{_path(slot)}.value[x]", **value}


def _numbering(within: str, publication: Publication, *, is_item: bool) -> Iterator[JsonObject]:
    """Yield the constraints that keep items in their order.

    Args:
        within: Where the items or attributes stand.
        publication: For whom the package is made.
        is_item: Whether the holder itself is the slot of an item.
    """
    rows = table("package/extensions.toml")["constraint"]
    if is_item:
        yield publication.invariant(rows["item"])
    rows_within = attributes(within).values()
    slots = [one.slot for one in rows_within if one.items and (one.is_marker or is_item)]
    if slots:
        row = rows["number"]
        parts = [row["expression"].replace("{slot}", slot) for slot in slots]
        yield publication.invariant({**row, "expression": " and ".join(parts)})


def _item(identity: str, within: str, publication: Publication, depth: int) -> Iterator[JsonObject]:
    number = {
        "url": NUMBER,
        "type": "positiveInt",
        "max": "1",
        "text": "Number of the item, from 1",
    }
    yield from _slot(identity, number, publication)
    if within == "code item":
        text = "The code, where the system is known"
        coding = {"url": CODING, "type": "Coding", "max": "1", "text": text}
        yield from _slot(identity, coding, publication)
    if within == "equipment item":
        text = "The Device that the item names"
        device = {"url": DEVICE, "type": "Reference", "target": "Device", "max": "1", "text": text}
        yield from _slot(identity, device, publication)
    for attribute in attributes(within).values():
        yield from _attribute(identity, attribute, publication, depth)


def _head(identity: str, name: str, least: int, most: str, text: str) -> JsonObject:
    return {
        "id": f"{identity}.extension:{name}",
        "path": f"{_path(identity)}.extension",
        "sliceName": name,
        "short": text,
        "min": least,
        "max": most,
    }


def _tail(identity: str, name: str, value: JsonObject) -> Iterator[JsonObject]:
    inner = f"{identity}.extension:{name}"
    yield {"id": f"{inner}.url", "path": f"{_path(inner)}.url", "fixedUri": name}
    yield {"id": f"{inner}.value[x]", "path": f"{_path(inner)}.value[x]", **value}


def _path(identity: str) -> str:
    """Return the path of an element id: without the names of slices."""
    return ".".join(part.split(":")[0] for part in identity.split("."))
