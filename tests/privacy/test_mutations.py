"""Whatever is broken or rearranged in an object, only values of allowed attributes leave."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, config, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.filereader import read_partial

from deidfhir import MappingContext, map_study, studies_from_json, studies_from_paths
from deidfhir.model.attributes import attributes, last_tag
from deidfhir.model.study import Study
from tests.privacy.allowed import ALWAYS, OPTIONS, STATES, UNLOCKED, Case
from tests.privacy.holding import full, hold_at_most
from tests.synthetic.canaries import Canary, canaries_in, json_of, planted, write_planted


def attribute_names(within: str) -> list[str]:
    return [one.keyword for one in attributes(within).values()]


MODEST = settings(max_examples=120, deadline=None, derandomize=True)
pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom, of what is broken on purpose
MARKERS: Final = (
    *("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence"),
    *("BurnedInAnnotation", "RecognizableVisualFeatures"),
    "LongitudinalTemporalInformationModified",
)
TITLES: Final = ("DocumentTitle", "ConceptNameCodeSequence", "ContentLabel", "ImageType")
SEQUENCES: Final = (
    *("DeidentificationMethodCodeSequence", "PurposeOfReferenceCodeSequence", "UDISequence"),
    *("ConceptNameCodeSequence", "InstitutionalDepartmentTypeCodeSequence"),
    "EquivalentCodeSequence",
)
WITHIN: Final = (*attribute_names("code item"), *attribute_names("udi item"))
ITEMS: Final = {name for place, name in ALWAYS if place == "equipment 109104"}


def mapped(studies: Iterator[Study]) -> str:
    """Return all that is made of some studies, whatever they claim."""
    usable = (one for one in studies if not one.conflicting)
    made = (map_study(one, MappingContext(), accept="all").bundle() for one in usable)
    return "\n".join(json.dumps(one) for one in made)


@lru_cache(maxsize=8)
def encoded(options: tuple[str, ...], syntax: str) -> tuple[bytes, tuple[Canary, ...]]:
    """Return the bytes of an object full of canaries, with its nested copies left out."""
    made, canaries = planted(Case(options=options).markers(), 0, ("equipment", "private", "codes"))
    with tempfile.TemporaryDirectory() as folder:
        return write_planted(made, Path(folder) / "1.dcm", syntax).read_bytes(), canaries


def _raw(dataset: Dataset, keyword: str) -> str:
    """Return the bytes of a text as they are; of a sequence, the texts of a code's attributes."""
    tag = tag_for_keyword(keyword)
    if tag is None or tag not in dataset:
        return ""
    element: Any = dataset.get_item(tag)
    if keyword in SEQUENCES:
        items = dataset.get(keyword, None) or ()
        return "\n".join(_raw(one, name) for one in items for name in WITHIN)
    # Items in the place of a text are none of its value.
    return element.value.decode("latin-1") if isinstance(element.value, bytes) else ""


def stated(content: bytes) -> str:
    """Return the values of all attributes that may leave, as pydicom reads what is broken.

    Where a tag stands twice, the last one counts for whoever reads to the end, and another one for
    whoever stops after the last attribute that is wanted.
    """
    last = last_tag()
    whole = dcmread(BytesIO(content), force=True)
    header = read_partial(BytesIO(content), lambda tag, *_: tag > last, force=True)
    return _stated(whole) + "\n" + _stated(header)


def _stated(dataset: Dataset) -> str:
    codes = _codes(dataset)
    names = {name for _, name in ALWAYS} | {"PatientID", "TimezoneOffsetFromUTC", *MARKERS}
    allowed = {name for code in codes for _, name in UNLOCKED.get(code, ())}
    names |= allowed | (set(TITLES) if "113105" in codes else set())
    texts = [_raw(dataset, name) for name in sorted(names)]
    for item in dataset.get("ContributingEquipmentSequence", None) or ():
        if "109104" in str(item.get("PurposeOfReferenceCodeSequence", "")):
            inside = ITEMS | allowed | {"PurposeOfReferenceCodeSequence"}
            inside |= {"UDISequence"} if "113109" in codes else set()
            if "113112" in codes:
                inside.add("InstitutionalDepartmentTypeCodeSequence")
            texts += [_raw(item, name) for name in sorted(inside)]
    return "\n".join(texts)


