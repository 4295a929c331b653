"""One pathology: what writes its files, and what a reader must make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from .objects import ROOT, instance, write
from .vocabulary import MEANINGS, PMP_MEANINGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom import Dataset

Item: TypeAlias = "dict[str, list[str] | list[Item]]"
"""An item of a sequence by keyword; group lengths have no keyword and are left out."""

Values: TypeAlias = "list[str] | list[Item] | None"
"""None for an absent element, an empty list for an empty one."""

Markers: TypeAlias = dict[str, Values]
Verdict: TypeAlias = Literal["removed", "not-removed", "contradictory", "unknown"]

KEYS: Final = (
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "BurnedInAnnotation",
    "RecognizableVisualFeatures",
    "LongitudinalTemporalInformationModified",
    "ContributingEquipment",
)
"""The keys of `Markers`.

`ContributingEquipment` has the items of purpose 109104 alone: None without the sequence, an
empty list where the sequence has no such item.
"""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a reader must report of one instance."""

    verdict: Verdict
    markers: Markers


@dataclass(frozen=True, slots=True)
class Pathology:
    """A numbered oddity of real files, reproduced.

    Attributes:
        number: The number in the survey of real tools (1 to 34); several entries may share it.
        name: A short sentence that says what is odd.
        write: Writes the files into a folder, under names that no other pathology uses.
        expected: The marker values that must come back, by SOP Instance UID.
        verdicts: The verdict, by SOP Instance UID.
    """

    number: int
    name: str
    write: Callable[[Path], None]
    expected: dict[str, Markers]
    verdicts: dict[str, Verdict]


Writer: TypeAlias = "Callable[[Path], None]"


def collect(
    into: list[Pathology],
) -> Callable[[int, str, dict[str, Expectation]], Callable[[Writer], Writer]]:
    """Return a decorator that appends the writer it decorates to a table of pathologies."""

    def case(
        number: int, name: str, expected: dict[str, Expectation]
    ) -> Callable[[Writer], Writer]:
        def add(writer: Writer) -> Writer:
            markers = {uid: found.markers for uid, found in expected.items()}
            verdicts = {uid: found.verdict for uid, found in expected.items()}
            into.append(Pathology(number, name, writer, markers, verdicts))
            return writer

        return add

    return case


def expect(
    verdict: Verdict,
    identity: list[str] | None,
    method: list[str] | None = None,
    codes: list[Item] | None = None,
    *,
    burned_in: list[str] | None = None,
    recognizable: list[str] | None = None,
    temporal: list[str] | None = None,
    equipment: list[Item] | None = None,
) -> Expectation:
    """State a verdict and the markers, in the order of `KEYS`."""
    values: tuple[Values, ...] = (
        identity,
        method,
        codes,
        burned_in,
        recognizable,
        temporal,
        equipment,
    )
    return Expectation(verdict, dict(zip(KEYS, values, strict=True)))


def coded(
    value: str, scheme: str = "DCM", meaning: str | None = None, version: str | None = None
) -> Item:
    """State a code item with its usual meaning, or the meaning given."""
    usual = PMP_MEANINGS if scheme == "99PMP" else MEANINGS
    stated: Item = {"CodeValue": [value], "CodingSchemeDesignator": [scheme]}
    if version is not None:
        stated["CodingSchemeVersion"] = [version]
    stated["CodeMeaning"] = [usual[value] if meaning is None else meaning]
    return stated


def dcm(*values: str) -> list[Item]:
    """State code items of the scheme DCM."""
    return [coded(value) for value in values]


def deidentifier(**values: list[str]) -> Item:
    """State an equipment item of purpose 109104."""
    stated: Item = {"PurposeOfReferenceCodeSequence": [coded("109104")]}
    return stated | values


def marked(
    study: int,
    identity: str | None = None,
    method: str | tuple[str, ...] | None = None,
    items: list[Dataset] | None = None,
    **attributes: Any,  # noqa: ANN401 - whatever `instance` takes
) -> Dataset:
    """Make an instance with the three markers of the Patient Module (PS3.3 C.7.1.1)."""
    return instance(
        study,
        PatientIdentityRemoved=identity,
        DeidentificationMethod=method,
        DeidentificationMethodCodeSequence=items,
        **attributes,
    )


def path_of(dataset: Dataset, folder: Path, ending: str = "dcm") -> Path:
    """Return the file of an object, named by the last numbers of its SOP Instance UID."""
    name = str(dataset.SOPInstanceUID).removeprefix(f"{ROOT}.").replace(".", "-")
    return folder / f"{name}.{ending}"


def save(folder: Path, *datasets: Dataset, **options: Any) -> None:  # noqa: ANN401 - of `write`
    """Write objects into a folder under their own numbers."""
    for dataset in datasets:
        write(dataset, path_of(dataset, folder), **options)
