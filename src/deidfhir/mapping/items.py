"""Sequence items ↔ extensions: verbatim, in order, and with what is withheld marked."""

from __future__ import annotations

from deidfhir.fhir.extensions import (
    MASKED as MASKED_REASON,
)
from deidfhir.fhir.extensions import (
    UNKNOWN,
    MalformedError,
    absent_reason,
    absent_slot,
    named,
    nested,
    slot_text,
    text_slot,
)
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.terminology import coding_of
from deidfhir.model.attributes import Attribute, attributes
from deidfhir.model.record import MASKED, Item, Items, Masked, Texts, Values

NUMBER = "item"
CODING = "coding"
DEVICE = "device"
_DEEPEST = 16  # twice as deep as objects are read


def value_slots(slot: str, values: Texts | None) -> list[JsonObject]:
    """Return one slot a value; a single slot without value for an element that is empty."""
    if values is None:
        return []
    slots = [
        absent_slot(slot, MASKED_REASON) if isinstance(value, Masked) else text_slot(slot, value)
        for value in values
    ]
    return slots or [absent_slot(slot, UNKNOWN)]


def slot_texts(extensions: list[JsonObject], slot: str) -> Texts | None:
    """Return the values that `value_slots` wrote, any of which may be withheld.

    Raises:
        MalformedError: It did not write this.
    """
    texts = [slot_text(one) for one in named(extensions, slot)]
    if not texts:
        return None
    values = tuple(MASKED if text is None else text for text in texts)
    return () if values == ("",) else values


def slot_values(extensions: list[JsonObject], slot: str) -> Values | Masked | None:
    """Return the values of an element that is withheld whole or not at all.

    Raises:
        MalformedError: It is none such.
    """
    values = slot_texts(extensions, slot)
    if values == (MASKED,):
        return MASKED
    if values is None:
        return None
    kept = tuple(one for one in values if not isinstance(one, Masked))
    if len(kept) < len(values):
        raise MalformedError  # values beside the mark that they are withheld
    return kept


def item_slots(
    slot: str, items: Items | None, within: str, schemes: tuple[tuple[str, str], ...] = ()
) -> list[JsonObject]:
    """Return one slot an item, numbered from 1.

    Args:
        slot: Name of the slot.
        items: The items; None for a sequence that is absent.
        within: Where the items stand (`mappings/attributes.toml`).
        schemes: Coding schemes that the object itself identifies.
    """
    if items is None:
        return []
    if not items:
        return [absent_slot(slot, UNKNOWN)]
    return [
        {"url": slot, "extension": _item(item, number, within, schemes)}
        for number, item in enumerate(items, start=1)
    ]


def _item(
    item: Item, number: int, within: str, schemes: tuple[tuple[str, str], ...]
) -> list[JsonObject]:
    slots: list[JsonObject] = [{"url": NUMBER, "valuePositiveInt": number}]
    if within == "code item" and (coding := coding_of(item, schemes)):
        slots.append({"url": CODING, "valueCoding": coding})
    table = {one.keyword: one for one in attributes(within).values()}
    for keyword, content in item.elements:
        slots += _element(table[keyword], content, item)
    return slots


def _element(
    attribute: Attribute, content: Values | Items | Masked, item: Item
) -> list[JsonObject]:
    if isinstance(content, Masked):
        return [absent_slot(attribute.slot, MASKED_REASON)]
    if attribute.items:
        return item_slots(attribute.slot, item.items(attribute.keyword), attribute.items)
    return value_slots(attribute.slot, item.values(attribute.keyword))


def slot_items(
    extensions: list[JsonObject], slot: str, within: str, depth: int = 0
) -> Items | Masked | None:
    """Return the items that `item_slots` wrote, in the order of their numbers.

    Args:
        extensions: The slots among which they stand, in any order.
        slot: Name of the slot.
        within: Where the items stand (`mappings/attributes.toml`).
        depth: In how many items they stand.

    Raises:
        MalformedError: It did not write this: an item is missing, twice or of another form.
    """
    slots = named(extensions, slot)
    if not slots:
        return None
    if depth > _DEEPEST:
        raise MalformedError
    if len(slots) == 1 and (reason := absent_reason(slots[0])) is not None:
        return MASKED if reason == MASKED_REASON else ()
    numbered = {_number(one): one for one in slots}
    if sorted(numbered) != list(range(1, len(slots) + 1)):
        raise MalformedError
    return tuple(_read_item(nested(numbered[number]), within, depth) for number in sorted(numbered))


def _number(slot: JsonObject) -> int:
    values = [one.get("valuePositiveInt") for one in named(nested(slot), NUMBER)]
    if len(values) != 1 or type(values[0]) is not int or set(slot) - {"id"} != {"url", "extension"}:
        raise MalformedError
    return values[0]


def _read_item(extensions: list[JsonObject], within: str, depth: int) -> Item:
    known = {NUMBER, CODING, DEVICE} | {one.slot for one in attributes(within).values()}
    if not known.issuperset(one["url"] for one in extensions):
        raise MalformedError
    elements: list[tuple[str, Values | Items | Masked]] = []
    for attribute in attributes(within).values():
        content: Values | Items | Masked | None
        if attribute.items:
            content = slot_items(extensions, attribute.slot, attribute.items, depth + 1)
        else:
            content = slot_values(extensions, attribute.slot)
        if content is not None:
            elements.append((attribute.keyword, content))
    return Item(tuple(elements))
