"""What a target holds of a study."""

from __future__ import annotations

from deidfhir.sync.target import Found

PROVENANCE = {"resourceType": "Provenance", "id": "p", "activity": {"text": "x"}}


def test_what_was_found_is_known_by_reference() -> None:
    study = {"resourceType": "ImagingStudy", "id": "s"}
    assert set(Found(study, (PROVENANCE,)).by_reference()) == {"ImagingStudy/s", "Provenance/p"}
    assert set(Found(None, (PROVENANCE,)).by_reference()) == {"Provenance/p"}
