"""Records as no tool should write them: any text, any number of values, broken items."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st
from pydicom.datadict import tag_for_keyword

from deidfhir.model.record import Instance, Item, Items, Markers
from tests.unit.model.records import dcm, instance

# Surrogates too: DICOM JSON may hold half a pair.
TEXT: Final = st.one_of(
    st.sampled_from(["", " ", "\0", " a ", "\\", "YES", "NO", "113100", "DCM", "<&>'\"", "§匿🙂"]),
    st.text(st.characters(exclude_categories=()), max_size=8),
)
# A lone empty value is an empty element: reading makes no other record of it.
VALUES: Final = st.lists(TEXT, max_size=4).map(tuple).filter(lambda values: values != ("",))
OPTIONS: Final = ("113100", "113105", "113106", "113107", "113109", "113110", "113112")

CODE_KEYWORDS: Final = (
    "CodeValue",
    "CodingSchemeDesignator",
    "CodingSchemeVersion",
    "CodeMeaning",
    "MappingResource",
    "ContextUID",
    "LongCodeValue",
    "URNCodeValue",
)
OPEN_KEYWORDS: Final = (
    "Manufacturer",
    "ManufacturerModelName",
    "SoftwareVersions",
    "ContributionDateTime",
    "ContributionDescription",
)
LOCKED_KEYWORDS: Final = (
    "InstitutionName",
    "StationName",
    "OperatorsName",
    "DeviceSerialNumber",
    "DeviceUID",
)
DATE_TIMES: Final = st.sampled_from(
    ["2018", "20180803", "20180803160127+0100", "20180804160127.284-0600", "20180803160127", "x"]
)


def _ordered(elements: dict[str, Any]) -> Item:
    pairs = sorted(elements.items(), key=lambda pair: tag_for_keyword(pair[0]) or 0)
    return Item(tuple(pairs))


def _codes(depth: int) -> st.SearchStrategy[Item]:
    optional: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(CODE_KEYWORDS, VALUES)
    optional["CodingSchemeDesignator"] = st.one_of(
        st.sampled_from([("DCM",), ("dcm",), ("SCT",), ("99PMP",), ()]), VALUES
    )
    if depth:
        nested = st.lists(_codes(depth - 1), max_size=2).map(tuple)
        optional["EquivalentCodeSequence"] = nested
    return st.fixed_dictionaries({}, optional=optional).map(_ordered)


CODES: Final = st.one_of(_codes(2), st.sampled_from(OPTIONS).map(dcm))


def _equipment() -> st.SearchStrategy[Item]:
    optional: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(OPEN_KEYWORDS, VALUES)
    # Of an empty element there is nothing to withhold; the unit tests look at it.
    optional |= dict.fromkeys(LOCKED_KEYWORDS, VALUES.filter(bool))
    optional["Manufacturer"] = st.one_of(st.just(("PixelMed",)), VALUES)
    optional["ContributionDateTime"] = st.one_of(DATE_TIMES.map(lambda one: (one,)), VALUES)
    udi = st.fixed_dictionaries({}, optional={"UniqueDeviceIdentifier": VALUES}).map(_ordered)
    optional["UDISequence"] = st.lists(udi, min_size=1, max_size=2).map(tuple)
    purposes: st.SearchStrategy[Items] = st.lists(CODES, max_size=1).map(
        lambda more: (dcm("109104"), *more)
    )
    required = {"PurposeOfReferenceCodeSequence": purposes}
    return st.fixed_dictionaries(required, optional=optional).map(_ordered)


MARKERS: Final = st.builds(
    Markers,
    patient_identity_removed=st.one_of(st.sampled_from([("YES",), None]), VALUES),
    method=st.one_of(st.none(), VALUES),
    method_code=st.one_of(st.none(), st.lists(CODES, max_size=4).map(tuple)),
    burned_in_annotation=st.one_of(st.none(), VALUES),
    recognizable_visual_features=st.one_of(st.none(), VALUES),
    longitudinal_temporal_information_modified=st.one_of(st.none(), VALUES),
    equipment=st.lists(_equipment(), max_size=4).map(tuple),
)


@st.composite
def studies(draw: st.DrawFn) -> list[Instance]:
    """Draw one to four instances in up to two series that share some of their markers."""
    pool = draw(st.lists(MARKERS, min_size=1, max_size=2))
    places = draw(
        st.lists(
            st.tuples(st.integers(1, 2), st.integers(1, 3)), min_size=1, max_size=4, unique=True
        )
    )
    return [
        instance(
            number,
            draw(st.sampled_from(pool)),
            series=series,
            patient_id=draw(st.sampled_from(["", "SUBJ-1", "a\x01"])),
            study_date=draw(st.sampled_from(["", "20000612", "x"])),
            study_description=draw(TEXT),
            title=draw(TEXT),
            modality=draw(st.sampled_from(["CT", "", "James Bond2"])),
            series_number=draw(st.sampled_from(["1", "", "-7", "x"])),
            timezone=draw(st.sampled_from(["", "+0100", "+1400", "x"])),
        )
        for series, number in places
    ]
