"""Deterministic ids (D17): the same study, step or Device has the same id in every run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from deidfhir.fhir.extensions import is_fhir_string
from deidfhir.model.record import Item
from deidfhir.model.uid import is_oid, is_usable

WHOLE = "whole"
STUDY = "study"
_NAMING = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "DeviceSerialNumber")
# Rename when a name below gets another form: the ids then change as a whole, never by halves.
_FORM = "v1"


@dataclass(frozen=True, slots=True)
class Namer:
    """Makes UUIDv5 ids in a namespace of the site.

    Args:
        namespace: The site's URI.
        tenant: The site's tenant, possibly empty.
    """

    namespace: str
    tenant: str = ""

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

    def endpoint(self, root: str) -> str:
        """Return the id of the Endpoint of a DICOMweb root."""
        return self._id("Endpoint", root)

    def patient(self, study_uid: str) -> str:
        """Return the id of the Patient of a study."""
        return self._id("Patient", study_uid)

    def _id(self, *parts: str) -> str:
        site: UUID = uuid5(NAMESPACE_URL, self.namespace)
        return str(uuid5(site, "|".join((_FORM, self.tenant, *parts))))


def urn(uid: str) -> str:
    """Return the confirmed form of a UID in FHIR; a UID that is no OID stays as it is (D23)."""
    return f"urn:oid:{uid}" if is_oid(uid) else uid


def bare(identifier: str) -> str:
    """Return the UID of its form in FHIR."""
    return identifier.removeprefix("urn:oid:")
