"""A gateway in this process, and what it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from starlette.testclient import TestClient

from deidfhir.gateway.app import app_of
from deidfhir.gateway.gateway import Gateway
from deidfhir.mapping.context import MappingContext
from tests.synthetic.objects import encode

DICOM = {"Content-Type": "application/dicom"}
DICOM_JSON = {"Content-Type": "application/dicom+json"}
FHIR = {"Content-Type": "application/fhir+json"}


@contextmanager
def asked(gateway: Gateway | None = None) -> Iterator[TestClient]:
    """Give a client of a gateway that has begun."""
    app = app_of(gateway or Gateway(MappingContext()))
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def part10(dataset: Dataset) -> bytes:
    """Return an object as a file's bytes."""
    return encode(dataset, ExplicitVRLittleEndian)


def related(*parts: tuple[str, bytes], boundary: str = "b0und") -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of multipart/related."""
    body = b"".join(
        f"--{boundary}\r\nContent-Type: {form}\r\n\r\n".encode() + content + b"\r\n"
        for form, content in parts
    )
    form = f'multipart/related; type="{parts[0][0] if parts else ""}"; boundary={boundary}'
    return {"Content-Type": form}, body + f"--{boundary}--\r\n".encode()


def codes(answer: Any) -> list[str]:  # noqa: ANN401 - a response
    """Return the codes of an OperationOutcome, and require that the answer is one."""
    assert answer.headers["content-type"] == "application/fhir+json"
    outcome = json.loads(answer.content)
    assert outcome["resourceType"] == "OperationOutcome"
    return [one["details"]["coding"][0]["code"] for one in outcome["issue"]]
