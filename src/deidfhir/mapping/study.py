"""A study → the resources that state how it was de-identified, and the Bundle of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.device import device_of
from deidfhir.mapping.endpoint import endpoint_of
from deidfhir.mapping.foreign import Foreign
from deidfhir.mapping.imagingstudy import imaging_study
from deidfhir.mapping.labels import security_label
from deidfhir.mapping.leaving import LeavingStudy, leaving_study
from deidfhir.mapping.patient import patient_of
from deidfhir.mapping.promoted import promoted_devices
from deidfhir.mapping.provenance import provenances_of
from deidfhir.mapping.steps import MarkerSet, marker_sets
from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance
from deidfhir.model.study import Study


@dataclass(frozen=True, slots=True)
class MappedStudy:
    """The resources of one study.

    Args:
        shared: The Endpoint, if there is one, and the Devices that it names, by id; other studies
            refer to the same.
        patient: Its Patient, if the site asks for one and it may leave.
        imaging_study: Its ImagingStudy.
        provenances: Its Provenance resources, marker set by marker set, the whole first.
        findings: What making them showed, beside the study's own findings.
        leaving: What they were made of: the study as far as it leaves.
    """

    shared: tuple[JsonObject, ...]
    patient: JsonObject | None
    imaging_study: JsonObject
    provenances: tuple[JsonObject, ...]
    findings: tuple[Finding, ...]
    leaving: LeavingStudy = field(repr=False, compare=False)

    @property
    def resources(self) -> tuple[JsonObject, ...]:
        """All resources, each after those it refers to."""
        return (*self.shared, *self.patients, self.imaging_study, *self.provenances)

    @property
    def patients(self) -> tuple[JsonObject, ...]:
        """The Patient, as a tuple of one or none."""
        return () if self.patient is None else (self.patient,)

    @property
    def devices(self) -> tuple[JsonObject, ...]:
        """The Devices among the shared resources."""
        return tuple(one for one in self.shared if one["resourceType"] == "Device")

    def bundle(self) -> JsonObject:
        """Return one transaction that puts every resource at its own id."""
        return transaction(self.resources)


def map_study(
    study: Study, context: MappingContext, held: tuple[Instance, ...] = ()
) -> MappedStudy:
    """Map one study.

    Args:
        study: The instances that were read; whether it may be mapped is the gate's business.
        context: FHIR version, settings and instant of recording.
        held: Further instances of it, as an earlier run let them leave (D19).
    """
    leaving, withheld = leaving_study(study, context, held)
    label, refused = security_label(study.of((*study.instances, *held)) if held else study, context)
    resource, codes = imaging_study(leaving, context, label)
    codes |= withheld | ({"label-refused"} if refused else set())
    endpoint = endpoint_of(context)
    sets = marker_sets(leaving.instances)
    return MappedStudy(
        shared=(*([endpoint] if endpoint else []), *_devices(leaving, sets, context)),
        patient=patient_of(leaving, context),
        imaging_study=resource,
        provenances=tuple(
            one for marker_set in sets for one in provenances_of(leaving, marker_set, context)
        ),
        findings=tuple(Finding(code) for code in sorted(codes)),
        leaving=leaving,
    )


def foreign_provenances(
    study: Study, foreign: Foreign, context: MappingContext
) -> tuple[JsonObject, ...]:
    """Return the Provenance resources of a study that target someone else's ImagingStudy (D21).

    All markers stand on them, unless they stand on the resource that they target.

    Args:
        study: The instances that were read.
        foreign: What that resource lists.
        context: FHIR version, settings and instant of recording.
    """
    leaving, _ = leaving_study(study, context)
    sets = marker_sets(leaving.instances)
    return tuple(
        one for marker_set in sets for one in provenances_of(leaving, marker_set, context, foreign)
    )


def _devices(
    study: LeavingStudy, sets: list[MarkerSet], context: MappingContext
) -> list[JsonObject]:
    """Return the Devices that a study's items name, and those that are promoted, by id."""
    items = {item for one in study.facts for item in one.markers.equipment}
    found = [device_of(item, context) for item in items]
    found += [device for one in sets for device in promoted_devices(one, context)]
    devices = {one["id"]: one for one in found if one is not None}
    return [devices[key] for key in sorted(devices)]


def transaction(resources: tuple[JsonObject, ...]) -> JsonObject:
    """Return a transaction Bundle of PUTs (FHIR http.html#transaction).

    Args:
        resources: In the order in which they shall stand.
    """
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{one['id']}",
                "resource": one,
                "request": {"method": "PUT", "url": reference(one)},
            }
            for one in resources
        ],
    }
