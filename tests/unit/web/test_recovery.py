"""What a refusal asks of the client, status by status and code by code."""

from __future__ import annotations

import pytest

from deidfhir.tables import table
from deidfhir.web.outcome import Rejected
from deidfhir.web.recovery import Recovery, recovery_of


@pytest.mark.parametrize(
    ("status", "code", "recovery"),
    [
        (400, "HAPI-1094", "missing"),
        (404, "", "place"),
        (405, "not-supported", "place"),
        (415, "", "place"),
        (410, "deleted", "data"),
        (422, "invariant", "data"),
        (401, "", "login"),
        (403, "forbidden", "stop"),
        (408, "", "later"),
        (425, "", "later"),
        (429, "throttled", "later"),
        (502, "", "later"),
        (503, "", "later"),
        (504, "timeout", "later"),
        (413, "", "split"),
        (409, "HAPI-0550", "conflict"),
        (409, "HAPI-0550: HAPI-0825", "conflict"),
        (409, "HAPI-0823", "conflict"),
        (409, "HAPI-0825", "conflict"),
        (409, "HAPI-0826", "conflict"),
        (409, "HAPI-0827", "conflict"),
        (409, "HAPI-0824", "data"),
        (409, "HAPI-0550: HAPI-0824", "data"),
        (409, "HAPI-0989", "stale"),
        (409, "HAPI-0550: HAPI-0989", "stale"),
        (412, "HAPI-0989", "stale"),
        (409, "HAPI-0549", "conflict"),
        (409, "HAPI-0550: HAPI-0515", "deletion"),
        (409, "HAPI-0515", "deletion"),
        (412, "HAPI-0966", "deletion"),
        (409, "conflict", "conflict"),
        (409, "lock-error", "conflict"),
        (409, "", "conflict"),
        (412, "conflict", "stale"),
        (412, "", "stale"),
        (412, "HAPI-2840", "data"),
        (412, "HAPI-0988", "ambiguous"),
        (412, "multiple-matches", "ambiguous"),
        (404, "HAPI-0959", "ids"),
        (423, "lock-error", "conflict"),
        (400, "transient", "conflict"),
        (400, "timeout", "conflict"),
        (422, "throttled", "conflict"),
        (400, "HAPI-0549", "conflict"),
        (500, "transient", "broken"),
        (520, "", "broken"),
        (529, "transient", "broken"),
        (599, "", "broken"),
        (500, "HAPI-0389", "broken"),
        (501, "", "place"),
        (507, "no-store", "broken"),
        (511, "", "broken"),
        (418, "", "data"),
    ],
)
def test_a_refusal_asks_for_what_the_catalogue_says(status: int, code: str, recovery: str) -> None:
    assert recovery_of(status, code) == recovery
    assert Rejected(status, code).recovery == recovery


def test_only_what_may_go_through_another_time_is_passing() -> None:
    passing = {one.value for one in Recovery if one.is_passing}
    assert passing == {"later", "conflict", "stale", "broken"}


def test_the_log_may_tell_every_cause() -> None:
    told = table("events.toml")["field"]["cause"].split("|")
    assert sorted(told) == sorted(Recovery)