def _codes(dataset: Dataset) -> set[str]:
    items = dataset.get("DeidentificationMethodCodeSequence", None) or ()
    return {str(one.get("CodeValue", "")).strip(" \0") for one in items}


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "set", "delete", "double", "cut"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=6,
)


def broken(content: bytes, mutations: list[tuple[str, float, int]]) -> bytes:
    """Return some bytes with single ones flipped, set, taken out or doubled, or with an end cut."""
    data = bytearray(content)
    for what, where, value in mutations:
        place = 132 + int(where * max(0, len(data) - 132))
        if place >= len(data):
            break
        if what == "flip":
            data[place] ^= 1 << (value % 8)
        elif what == "set":
            data[place] = value
        elif what == "delete":
            del data[place : place + 1 + value % 4]
        elif what == "double":
            data[place:place] = data[place : place + 1 + value % 8]
        else:
            del data[place:]
    return bytes(data)


@MODEST
@given(
    mutations=MUTATIONS,
    options=st.sampled_from([(), ("113105", "113107", "113109", "113112")]),
    syntax=st.sampled_from(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]),
)
def test_of_bytes_that_are_broken_only_allowed_values_leave(
    mutations: list[tuple[str, float, int]], options: tuple[str, ...], syntax: str
) -> None:
    whole, canaries = encoded(options, syntax)
    content = broken(whole, mutations)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "1.dcm"
        path.write_bytes(content)
        text = mapped(studies_from_paths([path]))
    if not text:
        return
    with warnings.catch_warnings(), config.disable_value_validation():
        try:
            permitted = canaries_in(canaries, stated(content))
        except Exception:  # noqa: BLE001 - pydicom gives up after the markers, where we do not look
            permitted = set(Case(options=OPTIONS).allowed)
    hold_at_most(canaries, text, permitted)


@MODEST
@given(
    state=st.sampled_from(sorted(STATES)),
    options=st.sets(st.sampled_from(OPTIONS)).map(sorted),
    gone=st.sets(st.floats(0, 1, exclude_max=True), max_size=30),
    data=st.data(),
)
def test_of_dicom_json_that_is_rearranged_only_allowed_values_leave(
    state: str, options: list[str], gone: set[float], data: st.DataObject
) -> None:
    case = Case(state, tuple(options))
    made, canaries = full(case.markers())
    source = json_of(made)
    tags = sorted(source)
    kept = {"0020000D", "0020000E", "00080018"} | {f"{tag_for_keyword(one):08X}" for one in MARKERS}
    for where in gone:
        source.pop(tag, None) if (tag := tags[int(where * len(tags))]) not in kept else None
    # The whole object once more inside one of its own sequences, and in a private one.
    copy = json.loads(json.dumps(source))
    outer = data.draw(st.sampled_from(["00081140", "00400275", "04000561", "00291010", "52009229"]))
    source[outer] = {"vr": "SQ", "Value": [copy, {"00081140": {"vr": "SQ", "Value": [copy]}}]}
    for tag in data.draw(st.lists(st.sampled_from(tags), max_size=20)):
        if tag in source and tag not in kept:
            source[tag]["vr"] = data.draw(st.sampled_from(["UN", "LO", "OB", "DS", "SQ", "??"]))
    order = data.draw(st.permutations(sorted(source)[:40]))
    shuffled = {tag: source[tag] for tag in [*order, *sorted(source)[40:]]}
    text = mapped(studies_from_json([shuffled], lambda _: None))
    titles = {("root", one) for one in TITLES} | {("root/ConceptNameCodeSequence", "CodeMeaning")}
    hold_at_most(canaries, text, case.allowed | (titles if "113105" in options else set()))
