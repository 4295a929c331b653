"""Deterministic ids (D17): the same study, step or Device has the same id in every run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

from deidfhir.fhir.extensions import is_fhir_string
from deidfhir.model.record import Item
from deidfhir.model.uid import is_oid, is_usable
from deidfhir.policy.keys import Key

WHOLE = "whole"
STUDY = "study"
_NAMING = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "DeviceSerialNumber")
# Rename when a name below gets another form: the ids then change as a whole, never by halves.
_FORM = "v1"


@dataclass(frozen=True, slots=True)
class Namer:
    """Makes UUIDv5 ids in a namespace of the site, or with its key where it has one for ids.

    Args:
        namespace: The site's URI.
        tenant: The site's tenant, possibly empty.
        key: The site's key; with it, nobody else can make the id of a UID that they know.
    """

    namespace: str
    tenant: str = ""
    key: Key | None = None

    def imaging_study(self, study_uid: str) -> str:
        """Return the id of a study's ImagingStudy."""
        return self._id("ImagingStudy", study_uid)

    def provenance(self, study_uid: str, key: str, place: str) -> str:
        """Return the id of a Provenance.

        Args:
            study_uid: Study Instance UID.
            key: The step's key: `whole`, or the item's Device id and number.
            place: The marker set's place: `study`, or its smallest SOP Instance UID (D11).
        """
        return self._id("Provenance", study_uid, key, place)

    def device(self, item: Item) -> str | None:
        """Return the id of an equipment item's Device, or None if nothing identifies one.

        Args:
            item: The item as far as it leaves.
        """
        texts = [list(item.values(keyword)) for keyword in _NAMING]
        # What FHIR cannot hold names nothing: its Device would be empty.
        if not any(is_fhir_string(one) for values in texts for one in values) and not is_usable(
            item.first("DeviceUID")
        ):
            return None
        parts = [*texts, list(item.values("DeviceUID"))]
        return self._id("Device", json.dumps(parts, ensure_ascii=True))

    def inferred_device(self, tool: str, version: str) -> str:
        """Return the id of the Device of a tool that is only inferred (D16).

        Args:
            tool: Id of its entry.
            version: Its version as the text gives it, possibly empty.
        """
        return self._id("Device", "inferred", json.dumps([tool, version], ensure_ascii=True))

    def endpoint(self, root: str) -> str:
        """Return the id of the Endpoint of a DICOMweb root."""
        return self._id("Endpoint", root)

    def scratch(self) -> str:
        """Return the id of a Device that is written to see whether that may be done."""
        return self._id("Device", "scratch")

    def patient(self, study_uid: str) -> str:
        """Return the id of the Patient of a study."""
        return self._id("Patient", study_uid)

    def stands_for(self, uid: str) -> str:
        """Return what stands for a UID where it must not show: with a key, nobody can test it.

        Args:
            uid: SOP Instance UID.
        """
        name = "|".join((_FORM, self.namespace, self.tenant, "instance", uid))
        digest = sha256(name.encode()).digest() if self.key is None else self.key.digest(name)
        return digest.hex()[:16]

    def _id(self, *parts: str) -> str:
        name = "|".join((_FORM, self.tenant, *parts))
        if self.key is None:
            return str(uuid5(uuid5(NAMESPACE_URL, self.namespace), name))
        return _uuid8(self.key.digest(f"{self.namespace}|{name}"))


def _uuid8(digest: bytes) -> str:
    """Return the first 122 bits of a digest as a UUID of version 8 (RFC 9562 5.8)."""
    value = int.from_bytes(digest[:16], "big")
    value = value & ~(0xF << 76) | 8 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def pseudonym(patient_id: str, tenant: str, key: Key) -> str:
    """Return what stands for a replaced Patient ID, the same for the same patient of a tenant.

    Args:
        patient_id: The object's Patient ID.
        tenant: The site's tenant, possibly empty.
        key: The site's key.
    """
    return key.digest("|".join((_FORM, tenant, "Patient ID", patient_id))).hex()[:32]


def urn(uid: str) -> str:
    """Return the confirmed form of a UID in FHIR; a UID that is no OID stays as it is (D23)."""
    return f"urn:oid:{uid}" if is_oid(uid) else uid


def bare(identifier: str) -> str:
    """Return the UID of its form in FHIR."""
    return identifier.removeprefix("urn:oid:")
