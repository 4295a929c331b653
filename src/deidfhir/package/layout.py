"""The package as a file: the layout of FHIR packages, the same bytes for the same content."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterable

from deidfhir.config import Settings
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName
from deidfhir.package.base import DATE, PUBLISHER, Publication
from deidfhir.package.resources import conformance_resources
from deidfhir.tables import mappings_folder, table
from deidfhir.version import __version__

_CORE = {"R4": "hl7.fhir.r4.core", "R4B": "hl7.fhir.r4b.core", "R5": "hl7.fhir.r5.core"}


def package_bytes(settings: Settings, fhir: FhirName) -> bytes:
    """Return package.tgz: conformance resources, examples, index and manifest.

    Args:
        settings: The site's; `canonical` is the base of all addresses.
        fhir: `R4`, `R4B` or `R5`.
    """
    published = conformance_resources(settings, fhir)
    shown = examples(settings, fhir)
    files = {
        "package/package.json": _manifest(Publication(settings.canonical, fhir)),
        "package/.index.json": _index(published),
        "package/example/.index.json": _index(shown),
        **{f"package/{file_name(one)}": one for one in published},
        **{f"package/example/{file_name(one)}": one for one in shown},
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            content = rendered(files[name]).encode("utf-8")
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o644, 0
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def examples(settings: Settings, fhir: FhirName) -> list[JsonObject]:
    """Return the examples of one FHIR version, with the site's addresses.

    Args:
        settings: The site's.
        fhir: `R4`, `R4B` or `R5`; R4B has those of R4.
    """
    folder = mappings_folder() / "generated" / "package" / ("R5" if fhir == "R5" else "R4")
    ours: str = table("urls.toml")["ours"]["canonical"]
    return [
        json.loads(file.read_text(encoding="utf-8").replace(ours, settings.canonical))
        for file in sorted((folder / "example").glob("*.json"))
    ]


def file_name(resource: JsonObject) -> str:
    """Return the name of a resource's file in a package."""
    return f"{resource['resourceType']}-{resource['id']}.json"


def rendered(content: JsonObject) -> str:
    """Return JSON as it stands in files."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _manifest(publication: Publication) -> JsonObject:
    return {
        "name": f"deidfhir.fhir.{publication.fhir.lower()}",
        "version": __version__,
        "type": "Conformance",
        "canonical": publication.canonical,
        "title": "How DICOM images were de-identified, said in FHIR",
        "description": "Profiles, extensions, code systems and search parameters of deidfhir.",
        "author": PUBLISHER,
        "date": DATE.replace("-", "") + "000000",
        "fhirVersions": [publication.fhir_version],
        "dependencies": {_CORE[publication.fhir]: publication.fhir_version},
    }


def _index(resources: Iterable[JsonObject]) -> JsonObject:
    keys = ("resourceType", "id", "url", "version", "kind", "type", "supplements", "content")
    return {
        "index-version": 2,
        "files": [
            {
                "filename": file_name(one),
                **{key: one[key] for key in keys if isinstance(one.get(key), str)},
            }
            for one in sorted(resources, key=file_name)
        ],
    }
