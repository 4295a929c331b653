"""How a study stands comes back from the journal, whatever ids and versions look like (D21)."""

from __future__ import annotations

import pytest

from deidfhir.sync.journal import Journal, StudyRow
from deidfhir.sync.standing import How, Mode, Standing

LINKED = Standing(How.LINKED, Mode.LINK, "pacs-1", "3")
OWNED = Standing(How.OWNED, Mode.LINK)


@pytest.mark.parametrize(
    "standing",
    [
        OWNED,
        LINKED,
        Standing(How.LINKED, Mode.LINK, "an id", "3 draft"),
        Standing(How.ENRICHED, Mode.ENRICH, "\ud800", "\ud800", ("a b", "c")),
    ],
)
def test_a_standing_comes_back_from_the_journal(journal: Journal, standing: Standing) -> None:
    journal.put_studies({"s1": StudyRow("sent", "", {}, {}, standing=standing)})
    row = journal.study("s1")
    assert row is not None
    assert row.standing == standing


def test_a_write_under_way_keeps_what_may_stand_before_and_after_it() -> None:
    other = Standing(How.ENRICHED, Mode.ENRICH, "pacs-2", "7")
    under_way = Standing.under_way(other, LINKED)
    assert under_way is not None
    assert (under_way.ids, under_way.version) == (("pacs-2", "pacs-1"), "")
    back = Standing.under_way(OWNED, under_way)
    assert back is not None
    assert back.ids == ("pacs-2", "pacs-1")
    assert Standing.under_way(LINKED, None) == LINKED
    assert Standing.under_way(None, LINKED) == LINKED
