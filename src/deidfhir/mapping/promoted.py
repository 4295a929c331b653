"""Tools that a site's policy promotes to agent, where no equipment is recorded; marked (D16)."""

from __future__ import annotations

from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.device import device_type
from deidfhir.mapping.inferred import recognised_in_all
from deidfhir.mapping.steps import MarkerSet
from deidfhir.recognition.result import Inference


def promoted_devices(marker_set: MarkerSet, context: MappingContext) -> list[JsonObject]:
    """Return the Devices of the inferred tools that the policy promotes, in their order.

    A Device that is inferred is never one that an item names: its id is made of other parts, and
    it carries the mark.

    Args:
        marker_set: One set of a study; where it records equipment, nothing is promoted.
        context: The mapping's.
    """
    if marker_set.markers.equipment:
        return []
    inferences = recognised_in_all(marker_set.facts, context).inferences
    found = [_device(one, context) for one in inferences if one.tool in context.in_force.agents]
    return list({one["id"]: one for one in found}.values())


def promoted_agents(marker_set: MarkerSet, context: MappingContext) -> list[JsonObject]:
    """Return the agents that stand for promoted tools, each marked as its Device is.

    Args:
        marker_set: One set of a study.
        context: The mapping's.
    """
    return [
        {
            "extension": one["extension"],
            "who": {"reference": f"Device/{one['id']}", "type": "Device"},
        }
        for one in promoted_devices(marker_set, context)
    ]


def _device(one: Inference, context: MappingContext) -> JsonObject:
    device: JsonObject = {
        "resourceType": "Device",
        "id": context.namer.inferred_device(one.tool, one.version),
        "meta": context.profile("Device"),
    }
    if context.settings.narrative:
        name = " ".join(part for part in (one.manufacturer, one.name, one.version) if part)
        device["text"] = narrative(f"Equipment inferred from a wording, not stated: {name}.")
    device["extension"] = [{"url": context.url("promoted"), "valueCode": one.tool}]
    if one.manufacturer:
        device["manufacturer"] = one.manufacturer
    device.update(context.version.device_model(one.name))
    device["type"] = context.version.device_type(device_type())
    if one.version:
        device["version"] = [{"value": one.version}]
    return device
