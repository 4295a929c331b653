"""An archive some of whose studies stand on the server already, in someone else's ImagingStudy."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

import requests

from deidfhir.fhir.types import reference
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.foreign import StudyForms
from deidfhir.sync.comparing import comparable, digest
from deidfhir.sync.unit import Unit
from tests.campaign.world import Claim, Json, Plan, World
from tests.integration.strangers import CODED, Raw, spelled, theirs
from tests.integration.support import ASK
from tests.synthetic.objects import codes

_SHARE = 0.7
"""So many studies stand there already, and the first one always."""

_HEADERS = {"Content-Type": "application/fhir+json", "X-Meta-Snapshot-Mode": "SECURITY_LABEL"}
_STALE = (409, 412)
_CT = {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2.840.10008.5.1.4.1.1.2"}
_LISTED = {"sopClass": _CT}


@dataclass
class Theirs:
    """Someone else's ImagingStudy of one study.

    Attributes:
        study: Number of the study.
        ours: The id that our ImagingStudy of it would have.
        resource: As its owner last meant it, with nothing of ours.
        written: The versions that its owner wrote.
        stored: As the server gave the last of these.
        forms: What is to stand there, plan by plan; None where nothing of ours may.
    """

    study: int
    ours: str
    resource: Json
    written: set[int] = field(default_factory=set)
    stored: Json = field(default_factory=dict)
    forms: list[StudyForms | None] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its reference."""
        return reference(self.resource)


@dataclass
class OthersWorld(World):
    """An archive beside which someone else writes ImagingStudies, and goes on writing.

    Args:
        mode: What the site wants of them: `link` or `enrich`.
        url: The server itself, past the proxy.
    """

    mode: Literal["link", "enrich"] = "link"
    url: str = ""
    theirs: dict[str, Theirs] = field(default_factory=dict, init=False)
    """By Study Instance UID."""

    _owner: Random = field(init=False)

    def __post_init__(self) -> None:
        """Write the first studies; the owner makes choices of its own, whenever it writes."""
        self._owner = Random(self.rng.getrandbits(64))
        super().__post_init__()

    @property
    def context(self) -> MappingContext:
        """The mapping's context of this site."""
        return MappingContext("R4", replace(super().context.settings, existing=self.mode))

    def attributes(self, claim: Claim) -> Json:
        """Return the attributes of an object whose codes say that its UIDs were replaced."""
        made = claim.attributes()
        if claim.removed:
            made["DeidentificationMethodCodeSequence"] = codes(*CODED)
        return made

    def add_study(self) -> None:
        """Add a study, which someone else may have written before it is ever delivered."""
        before = set(self._claims)
        super().add_study()
        (study,) = self._claims.keys() - before
        if not self.theirs or self.rng.random() < _SHARE:
            uid = self._archive.uid(study)
            bare = self._owner.random() < 0.5
            resource = theirs(self._archive, study, *self._listed(study), bare=bare)
            one = Theirs(study, self.context.namer.imaging_study(uid), resource)
            self.theirs[uid] = one
            self._put(one, resource)

    def edits(self, *, removal: bool) -> list[Callable[[], None]]:
        """Return what may be changed, by us or by the owner."""
        return [*super().edits(removal=removal), *[self.owner_writes] * 4]

    @property
    def names(self) -> frozenset[str]:
        """The references of all that is theirs."""
        return frozenset(one.name for one in self.theirs.values())

    def owner_writes(self, among: Collection[str] = ()) -> None:
        """Let the owner change one of its resources, with what stands there of ours or without.

        Args:
            among: References of which it is one, if any of them is the owner's.
        """
        rng, every = self._owner, list(self.theirs.values())
        one = rng.choice([each for each in every if each.name in among] or every)
        text = f"told {rng.getrandbits(32)}"
        if rng.random() < 0.5:
            # What its owner finds there stays, ours as well.
            uid = self._archive.uid(one.study, 1, rng.randint(20, 99)) if rng.random() < 0.7 else ""
            one.resource = _changed(one.resource, text, uid)
            while not self._put(one, _changed(held := self._held(one), text, uid), _version(held)):
                pass  # the client was at it: the owner reads once more
            return
        if rng.random() < 0.5:
            listing = theirs(self._archive, one.study, *self._listed(one.study)).get("series")
            one.resource = {key: value for key, value in one.resource.items() if key != "series"}
            one.resource |= {"series": listing} if listing else {}
        one.resource = _changed(one.resource, text)
        self._put(one, one.resource)

    def plan(self) -> Plan:
        """Note what the archive states now, and what is to stand on theirs."""
        for one in self.theirs.values():
            one.forms.append(None)
        return super().plan()

    def note(self, found: Plan, one: Unit) -> None:
        """Note in a plan what a study states, in whosever ImagingStudy."""
        other = self.theirs.get(one.key)
        if other is None or one.forms is None:
            super().note(found, one)
            return
        enriches = self.mode == "enrich"
        forms = one.forms
        assert isinstance(forms, StudyForms)
        if enriches:
            other.forms[-1] = forms
        provenances = forms.provenances(other.resource, enriched=enriches)
        for resource in (*one.shared, *provenances):
            found.resources[reference(resource)] = comparable(resource)
        found.devices.update({dev["id"]: digest(comparable(dev)) for dev in one.shared})
        found.shas[one.id] = one.sha
        found.provenances[one.id] = frozenset(each["id"] for each in provenances)
        for identifier in forms.identifiers:
            found.identifiers[identifier] = other.resource["id"]

    def _listed(self, study: int) -> list[int]:
        """Choose which instances its owner lists: just ours, none, or others."""
        held = sorted(self._claims.get(study) or self._gone[study])
        return self._owner.choice((held, held, held, [], [*held, max(held) + 7], held[:1]))

    def _held(self, one: Theirs) -> Json:
        answer = requests.get(f"{self.url}/{one.name}", headers=ASK, timeout=60)
        answer.raise_for_status()
        found: Json = json.loads(answer.text, parse_float=Raw)
        return found

    def _put(self, one: Theirs, resource: Mapping[str, object], version: int = 0) -> bool:
        """Write as the owner does; return whether the server still had a version."""
        match = {"If-Match": f'W/"{version}"'} if version else {}
        url, data = f"{self.url}/{one.name}", spelled(dict(resource)).encode()
        answer = requests.put(url, data=data, headers=_HEADERS | match, timeout=60)
        if match and answer.status_code in _STALE:
            return False
        answer.raise_for_status()
        one.stored = json.loads(answer.text, parse_float=Raw)
        one.written.add(_version(one.stored))
        return True


def _changed(resource: Json, text: str, uid: str = "") -> Json:
    """Return a resource with another description and, if it lists any, one more instance."""
    made = {**resource, "description": text}
    if uid and "series" in made:
        first, *others = made["series"]
        listed = [one for one in first["instance"] if one["uid"] != uid]
        first = {**first, "instance": [*listed, {**_LISTED, "uid": uid}]}
        made["series"] = [first, *others]
    return made


def _version(resource: Json) -> int:
    return int(resource["meta"]["versionId"])
