"""Settings of a site: from a TOML file, then the environment; the origin is named in errors."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from deidfhir.errors import UsageError
from deidfhir.tables import table

PREFIX = "DEIDFHIR_"
FILE_VARIABLE = "DEIDFHIR_CONFIG"
AUTO = "auto"
SERVER_PROFILES = (AUTO, *table("server-profiles.toml"))
WRITE_MODES = (AUTO, "put", "conditional", "read-then-write")
# Without credentials: it is written into every study's Endpoint.
_CANONICAL = re.compile(r"https?://[^\s/@?#|'\"]+(/[^\s?#|'\"]*)?")
_WEB = re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a site decides once; every field has a safe default.

    Args:
        namespace: URI in which all ids are made (D17); a site sets its own and keeps it.
        tenant: Part of the ids' names, for servers that several archives share.
        canonical: Base of the addresses of our extensions.
        patient_id_system: System of the subject's identifier; empty means `namespace` (D6).
        label: Security label for studies whose identity is removed (D8).
        activity: What the site knows the activity to be (D12).
        subject: How the replaced Patient ID leaves: as it is, keyed by HMAC, or not at all (D6).
        ids: Whether ids are made from names alone, or keyed by HMAC (D17).
        key_file: File of the key for `subject` and `ids`.
        policy: File of the site's policy; empty for the default (D3 to D7).
        narrative: Whether resources carry a narrative (D24).
        tools: Folder of the site's own tool entries, which add to or override ours (D16).
        patient: `reference` for a logical reference, `resource` for a minimal Patient (D6).
        vanished: What happens to a study that its archive no longer has (D20).
        retired_statements: Whether what was stated of it stays or is withdrawn (D20).
        access: File of how the FHIR server is got at: credentials, TLS, proxy, headers.
        server_profile: What kind of server the target is; `auto` to find out.
        write_mode: How resources are written to it; `auto` to choose.
        dicomweb_root: Where the images can be had by DICOMweb; empty for nowhere.
        source_access: File of how the archive is got at that is read (`--from`).
        container_members: Most members of one zip or tar file.
        container_bytes: Most bytes that these are when they are unpacked.
        container_ratio: Most bytes that may come of one byte of such a file.
        object_bytes: Most bytes of one object in a zip, tar or NDJSON file that are held in memory.
        source_sample: Of how many instances of each series an archive is asked; 0 for all (D19).
        existing: What becomes of someone else's ImagingStudy of a study (D21).
        target_deidentified: Whether the target holds de-identified studies only, so that someone
            else's ImagingStudy may be touched whatever the objects' codes say (D21).
    """

    namespace: str = table("urls.toml")["ours"]["namespace"]
    tenant: str = ""
    canonical: str = table("urls.toml")["ours"]["canonical"]
    patient_id_system: str = ""
    label: Literal["none", "PSEUDED", "ANONYED"] = "none"
    activity: Literal["DEID", "PSEUD", "ANONY"] = "DEID"
    subject: Literal["as-is", "keyed", "withheld"] = "as-is"
    ids: Literal["named", "keyed"] = "named"
    key_file: str = ""
    policy: str = ""
    narrative: bool = True
    tools: str = ""
    access: str = ""
    dicomweb_root: str = ""
    patient: Literal["reference", "resource"] = "reference"
    vanished: Literal["retire", "delete", "keep"] = "retire"
    retired_statements: Literal["keep", "withdraw"] = "keep"
    server_profile: str = AUTO
    write_mode: str = AUTO
    source_access: str = ""
    source_sample: int = 0
    container_members: int = 1_000_000
    container_bytes: int = 10_000_000_000_000
    container_ratio: int = 200
    object_bytes: int = 64 << 20
    existing: Literal["link", "enrich", "own", "fail"] = "link"
    target_deidentified: bool = False

    def __post_init__(self) -> None:
        """Refuse values of a wrong form, whoever gives them.

        Raises:
            UsageError: `setting-value`.
        """
        for one in fields(self):
            value = getattr(self, one.name)
            if _settled(one.name, value) is None:
                raise UsageError(
                    "setting-value", origin="Settings", name=one.name, wanted=_wanted(one.name)
                )

    @property
    def is_keyed(self) -> bool:
        """Whether anything is made with the site's key."""
        return "keyed" in (self.subject, self.ids)


