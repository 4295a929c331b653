"""A study → the resources that state how it was de-identified, and the Bundle of them."""

from __future__ import annotations

from dataclasses import dataclass

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.device import device_of
from deidfhir.mapping.endpoint import endpoint_of
from deidfhir.mapping.imagingstudy import imaging_study
from deidfhir.mapping.leaving import leaving_markers
from deidfhir.mapping.patient import patient_of
from deidfhir.mapping.provenance import provenances_of
from deidfhir.mapping.steps import marker_sets
from deidfhir.model.finding import Finding
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
    """

    shared: tuple[JsonObject, ...]
    patient: JsonObject | None
    imaging_study: JsonObject
    provenances: tuple[JsonObject, ...]
    findings: tuple[Finding, ...]

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


def map_study(study: Study, context: MappingContext) -> MappedStudy:
    """Map one study.

    Args:
        study: The instances that were read; whether it may be mapped is the gate's business.
        context: FHIR version, settings and instant of recording.
    """
    resource, codes = imaging_study(study, context)
    provenances = [
        one
        for marker_set in marker_sets(study.instances, context)
        for one in provenances_of(study, marker_set, context)
    ]
    devices: dict[str, JsonObject] = {}
    leaving = {leaving_markers(one.markers, context.settings).equipment for one in study.instances}
    for item in {item for items in leaving for item in items}:
        device = device_of(item, context)
        if device is not None:
            devices[device["id"]] = device
    endpoint = endpoint_of(context)
    return MappedStudy(
        shared=(*([endpoint] if endpoint else []), *(devices[key] for key in sorted(devices))),
        patient=patient_of(study, context),
        imaging_study=resource,
        provenances=tuple(provenances),
        findings=tuple(Finding(code) for code in sorted(codes)),
    )


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
