"""Wanted elements → an instance: the one place where reading decides what an object states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from deidfhir.dicom.elements import Content, Elements, Header, ObjectSkipped
from deidfhir.model.attributes import attributes
from deidfhir.model.finding import Finding
from deidfhir.model.record import (
    Evidence,
    Facts,
    Instance,
    Item,
    Items,
    Markers,
    Values,
    trimmed,
)
from deidfhir.model.uid import is_oid, is_usable
from deidfhir.tables import table

DEIDENTIFYING_EQUIPMENT = "109104"  # CID 7005
_UID, _NUMBER = "SOPInstanceUID", "InstanceNumber"
"""What differs from instance to instance."""
_SERIES = 256
# Attributes of VM 1 that would be used; the markers keep all their values.
_SINGLE = (
    "SOPClassUID",
    "Modality",
    "PatientID",
    "PatientSex",
    "SeriesNumber",
    "StudyDate",
    "StudyTime",
    "SeriesDate",
    "SeriesTime",
    "TimezoneOffsetFromUTC",
    "StudyDescription",
    "SeriesDescription",
    "BodyPartExamined",
)


class _Known(NamedTuple):
    """What the last object of a series stated."""

    shared: Elements
    evidence: Evidence
    tail_broken: bool
    facts: Facts
    codes: tuple[str, ...]


class Reader:
    """Makes instances of what was read; those of a series that state the same share their facts.

    Files of several series may lie among each other: of each, the last object is remembered.

    Args:
        most: Of so many series.
    """

    __slots__ = ("_known", "_last", "_most")

    def __init__(self, most: int = _SERIES) -> None:
        self._most = most
        self._known: dict[str, _Known] = {}
        self._last: Facts | None = None

    def read(self, header: Header, path: str, file: str = "") -> tuple[Instance, tuple[str, ...]]:
        """Return what one object states, and the codes of what is odd beside its markers (D23).

        Args:
            header: What was read of it.
            path: Where, as the operator named it.
            file: What stands for the file as it was.

        Raises:
            ObjectSkipped: `no-study-uid`, `no-series-uid` or `no-instance-uid`.
        """
        shared = header.elements.copy()
        uids, numbers = shared.pop(_UID, ()), shared.pop(_NUMBER, ())
        facts, codes = self._facts(shared, header)
        uid, number = _joined(uids), _joined(numbers)
        if not is_oid(uid):
            _require_usable(uid, "no-instance-uid")
            codes = _with(codes, "uid-not-oid")
        if len(numbers) > 1:
            codes = _with(codes, "several-values")
        return Instance(facts, uid, number, path, file), codes + header.odd

    def _facts(self, shared: Elements, header: Header) -> tuple[Facts, tuple[str, ...]]:
        """Return the facts, and what is odd about them; those of an object before if equal."""
        series = _joined(shared.get("SeriesInstanceUID", ()))
        known = self._known.get(series)
        if (
            known is None
            or shared != known.shared
            or header.evidence != known.evidence
            or header.tail_broken != known.tail_broken
        ):
            known = self._learnt(shared, header)
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[series] = known
        self._last = known.facts
        return known.facts, known.codes

    def _learnt(self, shared: Elements, header: Header) -> _Known:
        facts, last = _facts_of(shared, header), self._last
        if last is not None and _alike(last.markers, facts.markers):
            facts = replace(facts, markers=last.markers)
        codes = tuple(_oddities(facts, shared))
        return _Known(shared, header.evidence, header.tail_broken, facts, codes)


def _with(codes: tuple[str, ...], code: str) -> tuple[str, ...]:
    return codes if code in codes else (*codes, code)


def _alike(one: Markers, other: Markers) -> bool:
    return one == other and one.coding_schemes == other.coding_schemes


def instance_of(header: Header, path: str = "") -> tuple[Instance, tuple[Finding, ...]]:
    """Return what one object states, and what is odd about its identity (D23).

    Args:
        header: What was read of it.
        path: Where it was read, as the operator named it.

    Raises:
        ObjectSkipped: `no-study-uid`, `no-series-uid` or `no-instance-uid`.
    """
    instance, codes = Reader().read(header, path)
    return instance, tuple(Finding(code, path) for code in codes)


def _facts_of(elements: Elements, header: Header) -> Facts:
    facts: dict[str, Any] = {
        one.fact: _first(elements, one.keyword)
        for one in attributes("object").values()
        if one.fact and one.fact != "title" and one.keyword not in (_UID, _NUMBER)
    }
    facts["study_uid"] = _uid(elements, "StudyInstanceUID", "no-study-uid")
    facts["series_uid"] = _uid(elements, "SeriesInstanceUID", "no-series-uid")
    facts["title_keyword"], facts["title"] = _title(elements)
    return Facts(
        markers=_markers(elements),
        encrypted="EncryptedAttributesSequence" in elements,
        tail_broken=header.tail_broken,
        evidence=header.evidence,
        **facts,
    )


def _oddities(facts: Facts, elements: Elements) -> Iterator[str]:
    """Yield the codes of what is odd beside the markers."""
    uids = (facts.study_uid, facts.series_uid, facts.sop_class_uid)
    if any(is_usable(uid) and not is_oid(uid) for uid in uids):
        yield "uid-not-oid"
    if facts.tail_broken:
        yield "header-tail-broken"
    if _purpose_is_wrong(elements):
        yield "equipment-purpose-wrong"
    if any(len(elements.get(one, ())) > 1 for one in _SINGLE):
        yield "several-values"


def _uid(elements: Elements, keyword: str, otherwise: str) -> str:
    uid = _first(elements, keyword)
    _require_usable(uid, otherwise)
    return uid


def _require_usable(uid: str, otherwise: str) -> None:
    if not is_usable(uid):
        raise ObjectSkipped(otherwise)


def _first(elements: Elements, keyword: str) -> str:
    return _joined(elements.get(keyword, ()))


def _joined(content: Content) -> str:
    if len(content) == 1 and isinstance(content[0], str):
        return trimmed(content[0])
    # Several values where the standard has one stay together: none of them is the one.
    return trimmed("\\".join(_strings(content)))


def _strings(content: tuple[Any, ...]) -> Values:
    return tuple(value for value in content if isinstance(value, str))


def _title(elements: Elements) -> tuple[str, str]:
    """Return keyword and text of the title by HL7's mapping, the most telling attribute first."""
    concept = next((one for one in elements.get("ConceptNameCodeSequence", ())), None)
    titles = {
        "DocumentTitle": _first(elements, "DocumentTitle"),
        "ConceptNameCodeSequence": _first(concept, "CodeMeaning")
        if isinstance(concept, dict)
        else "",
        "ContentLabel": _first(elements, "ContentLabel"),
        "ImageType": "\\".join(_strings(elements.get("ImageType", ()))),
    }
    return next(((keyword, text) for keyword, text in titles.items() if text), ("ImageType", ""))


