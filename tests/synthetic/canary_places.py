"""Where canaries are planted: every attribute of PS3.15 Table E.1-1, at every depth."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VR, tag_for_keyword
from pydicom.dataset import FileMetaDataset

from deidfhir.model.attributes import Attribute, attributes
from deidfhir.tables import table

from .canary_values import Canary, Mint
from .objects import element, equipment

if TYPE_CHECKING:
    from collections.abc import Iterable

DEIDENTIFYING, ACQUIRING = "109104", "109101"
"""Purposes of CID 7005: the equipment whose item is read, and one whose item is not."""

# Sequences of the root, or one inside another, whose item holds all that could stand at the root.
_NESTED: Final = (
    ("RequestAttributesSequence",),
    ("OriginalAttributesSequence", "ModifiedAttributesSequence"),
    ("SharedFunctionalGroupsSequence",),
    ("ReferencedStudySequence",),
)
# An item of any sequence may be a code, a person or a reference; all of it at once here.
_ITEM_KEYWORDS: Final = (
    "CodeValue",
    "CodingSchemeDesignator",
    "CodingSchemeVersion",
    "CodeMeaning",
    "LongCodeValue",
    "URNCodeValue",
    "ReferencedSOPInstanceUID",
    "PatientName",
    "PatientID",
    "InstitutionName",
    "PersonName",
    "TextValue",
    "EncryptedContent",
)
# What a reader must have for any object: no canary can stand there.
_FIXED: Final = frozenset({"SpecificCharacterSet", "SOPClassUID", "Modality"})
_META_KEYWORDS: Final = (
    "MediaStorageSOPInstanceUID",
    "ImplementationClassUID",
    "ImplementationVersionName",
    "SourceApplicationEntityTitle",
    "SendingApplicationEntityTitle",
    "ReceivingApplicationEntityTitle",
    "SourcePresentationAddress",
    "SendingPresentationAddress",
    "ReceivingPresentationAddress",
    "PrivateInformationCreatorUID",
    "PrivateInformation",
)
_PATTERNS: Final = ((0x50003000, "OB"), (0x60003000, "OB"), (0x60004000, "LO"))
# Group to its creator; an empty one gets a canary. CTP writes group 0013.
_PRIVATE: Final = {0x0009: "", 0x0013: "CTP", 0x0029: "", 0x7FE1: ""}
_PRIVATE_VRS: Final = ("LO", "UN", "OB", "PN", "DA", "IS", "SQ")
# The end of a name tells the VR where the dictionary has none.
_VR_OF_LAST_WORD: Final = {"Sequence": "SQ", "DateTime": "DT", "URI": "UR", "Reference": "UR"}


class Spot(NamedTuple):
    """An attribute that can hold a canary."""

    tag: int
    keyword: str
    vr: str


@cache
def profile_spots() -> tuple[Spot, ...]:
    """Return the attributes of the table that an object may hold.

    Group 0000 stands in messages only; group 0002 stands in the File Meta Information.
    """
    rows = table("confidentiality-profile.toml")["attribute"]
    tags = {int(tag, 16): row.get("name", "") for tag, row in rows.items()}
    return tuple(spot_of(tag, name) for tag, name in tags.items() if tag >> 16 > 0x0002)


def spot_of(tag: int, name: str = "") -> Spot:
    """Return the attribute of a tag.

    Args:
        tag: The tag.
        name: Its name, needed if pydicom's dictionary does not know it.
    """
    if dictionary_has_tag(tag):
        # Where several VRs are possible, the first fits.
        return Spot(tag, dictionary_keyword(tag), dictionary_VR(tag).split()[0])
    words = name.split()
    keyword = "".join(word[0].upper() + word[1:] for word in words)
    return Spot(tag, keyword, _VR_OF_LAST_WORD.get(words[-1], "LO"))


def spots_of(keywords: Iterable[str]) -> tuple[Spot, ...]:
    """Return the attributes of some keywords."""
    return tuple(spot_of(tag_for_keyword(keyword) or 0) for keyword in keywords)


class Planter:
    """Plants canaries, and keeps what it planted.

    Args:
        mint: Makes the values.
    """

    def __init__(self, mint: Mint) -> None:
        self.canaries: list[Canary] = []
        self._mint = mint

    def root(self, made: Dataset, taken: set[int]) -> None:
        """Fill an object's root, but for its nested places and its equipment.

        Args:
            made: The object.
            taken: Tags to leave as they are, present or absent.
        """
        rows = [one for one in attributes("object").values() if not one.is_marker]
        wanted = [one for one in rows if one.keyword not in _FIXED]
        nested = {spot.tag for spot in spots_of(path[0] for path in _NESTED)}
        self._fill(made, "root", wanted, taken | nested)
        for tag, vr in _PATTERNS:
            self._put(made, "root", Spot(tag, dictionary_keyword(tag), vr))

    def nested(self, made: Dataset, taken: set[int]) -> None:
        """Fill items of sequences with everything that could stand at the root.

        Args:
            made: The object.
            taken: Tags of sequences to leave as they are.
        """
        for path in _NESTED:
            spots = spots_of(path)
            if spots[0].tag in taken:
                continue
            holder = self._item("/".join(("root", *path)), profile_spots())
            for spot in reversed(spots):
                holder = _holding(spot, holder)
            made.update(holder)

    def method_codes(self, made: Dataset) -> None:
        """Put into the first method code what no code item should hold; the rest stays as it is."""
        items = list(made.get("DeidentificationMethodCodeSequence") or ())
        if items:
            first = Dataset(items[0])
            self._beside_code(first, "method code")
            spot = spot_of(0x00120064)
            made.update(_holding(spot, first, *items[1:]))

    def equipment(self, made: Dataset) -> None:
        """Add an item of the equipment that de-identified, and one of that which acquired."""
        items = []
        for purpose in (DEIDENTIFYING, ACQUIRING):
            item = equipment(purpose)
            self._beside_code(item.PurposeOfReferenceCodeSequence[0], f"purpose code {purpose}")
            rows = attributes("equipment item").values()
            self._fill(item, f"equipment {purpose}", rows, {0x0040A170})
            items.append(item)
        made.update(_holding(spot_of(0x0018A001), *items))

    def private(self, made: Dataset) -> None:
        """Add private groups, their sequences with canaries of their own."""
        for group, creator in _PRIVATE.items():
            block = Dataset()
            if creator:
                block.add(element(group << 16 | 0x0010, "LO", creator))
            else:
                self._put(block, "private", _private_spot(group, 0x0010, "LO"))
            for number, vr in enumerate(_PRIVATE_VRS):
                spot = _private_spot(group, 0x1010 + number, vr)
                if vr == "SQ":
                    content = self._item(f"private/{spot.keyword}", spots_of(_ITEM_KEYWORDS))
                    block.update(_holding(spot, content))
                else:
                    self._put(block, "private", spot)
            made.update(block)

    def file_meta(self) -> FileMetaDataset:
        """Make the File Meta Information without what the writer adds."""
        made = FileMetaDataset()
        self._leaves(made, "file meta", spots_of(_META_KEYWORDS))
        return made

    def _fill(self, made: Dataset, place: str, rows: Iterable[Attribute], taken: set[int]) -> None:
        """Fill a place with the rows of a table of ours, and with the whole of E.1-1."""
        spots = {one.tag: one for one in profile_spots()}
        ours = {one.tag: one for one in rows}
        spots |= {one.tag: Spot(one.tag, one.keyword, one.vr) for one in ours.values()}
        free = [spot for tag, spot in sorted(spots.items()) if tag not in taken]
        self._leaves(made, place, free)
        for spot in free:
            if spot.vr == "SQ":
                items = ours[spot.tag].items if spot.tag in ours else ""
                made.update(_holding(spot, self._item(_inside(place, spot), _content(items))))

    def _item(self, place: str, spots: Iterable[Spot]) -> Dataset:
        made = Dataset()
        self._leaves(made, place, spots)
        return made

    def _beside_code(self, item: Dataset, place: str) -> None:
        """Add to a code item what is none of its macro."""
        macro = attributes("code item")
        self._leaves(item, place, [spot for spot in profile_spots() if spot.tag not in macro])

    def _leaves(self, made: Dataset, place: str, spots: Iterable[Spot]) -> None:
        for spot in spots:
            if spot.vr != "SQ":
                self._put(made, place, spot)

    def _put(self, made: Dataset, place: str, spot: Spot) -> None:
        value, needles = self._mint.value(spot.keyword, spot.vr)
        made.add(element(spot.tag, spot.vr, value))
        self.canaries.append(Canary(place, spot.keyword, needles))


def _holding(spot: Spot, *items: Dataset) -> Dataset:
    """Return a data set of one sequence, to be merged into another."""
    made = Dataset()
    made.add(element(spot.tag, "SQ", list(items)))
    return made


def _content(items: str) -> tuple[Spot, ...]:
    """Return what an item holds: by our table, and what any item may hold.

    Args:
        items: Where the attributes of the item stand in our table; empty if it does not say.
    """
    own = attributes(items) if items else {}
    spots = {one.tag: one for one in spots_of(_ITEM_KEYWORDS)}
    return tuple((spots | {tag: spot_of(tag) for tag in own}).values())


def _inside(place: str, spot: Spot) -> str:
    if spot.keyword == "UDISequence" and place.startswith("equipment "):
        return place.replace("equipment", "udi")
    return f"{place}/{spot.keyword}"


def _private_spot(group: int, number: int, vr: str) -> Spot:
    return Spot(group << 16 | number, f"({group:04X},{number:04X})", vr)
