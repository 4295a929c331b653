"""HL7's validator finds nothing wrong with what the gateway answers."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

from deidfhir.gateway.gateway import Gateway
from deidfhir.mapping.context import MappingContext
from tests.conftest import Server
from tests.integration.packaged import packaged
from tests.integration.validation import unexpected_of_conformance, validated
from tests.synthetic.objects import instance
from tests.unit.gateway.asking import FHIR, asked, part10


def test_statement_parameters_and_outcome_are_valid(server: Server) -> None:
    stated = {"PatientIdentityRemoved": "YES"}
    data = base64.b64encode(part10(instance(1, **stated))).decode()  # type: ignore[arg-type]
    binary = {"resourceType": "Binary", "contentType": "application/dicom", "data": data}
    with asked(Gateway(MappingContext(server.fhir))) as client:
        answers: list[dict[str, Any]] = [
            client.get("/metadata").json(),
            client.post("/$deid-verdict", content=json.dumps(binary), headers=FHIR).json(),
            client.post("/$deid-map", content=b"", headers=FHIR).json(),
        ]
    kinds = [one["resourceType"] for one in answers]
    assert kinds == ["CapabilityStatement", "Parameters", "OperationOutcome"]
    # A server takes Parameters as those of its own operation, unless something holds them.
    entries = [{"fullUrl": f"urn:uuid:{uuid4()}", "resource": one} for one in answers]
    found = [{"resourceType": "Bundle", "id": "a", "type": "collection", "entry": entries}]
    issues = unexpected_of_conformance(validated(packaged(server), found))
    # An outcome says all that it has to say in its issues: it needs no narrative beside them.
    narrative = "Constraint failed: dom-6: 'A resource should have narrative"
    rest = [one for one in issues if not one.text.startswith(narrative)]
    assert (rest, len(issues)) == ([], 2)