def _markers(elements: Elements) -> Markers:
    codes = _items(elements.get("DeidentificationMethodCodeSequence"), "code item")
    equipment = _items(elements.get("ContributingEquipmentSequence"), "equipment item") or ()
    return Markers(
        patient_identity_removed=_values(elements, "PatientIdentityRemoved"),
        method=_values(elements, "DeidentificationMethod"),
        method_code=codes,
        burned_in_annotation=_values(elements, "BurnedInAnnotation"),
        recognizable_visual_features=_values(elements, "RecognizableVisualFeatures"),
        longitudinal_temporal_information_modified=_values(
            elements, "LongitudinalTemporalInformationModified"
        ),
        equipment=tuple(item for item in equipment if _deidentifies(item)),
        coding_schemes=_schemes(elements, codes or ()),
    )


def _values(elements: Elements, keyword: str) -> Values | None:
    return _strings(elements[keyword]) if keyword in elements else None


def _items(content: Any, within: str) -> Items | None:  # noqa: ANN401 - a union mypy cannot narrow
    if content is None:
        return None
    return tuple(_item(one, within) for one in content if isinstance(one, dict))


def _item(elements: Elements, within: str) -> Item:
    pairs: list[tuple[str, Values | Items]] = []
    for attribute in attributes(within).values():
        if attribute.keyword not in elements:
            continue
        content = elements[attribute.keyword]
        if attribute.items:
            pairs.append((attribute.keyword, _items(content, attribute.items) or ()))
        else:
            pairs.append((attribute.keyword, _strings(content)))
    return Item(tuple(pairs))


def _deidentifies(item: Item) -> bool:
    return any(
        code.first("CodeValue") == DEIDENTIFYING_EQUIPMENT
        and code.first("CodingSchemeDesignator").upper() == "DCM"
        for code in item.items("PurposeOfReferenceCodeSequence")
    )


def _purpose_is_wrong(elements: Elements) -> bool:
    """Whether an equipment item has a code of CID 7050 as its purpose."""
    methods: dict[str, str] = table("generated/dicom-codes.json")["CID 7050"]
    items = _items(elements.get("ContributingEquipmentSequence"), "equipment item") or ()
    return any(
        code.first("CodeValue") in methods
        for item in items
        for code in item.items("PurposeOfReferenceCodeSequence")
    )


def _schemes(elements: Elements, codes: Items) -> tuple[tuple[str, str], ...]:
    """Return the UIDs that the object gives for the schemes which its method codes use."""
    used = {code.first("CodingSchemeDesignator") for code in codes}
    pairs = {
        (_first(one, "CodingSchemeDesignator"), _first(one, "CodingSchemeUID"))
        for one in elements.get("CodingSchemeIdentificationSequence", ())
        if isinstance(one, dict)
    }
    return tuple(sorted(pair for pair in pairs if pair[0] in used and is_oid(pair[1])))
