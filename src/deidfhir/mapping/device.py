"""An equipment item of purpose 109104 → Device (D4, D17)."""

from __future__ import annotations

from deidfhir.fhir.extensions import is_fhir_string
from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import urn
from deidfhir.mapping.terminology import dcm, standard_meaning
from deidfhir.model.record import Item
from deidfhir.model.uid import is_usable
from deidfhir.tables import table

DEIDENTIFYING_EQUIPMENT = "109104"


def device_of(item: Item, context: MappingContext) -> JsonObject | None:
    """Return the Device that an item names, or None if nothing identifies one.

    It carries what its id is made of and its type, nothing else: so two objects never rewrite one
    Device in turn.

    Args:
        item: The item as far as it leaves.
        context: The mapping's.
    """
    identity = context.namer.device(item)
    if identity is None:
        return None
    maker, model = _text(item, "Manufacturer"), _text(item, "ManufacturerModelName")
    serial, uid = _text(item, "DeviceSerialNumber"), item.first("DeviceUID")
    versions = [one for one in item.values("SoftwareVersions") if is_fhir_string(one)]
    device: JsonObject = {
        "resourceType": "Device",
        "id": identity,
        "meta": context.profile("Device"),
    }
    if context.settings.narrative:
        device["text"] = narrative(_sentence(maker, model, versions))
    if is_usable(uid):
        system = table("urls.toml")["hl7"]["dicom_uid"]
        device["identifier"] = [{"system": system, "value": urn(uid)}]
    if maker:
        device["manufacturer"] = maker
    if serial:
        device["serialNumber"] = serial
    if model:
        device.update(context.version.device_model(model))
    device["type"] = context.version.device_type(device_type())
    if versions:
        device["version"] = [{"value": one} for one in versions]
    return device


def device_type() -> JsonObject:
    """Return the type of de-identifying equipment (CID 7005)."""
    display = standard_meaning(DEIDENTIFYING_EQUIPMENT)
    return {"coding": [{"system": dcm(), "code": DEIDENTIFYING_EQUIPMENT, "display": display}]}


def _text(item: Item, keyword: str) -> str:
    """Return the first value that FHIR can hold; the item extension holds all in any case."""
    return next((one for one in item.values(keyword) if is_fhir_string(one)), "")


def _sentence(maker: str, model: str, versions: list[str]) -> str:
    name = " ".join(part for part in (maker, model) if part) or "equipment without a name"
    version = f", version {', '.join(versions)}" if versions else ""
    return f"De-identifying equipment as images name it: {name}{version}."