EXISTING = ("link", "enrich", "own", "fail")
_BOOLEAN = ("narrative", "target_deidentified")
_NUMBERS = {
    "source_sample": 1_000_000,
    "container_members": 10**9,
    "container_bytes": 10**18,
    "container_ratio": 10**6,
    "object_bytes": 10**12,
}
"""Setting → the largest number that it takes."""
_CHOICES = {
    "label": ("none", "PSEUDED", "ANONYED"),
    "activity": ("DEID", "PSEUD", "ANONY"),
    "patient": ("reference", "resource"),
    "subject": ("as-is", "keyed", "withheld"),
    "ids": ("named", "keyed"),
    "vanished": ("retire", "delete", "keep"),
    "retired_statements": ("keep", "withdraw"),
    "server_profile": SERVER_PROFILES,
    "write_mode": WRITE_MODES,
    "existing": EXISTING,
}
_FORMS = {
    "tenant": "a text without |",
    "tools": "a folder",
    "policy": "a file",
    "access": "a file",
    "source_access": "a file",
    "key_file": "a file",
    "dicomweb_root": "a URL",
    "canonical": "an http or https URL without query",
}


def load_settings(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a file, overridden by `DEIDFHIR_*` variables.

    Args:
        path: A TOML file whose keys are the settings' names; without it, the file that
            `DEIDFHIR_CONFIG` names, if any.
        environment: The process's variables.

    Raises:
        UsageError: A file that cannot be read, an unknown setting, or a value of a wrong form.
    """
    named = environment.get(FILE_VARIABLE)
    path = path or (Path(named) if named else None)
    settings = Settings()
    if path is not None:
        for name, value in read_toml(
            path, unreadable="config-unreadable", form="config-form"
        ).items():
            settings = _with(settings, name, value, str(path))
    for variable in sorted(environment):
        # A variable that is empty is as one that is not set: it takes nothing back.
        if variable.startswith(PREFIX) and variable != FILE_VARIABLE and environment[variable]:
            name = variable.removeprefix(PREFIX).lower()
            settings = _with(settings, name, environment[variable], variable)
    return settings


def read_toml(path: Path, *, unreadable: str, form: str) -> dict[str, Any]:
    """Return the content of a file of the site.

    Args:
        path: A TOML file.
        unreadable: Code of the error if it cannot be read.
        form: Code of the error if it is no TOML.

    Raises:
        UsageError: One of the two.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(unreadable, path=path) from error
    except ValueError as error:
        raise UsageError(form, path=path) from error


def _with(settings: Settings, name: str, value: object, origin: str) -> Settings:
    known = {one.name for one in fields(Settings)}
    if name not in known:
        raise UsageError(
            "setting-unknown", origin=origin, name=name, known=", ".join(sorted(known))
        )
    settled = _settled(name, value)
    if settled is None:
        raise UsageError("setting-value", origin=origin, name=name, wanted=_wanted(name))
    changed: Any = {name: settled}
    return replace(settings, **changed)


def _settled(name: str, value: object) -> object:
    """Return the value of a setting in its own form, or None if it has no usable one."""
    if name in _BOOLEAN:
        return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if name in _NUMBERS:
        return _number(value, _NUMBERS[name])
    if name in _CHOICES:
        return value if value in _CHOICES[name] else None
    if not isinstance(value, str) or not _fits(name, value):
        return None
    return value.rstrip("/") if name == "canonical" else value


def _wanted(name: str) -> str:
    if name in _BOOLEAN:
        return "true or false"
    if name in _NUMBERS:
        return f"a whole number from 0 to {_NUMBERS[name]}"
    return " or ".join(_CHOICES[name]) if name in _CHOICES else _FORMS.get(name, "a URI")


def _number(value: object, most: int) -> int | None:
    text = str(value)
    usable = not isinstance(value, bool) and text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if usable and int(text) <= most else None


def _fits(name: str, value: str) -> bool:
    if any("\ud800" <= one <= "\udfff" for one in value):  # bytes that are no UTF-8
        return False
    if name == "tenant":
        return "|" not in value
    if name in ("tools", "policy", "access", "source_access", "key_file"):
        return True
    if name == "canonical":
        return bool(_CANONICAL.fullmatch(value))
    if name == "dicomweb_root":
        return not value or bool(_WEB.fullmatch(value))
    return (name == "patient_id_system" and not value) or (":" in value and " " not in value)
