"""An archive's own ImagingStudy on a server, as someone else wrote it before us or after."""

from __future__ import annotations

import json
from typing import Any, Self

import requests

from tests.integration.support import ASK, Archive

Json = dict[str, Any]
CODED = ("113100", "113105", "113107")
"""Codes that say that UIDs were replaced."""


def theirs(archive: Archive, study: int, *instances: int, **more: Any) -> Json:  # noqa: ANN401
    """Return an ImagingStudy as a PACS would write it, with things of its own in it.

    Args:
        archive: Tells the UIDs.
        study: Number of the study.
        instances: Numbers of the instances of series 1 that it lists.
        more: Elements that replace its own; `bare=True` spells the UID without `urn:oid:`.
    """
    uid = archive.uid(study)
    spelled = uid if more.pop("bare", False) else f"urn:oid:{uid}"
    name = more.pop("name", "pacs")
    listed = [
        {
            "extension": [{"url": "https://pacs.example/frame", "valueDecimal": Raw("0.250")}],
            "uid": archive.uid(study, 1, one),
            "sopClass": {
                "system": "urn:ietf:rfc:3986",
                "code": "urn:oid:1.2.840.10008.5.1.4.1.1.2",
            },
        }
        for one in instances
    ]
    series = [{"uid": archive.uid(study, 1), "instance": listed}] if listed else []
    resource = {
        "resourceType": "ImagingStudy",
        "id": f"{name}-{uid.split('.')[-1]}",
        "meta": {"tag": [{"system": "https://pacs.example/tags", "code": "mine"}]},
        "extension": [
            {"url": "https://pacs.example/b", "valueDecimal": Raw("1.10")},
            {"url": "https://pacs.example/a", "valueString": "second"},
        ],
        "identifier": [
            {"system": "https://pacs.example/numbers", "value": "7"},
            {"system": "urn:dicom:uid", "value": spelled},
        ],
        "status": "available",
        "subject": {"display": "someone"},
        **({"series": series} if series else {}),
    }
    return {**resource, **more}


class Raw(float):
    """A decimal that is sent as it is spelled."""

    def __new__(cls, text: str) -> Self:
        """Make it of how it is spelled."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str


def store(url: str, resource: Json) -> str:
    """Put a resource as someone else would, decimals as they are spelled; return its reference."""
    name = f"{resource['resourceType']}/{resource['id']}"
    headers = {"Content-Type": "application/fhir+json", "X-Meta-Snapshot-Mode": "SECURITY_LABEL"}
    answer = requests.put(f"{url}/{name}", data=spelled(resource), headers=headers, timeout=60)
    answer.raise_for_status()
    return name


def spelled(resource: object) -> str:
    """Return JSON in which each decimal stands as it is spelled."""
    if isinstance(resource, Raw):
        return resource.text
    if isinstance(resource, dict):
        pairs = (f"{json.dumps(key)}:{spelled(value)}" for key, value in resource.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(resource, list):
        return "[" + ",".join(spelled(one) for one in resource) + "]"
    return json.dumps(resource)


def raw(url: str, reference: str) -> str:
    """Return what a server has, letter by letter, but for version and time."""
    answer = requests.get(f"{url}/{reference}", headers=ASK, timeout=60)
    answer.raise_for_status()
    found = json.loads(answer.text, parse_float=Raw)
    for name in ("versionId", "lastUpdated", "source"):
        found["meta"].pop(name, None)
    return spelled(found)


def version(url: str, reference: str) -> str:
    """Return the version that a server has."""
    found = requests.get(f"{url}/{reference}", headers=ASK, timeout=60).json()
    return str(found["meta"]["versionId"])


def back(site: Any, study_uid: str) -> list[Json]:  # noqa: ANN401 - a Site
    """Return what `reverse --from` gives of a study."""
    ran = site.cli("reverse", "--from", site.url, "--fhir", site.fhir, "--study", study_uid)
    assert ran.code == 0, ran.err
    return sorted(ran.lines, key=lambda one: str(one["00080018"]["Value"]))
