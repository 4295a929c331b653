"""Looking up, batch by batch, what a target holds of studies, whoever wrote it (D21)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from deidfhir.errors import FatalError
from deidfhir.fhir.types import JsonObject
from deidfhir.sync.guarding import is_subsetted
from deidfhir.sync.journal import LEAVING, StudyRow
from deidfhir.sync.standing import Mode, Traces
from deidfhir.sync.target import Found, Target, studies_targeted
from deidfhir.sync.unit import Refused, Unit, Vanished
from deidfhir.web.outcome import objects

_Study = Unit | Refused | Vanished
_Studies = Sequence[_Study]
_Rows = Mapping[str, StudyRow | None]
_Ids = Mapping[str, tuple[str, ...]]
_KIND = "ImagingStudy"
_UNSURE = ("planned", LEAVING)
"""States of a study of which what was last written may or may not have arrived."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Finds our ImagingStudy, others' of the same study, and every Provenance about them.

    Args:
        target: A server or a folder.
        traces: Tells what of ours stands on others' resources.
        mode: In mode `own` only what was never sent is looked up by identifier, and only ours.
        row_of: Returns what the journal knows of a study.
    """

    target: Target
    traces: Traces
    mode: Mode
    row_of: Callable[[str], StudyRow | None]

    def is_sought(self, one: _Study) -> bool:
        """Whether a study is looked up by its identifier; a refused one never is (D18)."""
        return isinstance(one, Unit) and one.forms is not None and self.mode is not Mode.OWN

    def matching(
        self, units: Iterable[Unit], *, brief: bool = False
    ) -> dict[str, list[JsonObject]]:
        """Return what has the identifier of some studies, ours included, by the id of ours.

        Args:
            units: The studies.
            brief: Whether identifiers and versions will do.
        """
        by_identifier = {
            identifier: one.id for one in units if one.forms for identifier in one.forms.identifiers
        }
        found: dict[str, list[JsonObject]] = {identity: [] for identity in by_identifier.values()}
        if not by_identifier:
            return found
        for resource in self.target.studies(list(by_identifier), brief=brief):
            spelled = (
                f"{one.get('system')}|{one.get('value')}"
                for one in objects(resource.get("identifier"))
            )
            for identity in {by_identifier[one] for one in spelled if one in by_identifier}:
                if all(one["id"] != resource["id"] for one in found[identity]):
                    found[identity].append(resource)
        return found

    def finding(self, batch: _Studies) -> Callable[[], dict[str, Found]]:
        """Return what finds what the target holds of some studies, by the id of ours.

        The journal is looked at now; what is returned asks the target alone.
        """
        rows = {one.id: self.row_of(one.id) for one in batch}
        return partial(self._found, batch, rows)

    def _found(self, batch: _Studies, rows: _Rows) -> dict[str, Found]:
        sought = [one for one in batch if isinstance(one, Unit) and self.is_sought(one)]
        matched = self.matching(sought)
        known = self._known(batch, rows)
        # Nothing is taken to be stated of a study that is in nobody's ImagingStudy and that this
        # journal never sent.
        unsent = {one.id for one in batch if isinstance(one, Unit) and rows[one.id] is None}
        if not sought and not any(known.values()):
            absent = self._absent(one for one in batch if one.id in unsent)
            here = self.target.find(one.id for one in batch if one.id not in absent)
            return here | {identity: Found(None, ()) for identity in absent}
        every = {one["id"]: one for each in matched.values() for one in each}
        # Ours has the identifier as well: what was sought by it is not read once more by id.
        by_id = {one.id for one in batch if not self.is_sought(one)} | _all(known)
        # Where only a part was given, all of it is asked for.
        part = {identity for identity, one in every.items() if is_subsetted(one)}
        every |= self.target.read(_KIND, sorted(part | (by_id - every.keys())))
        stated = {one.id for one in batch} - unsent
        about = self.target.provenances_of(sorted({*stated, *every, *_all(known)}))
        lost = self._lost(batch, rows, known, every)
        found = {}
        for one in batch:
            met = [each["id"] for each in matched.get(one.id, ())]
            theirs = tuple(every[each] for each in met if each != one.id)
            ids = dict.fromkeys((one.id, *met, *known[one.id]))
            left = tuple(every[each] for each in ids if each in every.keys() - {one.id, *met})
            said = [each for identity in ids for each in about.get(identity, ())]
            said += [lost[each] for each in _statements(rows[one.id]) if each in lost]
            held = Found(every.get(one.id), _each_once(said), theirs=theirs, left=left)
            found[one.id] = self._with_traces(one, held)
        return found

    def _absent(self, units: Iterable[_Study]) -> set[str]:
        """Return the ids of those of some studies that are in no ImagingStudy of ours.

        There are servers that search long for each id that is not there, but not for identifiers.
        """
        forms = {one.id: one.forms for one in units if isinstance(one, Unit) and one.forms}
        if not forms:
            return set()
        # In the form in which we write it; what comes back is known by its id.
        ours = [one.identifiers[0] for one in forms.values()]
        try:
            there = {one["id"] for one in self.target.studies(ours, brief=True)}
        except FatalError as error:
            if error.code != "not-fhir":
                raise
            return set()  # it may search for no identifiers: that it is no FHIR server, others tell
        return forms.keys() - there

    def _with_traces(self, one: _Study, found: Found) -> Found:
        """Add what of ours stands on theirs, and what our statements about theirs cover."""
        pairs = [(each, self.traces.stripped(each, one.id)) for each in found.others]
        covered: frozenset[str] = frozenset()
        if not isinstance(one, Vanished):
            for each in found.others:
                covered |= self.traces.covered(each, found.provenances, one.key, one.id)
        stripped = tuple(after for before, after in pairs if after is not before)
        return replace(found, stripped=stripped, covered=covered)

    def _known(self, batch: _Studies, rows: _Rows) -> dict[str, tuple[str, ...]]:
        """Return the ids of theirs by which studies were stated before, or may have been."""
        known = {}
        firsts: dict[str, _Study] = {}
        for one in batch:
            row = rows[one.id]
            known[one.id] = row.standing.ids if row and row.standing else ()
            in_ours_alone = isinstance(one, Unit) and one.forms is None
            if in_ours_alone or (row and (row.standing or row.state not in _UNSURE)):
                continue
            # What may stand there is found by the ids of our statements, never by the study's UID.
            firsts |= dict.fromkeys(_statements(row), one)
            if isinstance(one, Refused):
                firsts |= dict.fromkeys(self.traces.first_ids(one.key, one.instances), one)
        read = self.target.read("Provenance", sorted(firsts)) if firsts else {}
        for first, provenance in read.items():
            one = firsts[first]
            journaled = first in _statements(rows[one.id])
            if journaled or (isinstance(one, Refused) and self.traces.is_ours(provenance, one.key)):
                others = (other for other in studies_targeted(provenance) if other != one.id)
                known[one.id] = tuple(dict.fromkeys((*known[one.id], *others)))
        return known

    def _lost(
        self, batch: _Studies, rows: _Rows, known: _Ids, every: Mapping[str, object]
    ) -> dict[str, JsonObject]:
        """Return, by id, the statements about what the target has no more."""
        ids = {
            statement
            for one in batch
            if set(known[one.id]) - every.keys()
            for statement in _statements(rows[one.id])
        }
        return self.target.read("Provenance", sorted(ids)) if ids else {}


def _all(known: _Ids) -> set[str]:
    return {identity for ids in known.values() for identity in ids}


def _statements(row: StudyRow | None) -> Iterable[str]:
    return row.statements if row else ()


def _each_once(resources: list[JsonObject]) -> tuple[JsonObject, ...]:
    return tuple({one["id"]: one for one in resources}.values())
