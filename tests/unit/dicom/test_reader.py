"""Wanted elements become an instance: identity (D23), titles, markers, schemes."""

from __future__ import annotations

from typing import Any

import pytest

from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.reader import Reader, instance_of
from deidfhir.model.record import Evidence, Instance
from tests.unit.model.records import dcm, dcms, equipment, item

UIDS = {
    "StudyInstanceUID": ("1.2.3",),
    "SeriesInstanceUID": ("1.2.3.4",),
    "SOPInstanceUID": ("1.2.3.4.5",),
}
PURPOSE = {"CodeValue": ("109104",), "CodingSchemeDesignator": ("DCM",)}


def read(**elements: Any) -> Instance:  # noqa: ANN401 - contents of any form
    return instance_of(Header({**UIDS, **elements}), "a.dcm")[0]


@pytest.mark.parametrize(
    ("keyword", "code"),
    [
        ("StudyInstanceUID", "no-study-uid"),
        ("SeriesInstanceUID", "no-series-uid"),
        ("SOPInstanceUID", "no-instance-uid"),
    ],
)
@pytest.mark.parametrize("values", [None, (), ("",), ("not a uid",), ("1" * 65,), ("1.2.x",)])
def test_an_object_without_a_usable_uid_is_skipped(
    keyword: str, code: str, values: tuple[str, ...] | None
) -> None:
    elements: dict[str, Any] = {**UIDS}
    del elements[keyword]
    if values is not None:
        elements[keyword] = values
    with pytest.raises(ObjectSkipped) as caught:
        instance_of(Header(elements))
    assert caught.value.code == code


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_a_uid_that_is_no_oid_is_kept_with_a_finding(keyword: str) -> None:
    instance, findings = instance_of(Header({**UIDS, keyword: ("ab-01",)}), "a.dcm")
    uids = (instance.study_uid, instance.series_uid, instance.sop_instance_uid)
    assert "ab-01" in uids
    assert [(one.code, one.path) for one in findings] == [("uid-not-oid", "a.dcm")]


@pytest.mark.parametrize(
    ("uid", "codes"), [("1.2.840.1", []), ("ab-01", ["uid-not-oid"]), ("no uid", []), ("", [])]
)
def test_a_sop_class_that_is_sent_but_no_oid_is_a_finding(uid: str, codes: list[str]) -> None:
    # One that is no UID at all is found when it is marked as unknown.
    _, findings = instance_of(Header({**UIDS, "SOPClassUID": (uid,)}))
    assert [one.code for one in findings] == codes


@pytest.mark.parametrize(
    ("keyword", "field"),
    [("Modality", "modality"), ("PatientID", "patient_id"), ("StudyDate", "study_date"),
     ("SeriesDescription", "series_description"), ("SOPClassUID", "sop_class_uid")],
)  # fmt: skip
def test_of_several_values_where_one_belongs_all_stay_together(keyword: str, field: str) -> None:
    instance, findings = instance_of(Header({**UIDS, keyword: ("CT", "MR")}))
    assert getattr(instance.facts, field) == "CT\\MR"
    assert [one.code for one in findings] == ["several-values"]


def test_facts_are_taken_without_padding_and_absent_ones_are_empty() -> None:
    found = read(Modality=(" CT ",), PatientID=("SUBJ-1 ",), SeriesNumber=(" 7",), StudyDate=())
    assert (found.facts.modality, found.facts.patient_id, found.facts.series_number) == (
        "CT",
        "SUBJ-1",
        "7",
    )
    assert (found.facts.study_date, found.facts.body_part) == ("", "")


@pytest.mark.parametrize(
    ("elements", "title"),
    [
        ({"ImageType": ("DERIVED", "PRIMARY")}, r"DERIVED\PRIMARY"),
        ({"ImageType": ("ORIGINAL",), "ContentLabel": ("LABEL",)}, "LABEL"),
        (
            {
                "ContentLabel": ("LABEL",),
                "ConceptNameCodeSequence": ({"CodeMeaning": ("Report",)},),
            },
            "Report",
        ),
        (
            {
                "ConceptNameCodeSequence": ({"CodeMeaning": ("Report",)},),
                "DocumentTitle": ("Title",),
            },
            "Title",
        ),
        ({"ConceptNameCodeSequence": (), "ContentLabel": ("LABEL",)}, "LABEL"),
        ({}, ""),
    ],
)
def test_the_most_telling_attribute_gives_the_title(elements: dict[str, Any], title: str) -> None:
    assert read(**elements).facts.title == title


def test_absent_empty_and_filled_markers_differ() -> None:
    found = read(DeidentificationMethod=(), BurnedInAnnotation=("NO",)).markers
    assert found.patient_identity_removed is None
    assert found.method == ()
    assert found.burned_in_annotation == ("NO",)
    assert found.method_code is None
    assert read(DeidentificationMethodCodeSequence=()).markers.method_code == ()


