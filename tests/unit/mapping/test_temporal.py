"""DICOM dates and times become FHIR's with the precision and zone they give, no more (D14)."""

from __future__ import annotations

import pytest

from deidfhir.mapping.temporal import (
    fhir_from_date_and_time,
    fhir_from_dt,
    is_later,
    span,
)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("20180803160127.284+0100", "", "2018-08-03T16:01:27.284+01:00"),
        ("20180803160127.2+0100", "", "2018-08-03T16:01:27.2+01:00"),
        ("20180803160127.284000+0100", "", "2018-08-03T16:01:27.284000+01:00"),
        ("20180803160127-0330", "", "2018-08-03T16:01:27-03:30"),
        ("20180803160127+1400", "", "2018-08-03T16:01:27+14:00"),
        ("20180803160127", "+0200", "2018-08-03T16:01:27+02:00"),
        ("20180803160127+0100", "+0200", "2018-08-03T16:01:27+01:00"),
        ("20180803160127", "", "2018-08-03"),
        ("20180803160127", "nonsense", "2018-08-03"),
        ("201808031601+0100", "", "2018-08-03"),
        ("2018080316+0100", "", "2018-08-03"),
        ("20180803", "+0100", "2018-08-03"),
        ("201808", "+0100", "2018-08"),
        ("2018", "", "2018"),
        ("2018+0100", "", "2018"),
        (" 20180803 ", "", "2018-08-03"),
    ],
)
def test_a_date_time_keeps_its_precision_and_zone(text: str, zone: str, expected: str) -> None:
    assert fhir_from_dt(text, zone) == expected


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "20181303", "20180230", "0000", "18", "20180803250000", "20180803166000",
     "20180803160127.2840001", "2018-08-03", "20180803160127Z", "٢٠١٨", "20180803\\20180804"],
)  # fmt: skip
def test_what_has_no_form_of_the_standard_gives_no_date(text: str) -> None:
    assert fhir_from_dt(text, "+0100") is None


def test_a_leap_second_is_a_form_of_the_standard() -> None:
    # PS3.5 6.2: seconds from 00 to 60; FHIR's dateTime knows second 60 too.
    assert fhir_from_dt("20161231235960+0000") in (
        "2016-12-31",
        "2016-12-31T23:59:60+00:00",
    )


@pytest.mark.parametrize("zone", ["+1430", "+1459", "+1500", "-1430", "+0160", "0100", "+100"])
def test_a_zone_that_fhir_does_not_know_leaves_the_date(zone: str) -> None:
    assert fhir_from_dt("20180803160127", zone) == "2018-08-03"


@pytest.mark.parametrize(
    ("date", "time", "zone", "expected"),
    [
        ("20000612", "101500", "+0100", "2000-06-12T10:15:00+01:00"),
        ("20000612", "101500.12", "+0100", "2000-06-12T10:15:00.12+01:00"),
        ("20000612", "101500", "", "2000-06-12"),
        ("20000612", "1015", "+0100", "2000-06-12"),
        ("20000612", "", "+0100", "2000-06-12"),
        ("20000612", "nonsense", "+0100", "2000-06-12"),
        ("20000612", "256060", "+0100", "2000-06-12"),
        ("2000.06.12", "10:15:00", "+0100", "2000-06-12T10:15:00+01:00"),
        ("2000.06.12", "10:15", "+0100", "2000-06-12"),
        ("2000", "101500", "+0100", None),
        ("200006", "", "", None),
        ("20000631", "101500", "+0100", None),
        ("20000612-20000613", "", "", None),
        ("", "101500", "+0100", None),
        ("nonsense", "", "", None),
    ],
)
def test_a_date_and_a_time_become_one(
    date: str, time: str, zone: str, expected: str | None
) -> None:
    assert fhir_from_date_and_time(date, time, zone) == expected


@pytest.mark.parametrize(
    ("second", "first", "later"),
    [
        ("2018-08-03T16:01:28+01:00", "2018-08-03T16:01:27+01:00", True),
        ("2018-08-03T16:01:27+01:00", "2018-08-03T16:01:27+01:00", False),
        ("2018-08-03T16:01:27+01:00", "2018-08-03T16:00:00-06:00", False),
        ("2018-08-03T11:00:00-06:00", "2018-08-03T16:01:27+01:00", True),
        ("2018-08-04", "2018-08-03", True),
        ("2018-08-03", "2018-08-03", False),
        ("2018-08", "2018-07-31", True),
        ("2018-08", "2018-08-03", False),
        ("2018-08-03", "2018", False),
        ("2019", "2018-08-03", True),
        ("2018-08-03T16:01:27+01:00", "2018-08-03", False),
        # A date without zone may be a day off; beyond that it tells.
        ("2018-08-03T16:01:27+01:00", "2012-01-26", True),
        ("2018-08-03", "2012-01-26T15:03:16Z", True),
        ("2012-01-26T15:03:16Z", "2018-08-03", False),
        ("2018-08-04T00:30:00+01:00", "2018-08-03", False),
    ],
)
def test_an_order_is_seen_only_where_the_times_tell(
    second: str, first: str, *, later: bool
) -> None:
    assert is_later(second, first) is later


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([], None),
        (["2018-08-03"], ("2018-08-03", "2018-08-03")),
        (["2018-08-04", "2018-08-03"], ("2018-08-03", "2018-08-04")),
        (
            ["2018-08-03T16:01:27.595+01:00", "2018-08-03T09:01:27.284-06:00"],
            ("2018-08-03T09:01:27.284-06:00", "2018-08-03T16:01:27.595+01:00"),
        ),
        (["2018-08-03T16:01:27+01:00", "2018-08-04"], ("2018-08-03", "2018-08-04")),
    ],
)
def test_a_span_goes_from_the_first_to_the_last(
    moments: list[str], expected: tuple[str, str] | None
) -> None:
    assert span(moments) == expected
    assert span(moments[::-1]) == expected
