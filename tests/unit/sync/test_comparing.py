"""What is compared: a resource as far as it is ours."""

from __future__ import annotations

from typing import Any

import pytest

from deidfhir.sync.comparing import comparable, digest

OURS = {"resourceType": "Provenance", "id": "p", "activity": {"text": "x"}}


@pytest.mark.parametrize(
    "added",
    [
        {"meta": {"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z", "source": "#abc"}},
        {"meta": {"security": [], "tag": []}},
        {"recorded": "2020-01-01T00:00:00Z"},
        {"_recorded": {"extension": []}},
    ],
)
def test_what_a_server_adds_and_the_instant_of_recording_do_not_count(
    added: dict[str, Any],
) -> None:
    assert comparable({**OURS, **added}) == comparable(OURS)


@pytest.mark.parametrize(
    "changed",
    [
        {"meta": {"security": [{"code": "PSEUDED"}]}},
        {"meta": {"tag": [{"code": "x"}]}},
        {"meta": {"profile": ["http://example.org/p"]}},
        {"text": {"div": "x"}},
        {"activity": {"text": "y"}},
        {"extension": [{"url": "u"}]},
        {"contained": []},
    ],
)
def test_everything_else_counts(changed: dict[str, Any]) -> None:
    assert comparable({**OURS, **changed}) != comparable(OURS)


def test_labels_count_in_any_order() -> None:
    one, two = {"system": "s", "code": "a"}, {"system": "s", "code": "b"}
    assert comparable({**OURS, "meta": {"security": [one, two]}}) == comparable(
        {**OURS, "meta": {"security": [two, one]}}
    )


def test_a_version_that_a_server_puts_into_a_reference_does_not_count() -> None:
    plain = {**OURS, "target": [{"reference": "ImagingStudy/s"}]}
    versioned = {**OURS, "target": [{"reference": "ImagingStudy/s/_history/3"}]}
    other = {**OURS, "target": [{"reference": "ImagingStudy/t"}]}
    assert comparable(versioned) == comparable(plain)
    assert comparable(other) != comparable(plain)


def test_a_text_that_looks_like_a_version_counts() -> None:
    one = {**OURS, "extension": [{"url": "u", "valueString": "a/_history/1"}]}
    two = {**OURS, "extension": [{"url": "u", "valueString": "a/_history/2"}]}
    assert comparable(one) != comparable(two)


def test_labels_count_in_any_order_however_their_keys_are_ordered() -> None:
    ours = [{"system": "s1", "code": "b"}, {"system": "s2", "code": "a"}]
    theirs = [{"code": "b", "system": "s1"}, {"code": "a", "system": "s2"}]
    assert comparable({"meta": {"tag": ours}}) == comparable({"meta": {"tag": theirs}})


def test_a_digest_is_made_of_any_text() -> None:
    assert digest("x", "half a pair: \ud800") != digest("x", "half a pair: \ud801")
