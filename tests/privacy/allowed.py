"""What may leave, said once more and by name: the table must not be held against itself.

D4 and D5 in words; `Case` is what an object claims and what a site decides about it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from deidfhir.config import Settings
from deidfhir.mapping.context import MappingContext
from deidfhir.policy.policy import Policy
from tests.synthetic.objects import codes

Place = tuple[str, str]
"""Where a canary is planted, and in which attribute."""

_DEPARTMENT: Final = "equipment 109104/InstitutionalDepartmentTypeCodeSequence"
ALWAYS: Final[frozenset[Place]] = frozenset(
    {
        ("root", "StudyInstanceUID"),
        ("root", "SeriesInstanceUID"),
        ("root", "SOPInstanceUID"),
        ("root", "SeriesNumber"),
        ("root", "InstanceNumber"),
        ("equipment 109104", "Manufacturer"),
        ("equipment 109104", "ManufacturerModelName"),
        ("equipment 109104", "SoftwareVersions"),
        ("equipment 109104", "ContributionDateTime"),
        ("equipment 109104", "ContributionDescription"),
    }
)
SUBJECT: Final[Place] = ("root", "PatientID")
ZONE: Final[Place] = ("root", "TimezoneOffsetFromUTC")
DATES: Final[frozenset[Place]] = frozenset(
    ("root", name) for name in ("StudyDate", "StudyTime", "SeriesDate", "SeriesTime")
)
DESCRIPTORS: Final[frozenset[Place]] = frozenset(
    ("root", name)
    for name in ("StudyDescription", "SeriesDescription", "BodyPartExamined", "DocumentTitle")
)
DEVICE: Final[frozenset[Place]] = frozenset(
    {("equipment 109104", name) for name in ("StationName", "DeviceSerialNumber", "DeviceUID")}
    | {("udi 109104", name) for name in ("UniqueDeviceIdentifier", "DeviceDescription")}
)
INSTITUTION: Final[frozenset[Place]] = frozenset(
    {
        ("equipment 109104", name)
        for name in ("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName")
    }
    | {
        (_DEPARTMENT, name)
        for name in (
            *("CodeMeaning", "CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion"),
            *("ContextGroupExtensionCreatorUID", "ContextGroupExtensionFlag", "ContextUID"),
            *("ContextGroupLocalVersion", "ContextGroupVersion", "ContextIdentifier"),
            *("LongCodeValue", "MappingResource", "MappingResourceName", "MappingResourceUID"),
            "URNCodeValue",
        )
    }
)
UNLOCKED: Final[dict[str, frozenset[Place]]] = {
    "113105": DESCRIPTORS,
    "113106": DATES,
    "113107": DATES,
    "113109": DEVICE,
    "113112": INSTITUTION,
}
OPTIONS: Final = tuple(str(code) for code in range(113101, 113113))


def _each(place: str, *names: str) -> dict[str, frozenset[Place]]:
    return {name: frozenset({(place, name)}) for name in names}


# Attribute that a policy may rule on → what then leaves or stays.
RULED: Final[dict[str, frozenset[Place]]] = {
    **_each("root", *(name for _, name in DATES | DESCRIPTORS)),
    **_each("root", "PatientID", "SeriesNumber", "InstanceNumber", "TimezoneOffsetFromUTC"),
    **_each("equipment 109104", "Manufacturer", "ManufacturerModelName", "SoftwareVersions"),
    **_each("equipment 109104", "ContributionDateTime", "ContributionDescription"),
    **_each("equipment 109104", "StationName", "DeviceSerialNumber", "DeviceUID", "OperatorsName"),
    **_each("equipment 109104", "InstitutionName", "InstitutionAddress"),
    **_each("equipment 109104", "InstitutionalDepartmentName"),
    "UDISequence": frozenset(one for one in DEVICE if one[0] == "udi 109104"),
    "InstitutionalDepartmentTypeCodeSequence": frozenset(
        one for one in INSTITUTION if one[0] == _DEPARTMENT
    ),
}

STATES: Final[dict[str, dict[str, object]]] = {
    "removed": {"PatientIdentityRemoved": "YES", "BurnedInAnnotation": "NO"},
    "not removed": {"PatientIdentityRemoved": "NO"},
    "burned in": {"PatientIdentityRemoved": "YES", "BurnedInAnnotation": "YES"},
    "absent": {"PatientIdentityRemoved": None},
    "empty": {"PatientIdentityRemoved": ""},
    "another word": {"PatientIdentityRemoved": "TRUE"},
}


@dataclass(frozen=True)
class Case:
    """What an object claims, and what a site decides about it.

    Args:
        state: Key of STATES.
        options: Method codes that it states beside 113100; with None no method code at all.
        policy: The site's.
        settings: The site's.
    """

    state: str = "removed"
    options: tuple[str, ...] | None = ()
    policy: Policy = field(default_factory=Policy)
    settings: Settings = field(default_factory=Settings)

    def markers(self) -> dict[str, object]:
        """Return the attributes that state it, for `planted`."""
        given = None if self.options is None else codes("113100", *self.options)
        stated: dict[str, Any] = {"DeidentificationMethod": "tool 1.0", **STATES[self.state]}
        return {**stated, "DeidentificationMethodCodeSequence": given}

    def context(self, fhir: Any = "R4") -> MappingContext:  # noqa: ANN401 - a FHIR name
        """Return what it is mapped with, whatever its verdict."""
        return MappingContext(fhir, self.settings, policy=self.policy)

    @property
    def allowed(self) -> frozenset[Place]:
        """What may leave, and does."""
        may = set(ALWAYS)
        if self.state == "removed" and self.settings.subject == "as-is":
            may.add(SUBJECT)
        for code in self.options or ():
            may |= UNLOCKED.get(code, frozenset())
        for name in self.policy.leave:
            may |= RULED[name]
        for name in self.policy.withhold:
            may -= RULED.get(name, frozenset())
        return frozenset(may | {ZONE} if self._has_a_moment(may) else may)

    def _has_a_moment(self, may: set[Place]) -> bool:
        """Whether a time leaves; without date and zone it is none, and does not (D14)."""
        zoned = "TimezoneOffsetFromUTC" not in self.policy.withhold
        for level in ("Study", "Series"):
            if not zoned or ("root", f"{level}Date") not in may:
                may.discard(("root", f"{level}Time"))
        # Contribution Date Time gets its zone in the Provenance, which only `removed` has.
        occurred = self.state == "removed" and ("equipment 109104", "ContributionDateTime") in may
        times = {("root", "StudyTime"), ("root", "SeriesTime")} & may
        return zoned and bool(times or occurred)
