"""What may support the recognition of a tool, of what a scan found."""

from __future__ import annotations

from functools import lru_cache

from deidfhir.dicom.elements import Elements
from deidfhir.dicom.evidence import PRIVATE_CREATORS, evidence_from
from deidfhir.dicom.scan.slots import root_slots
from deidfhir.model.record import Evidence


def taken_evidence(meta: Elements, found: Elements) -> Evidence:
    """Return the evidence, and take the private creators out of what was found.

    Args:
        meta: The wanted elements of File Meta.
        found: Those of the data set, private creators included.
    """
    slots = root_slots()
    taken = [found.pop(slots[tag].keyword, ()) for tag in PRIVATE_CREATORS]
    creators = tuple(one for values in taken for one in values if isinstance(one, str))
    return _evidence(tuple(meta.items()), creators)


@lru_cache(64)
def _evidence(meta: tuple[tuple[str, tuple[str, ...]], ...], creators: tuple[str, ...]) -> Evidence:
    return evidence_from(dict(meta), list(creators))
