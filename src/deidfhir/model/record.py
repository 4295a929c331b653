"""One instance as it was read: its markers verbatim and the facts that ImagingStudy is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple


class Masked(Enum):
    """Stands in the place of values that do not leave (D4)."""

    MASKED = "masked"


MASKED: Final = Masked.MASKED

Values = tuple[str, ...]
"""The values of an element, verbatim and in order; `()` is an element that is present and empty."""

Texts = tuple[str | Masked, ...]
"""The same where single values may be withheld."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a sequence, verbatim.

    Args:
        elements: Pairs of DICOM keyword and content, in tag order. The content is a tuple of
            strings, a tuple of items, or MASKED.
    """

    elements: tuple[tuple[str, Values | tuple[Item, ...] | Masked], ...]

    def values(self, keyword: str) -> Values:
        """Return the values of an element; `()` when it is absent, empty, masked or a sequence."""
        for name, content in self.elements:
            if name == keyword and isinstance(content, tuple):
                return tuple(value for value in content if isinstance(value, str))
        return ()

    def items(self, keyword: str) -> tuple[Item, ...]:
        """Return the items of a nested sequence; `()` when there is none."""
        for name, content in self.elements:
            if name == keyword and isinstance(content, tuple):
                return tuple(value for value in content if isinstance(value, Item))
        return ()

    def first(self, keyword: str) -> str:
        """Return the first value of an element without padding, or an empty string."""
        values = self.values(keyword)
        return trimmed(values[0]) if values else ""

    def without(self, keyword: str) -> Item:
        """Return the item with one element left out."""
        return Item(tuple(pair for pair in self.elements if pair[0] != keyword))


Items = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Markers:
    """The de-identification attributes of one instance (D4).

    `None` is an attribute that is absent, `()` one that is present and empty. As read, no value of
    `method` is MASKED.

    Args:
        patient_identity_removed: (0012,0062), PS3.3 C.7.1.1.
        method: (0012,0063), PS3.3 C.7.1.1.
        method_code: (0012,0064), PS3.3 C.7.1.1.
        burned_in_annotation: (0028,0301), PS3.3 C.7.6.1.
        recognizable_visual_features: (0028,0302), PS3.3 C.7.6.1.
        longitudinal_temporal_information_modified: (0028,0303), PS3.3 C.12.1.
        equipment: The items of (0018,A001) whose purpose is 109104, PS3.3 C.12.1.
        coding_schemes: Pairs of designator and UID from (0008,0110), for the designators that
            `method_code` uses; they are none of the markers.
    """

    patient_identity_removed: Values | None = None
    method: Texts | None = None
    method_code: Items | None = None
    burned_in_annotation: Values | None = None
    recognizable_visual_features: Values | None = None
    longitudinal_temporal_information_modified: Values | None = None
    equipment: Items = ()
    coding_schemes: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def method_texts(self) -> Values:
        """The values of `method`; an empty text in the place of one that is withheld."""
        return tuple("" if isinstance(one, Masked) else one for one in self.method or ())

    def option_codes(self) -> frozenset[str]:
        """Return the values of the method codes whose scheme is DCM."""
        return frozenset(
            item.first("CodeValue")
            for item in self.method_code or ()
            if item.first("CodingSchemeDesignator").upper() == "DCM" and item.first("CodeValue")
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What may support the recognition of a tool and proves nothing; it never leaves (D16).

    Args:
        implementation_class_uid: (0002,0012), PS3.10 7.1.
        implementation_version_name: (0002,0013), PS3.10 7.1.
        source_application_entity_title: (0002,0016), PS3.10 7.1.
        private_creators: Private creators of group 0013, PS3.5 7.8.1.
        stated: Of an instance that was read back from FHIR: pairs of a rule and the kinds of
            evidence that support what it gives.
    """

    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    source_application_entity_title: str = ""
    private_creators: tuple[str, ...] = ()
    stated: tuple[tuple[str, tuple[str, ...]], ...] = ()


NO_EVIDENCE: Final = Evidence()


@dataclass(frozen=True, slots=True)
class Facts:
    """What an object states beside its own UID and number: most instances of a series share it.

    Texts are as the object gives them; an empty string is an attribute that is absent or empty.

    Args:
        title_keyword: Keyword of the attribute that gives the title.
        encrypted: Whether Encrypted Attributes Sequence (0400,0500) is present.
        tail_broken: Whether what stands after the markers could not be read.
        evidence: What may support the recognition of a tool.
        withheld: Names of fields that the object gives and that do not leave; as read, none.
        dates_modified: Of an instance as far as it leaves: whether its dates are shifted ones.
        unsettled: Of an instance that was read back from FHIR: names of fields of which the
            instances of its study or series gave no one value.
    """

    study_uid: str
    series_uid: str
    markers: Markers
    sop_class_uid: str = ""
    modality: str = ""
    series_number: str = ""
    patient_id: str = ""
    patient_sex: str = ""
    study_date: str = ""
    study_time: str = ""
    series_date: str = ""
    series_time: str = ""
    timezone: str = ""
    study_description: str = ""
    series_description: str = ""
    body_part: str = ""
    title: str = ""
    title_keyword: str = "ImageType"
    encrypted: bool = False
    tail_broken: bool = False
    evidence: Evidence = NO_EVIDENCE
    withheld: frozenset[str] = frozenset()
    dates_modified: bool = False
    unsettled: frozenset[str] = frozenset()


class Instance(NamedTuple):
    """One DICOM object: its UIDs, its markers and the facts of HL7's ImagingStudy mapping.

    Args:
        facts: What it states, one object for all instances that were read with the same.
        sop_instance_uid: Its UID.
        instance_number: Its number, as the object gives it.
        path: Where the object was read, as the operator named it.
        file: What stands for the file that it was read from, as it was then.
    """

    facts: Facts
    sop_instance_uid: str
    instance_number: str = ""
    path: str = ""
    file: str = ""

    @property
    def study_uid(self) -> str:
        """(0020,000D), PS3.3 C.7.2.1."""
        return self.facts.study_uid

    @property
    def series_uid(self) -> str:
        """(0020,000E), PS3.3 C.7.3.1."""
        return self.facts.series_uid

    @property
    def markers(self) -> Markers:
        """Its de-identification attributes."""
        return self.facts.markers


def keyword_of(values: Values | None) -> str:
    """Return a code string as it is compared: without padding, letter case ignored (D1)."""
    text = trimmed("\\".join(values or ()))
    # Beyond ASCII, letters exist whose capital is an ASCII letter.
    return text.upper() if text.isascii() else text


def trimmed(text: str) -> str:
    """Return the text without the padding that PS3.5 6.2 calls not significant."""
    return text.strip(" \0")
