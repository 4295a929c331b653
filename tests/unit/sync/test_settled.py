"""What is settled stays so only as long as nothing in the journal says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deidfhir.sync.journal import Journal, StudyRow
from deidfhir.sync.resting import Resting
from deidfhir.sync.settled import Settled, SliceRow
from deidfhir.sync.standing import How, Mode, Standing
from deidfhir.sync.unit import Listed, Refused

from .memory import unit

ROW = StudyRow("sent", "sha", {}, {"here": {"a": "digest"}})
SLICE = SliceRow("signature", 3, 1, ("s", "t"))
STUDY = Settled("s", ("x", "y"), 2, ("d",), How.OWNED, '{"told": 1}')


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Give a journal with two studies that are settled."""
    with closing(Journal(tmp_path / "journal")) as made:
        made.put_studies({"s": ROW, "t": ROW})
        made.put_devices({"d": "sha"})
        made.settled.keep("here", {"x": SLICE, "y": SLICE}, {"s": STUDY, "t": Settled("t")})
        yield made


def test_what_was_kept_is_given_back_by_its_source(journal: Journal) -> None:
    assert journal.settled.slices("here") == {"x": SLICE, "y": SLICE}
    assert journal.settled.studies("here") == {"s": STUDY, "t": Settled("t")}
    assert journal.settled.slices("there") == {}
    assert journal.settled.studies("there") == {}
    journal.settled.keep("here", {"x": None}, {"s": None})
    assert journal.settled.slices("here").keys() == {"y"}
    assert journal.settled.studies("here").keys() == {"t"}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda journal: journal.put_studies({"s": ROW}), {"t"}),
        (lambda journal: journal.acknowledge({"s": ROW}), {"t"}),
        (lambda journal: journal.make_due(["s"], []), {"t"}),
        (lambda journal: journal.make_due([], ["d"]), set()),
        (lambda journal: journal.forget_acknowledgements(), set()),
        (lambda journal: journal.put_devices({"d": "other"}), {"t"}),
        (lambda journal: journal.put_devices({"d": "sha", "e": "new"}), {"s", "t"}),
    ],
    ids=["put", "acknowledged", "due", "shared due", "forgotten", "shared changed", "shared put"],
)
def test_a_study_whose_row_changes_is_no_longer_settled(
    journal: Journal, change: Callable[[Journal], None], left: set[str]
) -> None:
    change(journal)
    assert journal.settled.studies("here").keys() == left
    assert journal.settled.slices("here").keys() == {"x", "y"}


def test_a_study_that_stands_by_someone_elses_is_never_settled() -> None:
    resting = Resting()
    one = unit(1)
    for how, mode in ((How.LINKED, Mode.LINK), (How.ENRICHED, Mode.ENRICH)):
        standing = Standing(how, mode, "theirs")
        resting.as_it_was(one, StudyRow("sent", one.sha, {}, {}, standing=standing))
        assert resting.found == {}
    resting.as_it_was(one, StudyRow("sent", one.sha, {}, {}))
    assert resting.found.keys() == {one.id}


def test_a_study_of_which_something_was_told_is_not_settled() -> None:
    resting = Resting()
    one, other = unit(1), unit(2)
    for each in (one, other):
        resting.as_it_was(each, None)
    resting.as_it_was(Refused("r", "1.2", {}, decisive=True, name="refused.dcm"), None)
    resting.listed(Listed("l"))
    assert resting.without({one.name}).keys() == {other.id, "r", "l"}
    assert resting.found["r"] == Settled("r")
    assert resting.found[other.id].own == len(other.own)
