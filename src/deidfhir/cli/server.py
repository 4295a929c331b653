"""What a run took its server for, as a line for people and as an object for programs."""

from __future__ import annotations

from deidfhir.sync.server import FhirServer
from deidfhir.sync.target import Target

_PROFILE_BY = {
    "option": "as told",
    "software": "by its own name",
    "address": "by its address",
    "default": "not known",
}
_MODE_BY = {
    "option": "as told",
    "journal": "as before",
    "statement": "by its CapabilityStatement",
    "profile": "as its kind takes it",
    "refusal": "it takes no ids of ours",
    "found": "what is ours there has ids that it gave",
}


def server_object(target: Target) -> dict[str, str] | None:
    """Return the key `server` of `--json`; None for a folder, or a server that was not asked."""
    spoken = target.dialect if isinstance(target, FhirServer) else None
    if spoken is None:
        return None
    return {
        "profile": spoken.profile.name,
        "profile_by": spoken.profile_by,
        "mode": spoken.mode.value,
        "mode_by": spoken.mode_by,
    }


def server_lines(target: Target) -> list[str]:
    """Return how a server was spoken to, if it was."""
    spoken = target.dialect if isinstance(target, FhirServer) else None
    if spoken is None:
        return []
    kind = f"{spoken.profile.name} ({_PROFILE_BY[spoken.profile_by]})"
    mode = f"{spoken.mode.value} ({_MODE_BY[spoken.mode_by]})"
    return [f"server    {kind}, written by {mode}"]
