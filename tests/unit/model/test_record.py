"""Items and UIDs as values: what is absent, empty, masked and usable."""

from __future__ import annotations

import pytest

from deidfhir.model.record import MASKED, Markers
from deidfhir.model.uid import is_oid, is_usable

from .records import dcm, dcms, item


def test_an_item_gives_the_values_of_an_element_in_order() -> None:
    one = item(SoftwareVersions=("1.0", " 2 "))
    assert one.values("SoftwareVersions") == ("1.0", " 2 ")
    assert one.first("SoftwareVersions") == "1.0"


@pytest.mark.parametrize("keyword", ["Manufacturer", "StationName", "SoftwareVersions"])
def test_absent_empty_and_masked_elements_have_no_values(keyword: str) -> None:
    one = item(StationName=MASKED, SoftwareVersions=())
    assert one.values(keyword) == ()
    assert one.first(keyword) == ""


def test_a_sequence_has_items_and_no_values() -> None:
    one = item(PurposeOfReferenceCodeSequence=dcms("109104"))
    assert one.items("PurposeOfReferenceCodeSequence") == (dcm("109104"),)
    assert one.values("PurposeOfReferenceCodeSequence") == ()


def test_leaving_out_an_element_keeps_the_others_in_order() -> None:
    one = item(Manufacturer="PixelMed", ContributionDateTime="2018", ContributionDescription="C")
    kept = one.without("ContributionDateTime")
    assert kept == item(Manufacturer="PixelMed", ContributionDescription="C")


def test_only_codes_of_scheme_dcm_are_option_codes() -> None:
    markers = Markers(
        method_code=(
            dcm("113100"),
            item(CodeValue="113106", CodingSchemeDesignator="99PMP"),
            item(CodeValue="113107"),
            item(CodeValue="113109 ", CodingSchemeDesignator="dcm"),
            item(CodeValue=(), CodingSchemeDesignator="DCM"),
        )
    )
    assert markers.option_codes() == {"113100", "113109"}


@pytest.mark.parametrize("uid", ["1.2.840.10008.5.1.4.1.1.2", "2.25.0", "0.1", "1." + "2" * 62])
def test_an_oid_is_an_oid_and_usable(uid: str) -> None:
    assert is_oid(uid)
    assert is_usable(uid)


@pytest.mark.parametrize(
    "uid", ["0123456789abcdef" * 4, "1.02.3", "3.1", "1", "A-B", "1.2.", "2f6a-11", "1..2"]
)
def test_a_uid_of_hex_digits_dots_and_hyphens_is_usable_but_no_oid(uid: str) -> None:
    assert is_usable(uid)
    assert not is_oid(uid)


@pytest.mark.parametrize("uid", ["", "1.2.3x", "1.2 .3", "ＡＢ", "1." + "2" * 63, "1.2\n", "١.٢"])
def test_anything_else_is_no_uid(uid: str) -> None:
    assert not is_usable(uid)
    assert not is_oid(uid)
