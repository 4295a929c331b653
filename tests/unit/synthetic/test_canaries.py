"""The canaries are unique, stand everywhere and are found in whatever form they leave."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from deidfhir.model.attributes import attributes
from deidfhir.tables import table
from tests.synthetic.canaries import (
    PLACES,
    SERIALS,
    Canary,
    canaries_in,
    json_of,
    planted,
    tokens_in,
    write_planted,
)
from tests.synthetic.canary_places import profile_spots
from tests.synthetic.objects import codes

MARKERS: dict[str, object] = {
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "planted",
    "DeidentificationMethodCodeSequence": codes("113100", "113105"),
}
LENGTHS = {"SH": 16, "CS": 16, "AE": 16, "LO": 64, "PN": 64, "UI": 64, "IS": 12, "DS": 16}


@pytest.fixture(scope="module")
def whole() -> tuple[Dataset, tuple[Canary, ...]]:
    return planted(MARKERS)


def names(canaries: tuple[Canary, ...]) -> set[tuple[str, str]]:
    return {(one.place, one.keyword) for one in canaries}


def needles(canaries: tuple[Canary, ...]) -> set[str]:
    return {needle for one in canaries for needle in one.needles}


def decoded(dataset: Dataset) -> Iterator[str]:
    """Yield the values at every depth, bytes as the text that they are."""
    for one in dataset.iterall():
        if one.VR != "SQ":
            value = one.value
            yield value.decode("latin-1") if isinstance(value, bytes) else str(value)


def test_no_canary_shows_in_the_value_of_another(
    whole: tuple[Dataset, tuple[Canary, ...]],
) -> None:
    _, canaries = whole
    owners = Counter(needle for one in canaries for needle in one.needles)
    assert set(owners.values()) == {1}
    for one in canaries:
        tokens = tokens_in("\n".join(one.needles))
        assert tokens >= {needle for needle in one.needles if not needle.endswith("=")}
        assert {token for token in tokens if token in owners} <= set(one.needles)


def test_no_place_has_two_canaries_of_a_keyword(whole: tuple[Dataset, tuple[Canary, ...]]) -> None:
    _, canaries = whole
    assert len(names(canaries)) == len(canaries) == 8835


def test_every_attribute_that_an_object_may_hold_is_planted_at_the_root(
    whole: tuple[Dataset, tuple[Canary, ...]],
) -> None:
    made, canaries = whole
    rows = table("confidentiality-profile.toml")["attribute"]
    tags = {int(tag, 16) for tag in rows if not tag.startswith(("0000", "0002"))}
    print(f"planted at the root: {len(tags)} of {len(rows)} attributes")
    assert len(tags) == 650
    assert tags <= {one.tag for one in made}
    at_root = {keyword for place, keyword in names(canaries) if place == "root"}
    inside = {place.split("/")[1] for place, _ in names(canaries) if place.startswith("root/")}
    for spot in profile_spots():
        assert spot.keyword in (inside if spot.vr == "SQ" else at_root)


def test_every_pattern_of_the_table_is_planted(whole: tuple[Dataset, tuple[Canary, ...]]) -> None:
    _, canaries = whole
    assert names(canaries) >= {
        ("root", "CurveData"),
        ("root", "OverlayData"),
        ("root", "OverlayComments"),
        ("private", "(0009,1010)"),
        ("private", "(0013,1011)"),
        ("private", "(7FE1,1012)"),
        ("private/(0029,1016)", "PatientName"),
    }
    assert len(table("confidentiality-profile.toml")["pattern"]) == 4


def test_every_attribute_that_is_read_of_equipment_is_planted_for_both_purposes(
    whole: tuple[Dataset, tuple[Canary, ...]],
) -> None:
    _, canaries = whole
    for purpose in ("109104", "109101"):
        place = f"equipment {purpose}"
        own = {
            (place, one.keyword) for one in attributes("equipment item").values() if one.vr != "SQ"
        }
        assert own <= names(canaries)
        assert {(f"{place}/InstitutionalDepartmentTypeCodeSequence", "CodeMeaning")} <= names(
            canaries
        )
        assert {(f"{place}/OperatorIdentificationSequence", "PersonName")} <= names(canaries)
        assert {(f"udi {purpose}", "UniqueDeviceIdentifier")} <= names(canaries)


def test_a_purpose_and_the_markers_stay_what_they_are(
    whole: tuple[Dataset, tuple[Canary, ...]],
) -> None:
    made, _ = whole
    assert made.PatientIdentityRemoved == "YES"
    assert [one.CodeValue for one in made.DeidentificationMethodCodeSequence] == [
        "113100",
        "113105",
    ]
    purposes = [
        one.PurposeOfReferenceCodeSequence[0].CodeMeaning
        for one in made.ContributingEquipmentSequence
    ]
    assert purposes == ["De-identifying Equipment", "Acquisition Equipment"]
    plain = MARKERS["DeidentificationMethodCodeSequence"]
    assert isinstance(plain, list)
    assert "PatientName" not in plain[0]


def test_values_fit_their_vr(whole: tuple[Dataset, tuple[Canary, ...]]) -> None:
    made, _ = whole
    for one in made.iterall():
        if one.VR in LENGTHS:
            assert len(str(one.value)) <= LENGTHS[one.VR], one.tag
        if one.VR == "CS":
            assert str(one.value) == str(one.value).upper()


# Without VRs in the file, pydicom cannot tell those of the attributes that are newer than it.
@pytest.mark.filterwarnings("ignore:VR lookup failed")
@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_every_canary_is_found_in_the_file_that_is_written(
    whole: tuple[Dataset, tuple[Canary, ...]], tmp_path: Path, syntax: str
) -> None:
    made, canaries = whole
    path = write_planted(made, tmp_path / "planted" / "1.dcm", syntax)
    read = dcmread(path)
    assert read.file_meta.TransferSyntaxUID == syntax
    found = canaries_in(canaries, path.read_bytes())
    found |= canaries_in(canaries, "\n".join((*decoded(read), *decoded(read.file_meta))))
    missing = names(canaries) - found
    assert not missing


def test_a_file_is_written_with_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = (write_planted(planted(MARKERS, 3)[0], tmp_path / name) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_every_canary_of_the_data_set_is_found_in_its_dicom_json(
    whole: tuple[Dataset, tuple[Canary, ...]],
) -> None:
    made, canaries = whole
    missing = names(canaries) - canaries_in(canaries, json.dumps(json_of(made)))
    assert {place for place, _ in missing} == {"file meta"}


def test_objects_of_different_serials_share_no_value() -> None:
    objects = [planted(MARKERS, serial)[1] for serial in (0, 1, SERIALS - 1)]
    for one, other in combinations(objects, 2):
        assert names(one) == names(other)
        assert needles(one).isdisjoint(needles(other))
        assert not canaries_in(one, "\n".join(needles(other)))


@pytest.mark.parametrize("serial", [-1, SERIALS])
def test_there_is_no_object_beyond_the_serials(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        planted(MARKERS, serial)


def test_an_attribute_that_the_caller_gives_has_no_canary() -> None:
    given: dict[str, object] = {"StudyDate": "20000101", "DocumentTitle": None}
    made, canaries = planted(MARKERS | given | {"ContributingEquipmentSequence": None})
    assert made.StudyDate == "20000101"
    assert "DocumentTitle" not in made
    assert "ContributingEquipmentSequence" not in made
    assert names(canaries).isdisjoint(("root", keyword) for keyword in given)
    assert ("root/RequestAttributesSequence", "StudyDate") in names(canaries)
    assert not any(place.startswith("equipment") for place, _ in names(canaries))


def test_places_can_be_left_out() -> None:
    _, canaries = planted(MARKERS, places=("root",))
    assert {place.split("/")[0] for place, _ in names(canaries)} == {"root"}
    assert not any("RequestAttributesSequence" in place for place, _ in names(canaries))
    every = {place.split("/")[0].split(" ")[0] for place, _ in names(planted(MARKERS)[1])}
    assert every == {"root", "method", "purpose", "equipment", "udi", "private", "file"}
    assert len(PLACES) == 6


FORMS = [
    ("PatientName", "the name {0} in a sentence"),
    ("PatientID", "canary0000000z"),
    ("StudyDate", '"started": "{1}T00:00:00Z"'),
    ("StudyDate", "on {0}T"),
    ("StudyTime", "T{1}Z"),
    ("StudyTime", "{1}417+01:00"),
    ("AcquisitionDateTime", "{4}"),
    ("AcquisitionDateTime", "{1}"),
    ("TimezoneOffsetFromUTC", "T00:00:00{1}"),
    ("SeriesNumber", '"number": {0}}}'),
    ("PatientWeight", "{0}.5"),
    ("PatientAge", '"{0}"'),
    ("PregnancyStatus", "[{0}]"),
    ("EncapsulatedDocument", '"data": "{1}"'),
    ("StudyInstanceUID", "urn:oid:{0}"),
]


@pytest.mark.parametrize(("keyword", "form"), FORMS)
def test_a_canary_shows_in_every_form_in_which_it_may_leave(
    whole: tuple[Dataset, tuple[Canary, ...]], keyword: str, form: str
) -> None:
    (one,) = (one for one in whole[1] if (one.place, one.keyword) == ("root", keyword))
    text = form.format(*one.needles)
    if form.startswith("canary"):
        text = one.needles[0].lower()
    assert one.shows_in(text)
    assert one.shows_in(text.encode())
    assert canaries_in(whole[1], text) == {("root", keyword)}


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_a_text_shows_wherever_it_stands_in_base64(
    whole: tuple[Dataset, tuple[Canary, ...]], before: str
) -> None:
    (one,) = (one for one in whole[1] if (one.place, one.keyword) == ("root", "PatientID"))
    hidden = b64encode(f"{before}{one.needles[0]}, and more".encode()).decode()
    assert one.shows_in(f"data:text/plain;base64,{hidden}")


@pytest.mark.parametrize(
    ("keyword", "form"),
    [
        ("PatientAge", "A{0}"),
        ("PregnancyStatus", "1.2.{0}"),
        ("PregnancyStatus", "a{0}f"),
        ("StudyDate", "9{0}"),
        ("StudyDate", "c0ffee{0}"),
        ("SeriesNumber", "{0}0"),
    ],
)
def test_a_number_does_not_show_inside_a_longer_one(
    whole: tuple[Dataset, tuple[Canary, ...]], keyword: str, form: str
) -> None:
    (one,) = (one for one in whole[1] if (one.place, one.keyword) == ("root", keyword))
    assert not one.shows_in(form.format(*one.needles))
