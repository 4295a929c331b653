"""Whatever someone changes of what we wrote about a study: it is given away no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.judging import Judgement
from deidfhir.sync.comparing import comparable
from deidfhir.sync.journal import DELIVERED, Part, StudyRow
from deidfhir.sync.unit import Unit
from tests.golden.test_golden import CASES

MODEST = settings(max_examples=400, deadline=None, derandomize=True)
OTHERS = st.sampled_from([None, True, 0, "", "x", "removed", [], {}, ["x"], {"url": "x"}])
Path = tuple[Any, ...]
Stated = tuple[str, list[Any], StudyRow, MappingContext]


@cache
def stated() -> list[Stated]:
    """Return what is stated of each golden study whose identity is removed, and its row."""
    found = []
    for version in ("R4", "R5"):
        context = MappingContext(version)
        for case in CASES:
            for study in read_paths([case / "input"]).studies:
                if study.verdict is Verdict.REMOVED:
                    made = map_study(study, context)
                    own = [made.imaging_study, *made.provenances]
                    held = json.loads(json.dumps(own))
                    found.append((study.uid, held, _row(study, made, context), context))
    return found


def _row(study: Study, made: MappedStudy, context: MappingContext) -> StudyRow:
    """Return what the journal knows of a study that was stated."""
    unit = Unit(made.imaging_study, made.provenances, (), study.uid, {}, "")
    listed = {context.namer.stands_for(one.sop_instance_uid): "" for one in study.instances}
    statements: dict[str, str | None] = {one["id"]: None for one in made.provenances}
    return StudyRow("sent", unit.sha, statements, {"s": listed}, {DELIVERED: Part(unit.sha, {})})


def places(node: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - any JSON
    """Yield the way to everything that is in a resource."""
    if path:
        yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, one in pairs if isinstance(node, (dict, list)) else ():
        yield from places(one, (*path, key)) if isinstance(one, (dict, list)) else [(*path, key)]


@MODEST
@given(data=st.data())
def test_what_is_changed_anywhere_is_not_given_away(data: st.DataObject) -> None:
    uid, resources, row, context = data.draw(st.sampled_from(stated()))
    resources = json.loads(json.dumps(resources))
    assert _is_allowed(uid, resources, row, context)
    before = [comparable(one) for one in resources]
    for _ in range(data.draw(st.integers(1, 2))):
        number = data.draw(st.integers(0, len(resources) - 1))
        _change(data, resources[number])
    changed = [comparable(one) for one in resources] != before
    assert _is_allowed(uid, resources, row, context) is not changed


def _change(data: st.DataObject, resource: Any) -> None:  # noqa: ANN401
    """Take something away, put something else in its place, or say it twice."""
    every = [one for one in places(resource) if one[0] not in ("resourceType", "meta")]
    *way, last = data.draw(st.sampled_from(every))
    node = resource
    for key in way:
        node = node[key]
    how = data.draw(st.sampled_from(["away", "other", "twice"]))
    if how == "away":
        del node[last]
    elif how == "other":
        node[last] = data.draw(OTHERS)
    elif isinstance(node, list):
        node.append(json.loads(json.dumps(node[last])))
    else:
        node["added"] = json.loads(json.dumps(node[last]))


def _is_allowed(
    uid: str, resources: list[Any], row: StudyRow | None, context: MappingContext
) -> bool:
    study, *provenances = resources
    if not isinstance(study.get("id"), str):
        return False  # no server has such a one
    found = Judgement(study, uid, tuple(provenances), None, row, context).decision()
    return found.is_allowed