def test_only_items_of_the_de_identifying_purpose_are_kept() -> None:
    sequence = (
        {"Manufacturer": ("A",), "PurposeOfReferenceCodeSequence": (PURPOSE,)},
        {
            "Manufacturer": ("B",),
            "PurposeOfReferenceCodeSequence": ({**PURPOSE, "CodeValue": ("109103",)},),
        },
        {"Manufacturer": ("C",)},
        {"Manufacturer": ("D",), "PurposeOfReferenceCodeSequence": ()},
        {
            "Manufacturer": ("E",),
            "PurposeOfReferenceCodeSequence": ({**PURPOSE, "CodingSchemeDesignator": ("99PMP",)},),
        },
        {
            "Manufacturer": ("F",),
            "PurposeOfReferenceCodeSequence": ({"CodeValue": ("109101",)}, PURPOSE),
        },
    )
    found = read(ContributingEquipmentSequence=sequence).markers.equipment
    assert [one.first("Manufacturer") for one in found] == ["A", "F"]


def test_items_are_verbatim_and_in_tag_order() -> None:
    sequence = ({"PurposeOfReferenceCodeSequence": (PURPOSE,), "Manufacturer": (" A",)},)
    (found,) = read(ContributingEquipmentSequence=sequence).markers.equipment
    purpose = item(CodeValue="109104", CodingSchemeDesignator="DCM")
    assert found == equipment(Manufacturer=" A", PurposeOfReferenceCodeSequence=(purpose,))


def test_equivalent_codes_are_read_at_any_depth() -> None:
    inner = {"CodeValue": ("3",)}
    outer = {"CodeValue": ("1",), "EquivalentCodeSequence": ({"EquivalentCodeSequence": (inner,)},)}
    found = read(DeidentificationMethodCodeSequence=(outer,)).markers.method_code
    middle = item(EquivalentCodeSequence=(item(CodeValue="3"),))
    assert found == (item(CodeValue="1", EquivalentCodeSequence=(middle,)),)


def test_only_schemes_that_the_codes_use_and_that_have_an_oid_are_taken() -> None:
    schemes = (
        {"CodingSchemeDesignator": ("99PMP",), "CodingSchemeUID": ("1.3.6.1.4.1.5962.98.1",)},
        {"CodingSchemeDesignator": ("99X",), "CodingSchemeUID": ("1.2.3",)},
        {"CodingSchemeDesignator": ("99Y",), "CodingSchemeUID": ("no-oid",)},
    )
    codes = ({"CodingSchemeDesignator": ("99PMP",)}, {"CodingSchemeDesignator": ("99Y",)})
    found = read(
        CodingSchemeIdentificationSequence=schemes, DeidentificationMethodCodeSequence=codes
    )
    assert found.markers.coding_schemes == (("99PMP", "1.3.6.1.4.1.5962.98.1"),)


def test_codes_come_as_records() -> None:
    sequence = tuple(
        {
            "CodeValue": (value,),
            "CodingSchemeDesignator": ("DCM",),
            "CodeMeaning": (dcm(value).first("CodeMeaning"),),
        }
        for value in ("113100", "113105")
    )
    found = read(DeidentificationMethodCodeSequence=sequence).markers.method_code
    assert found == dcms("113100", "113105")


def headers() -> list[Header]:
    """Return headers of which each differs from the one before in one thing, or in none."""
    base = Header({**UIDS, "Modality": ("CT",), "InstanceNumber": ("1",)})
    return [
        base,
        Header({**base.elements, "SOPInstanceUID": ("1.2.3.4.6",), "InstanceNumber": ("2",)}),
        Header({**base.elements, "Modality": ("MR",)}),
        Header({**base.elements, "PatientIdentityRemoved": ("YES",)}),
        Header({**base.elements, "PatientIdentityRemoved": ()}),
        Header({**base.elements, "InstanceNumber": ("1", "2")}),
        Header({**base.elements, "SOPInstanceUID": ("ab",)}),
        base._replace(tail_broken=True),
        base._replace(evidence=Evidence("1.2.3")),
        base._replace(odd=("marker-vr",)),
        Header({**base.elements, "StudyInstanceUID": ("ab",), "InstanceNumber": ("1", "2")}),
        base,
    ]


def test_a_reader_that_remembers_reads_what_one_reads_that_does_not() -> None:
    every = headers()
    for step in range(1, len(every)):
        reader = Reader()
        for number in range(2 * len(every)):
            header = every[number * step % len(every)]
            found, codes = reader.read(header, "a.dcm")
            alone, findings = instance_of(header, "a.dcm")
            assert found == alone
            assert codes == tuple(one.code for one in findings)


def test_instances_that_state_the_same_share_their_facts() -> None:
    reader = Reader()
    first, second, other, *_ = (reader.read(one, "")[0] for one in headers())
    assert first.facts is second.facts
    assert other.facts is not first.facts
    assert other.markers is first.markers


def test_where_series_lie_among_each_other_each_shares_its_facts() -> None:
    reader = Reader()
    base = headers()[0].elements
    found = []
    for number in range(12):
        series = {"SeriesInstanceUID": (f"1.2.3.{number % 3}",)}
        own = {"SOPInstanceUID": (f"1.2.3.9.{number}",), "InstanceNumber": (str(number),)}
        found.append(reader.read(Header({**base, **series, **own}), "")[0])
    assert len({id(one.facts) for one in found}) == 3
    assert all(one.facts is found[number % 3].facts for number, one in enumerate(found))
