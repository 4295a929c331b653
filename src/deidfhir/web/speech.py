"""What a server speaks: FHIR, or something else that is asked for by HTTP."""

from __future__ import annotations

from dataclasses import dataclass

_OF_THE_CONTENT = frozenset({400, 409, 410, 412, 413, 415, 422})
"""What concerns one request, even where a proxy says it without an OperationOutcome."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What a server speaks.

    Args:
        accept: Media type of what is asked for and sent.
        wrong: Code of the error for one that speaks something else.
        of_the_request: HTTP statuses that concern one request alone.
    """

    accept: str
    wrong: str
    of_the_request: frozenset[int] = _OF_THE_CONTENT


FHIR = Speech("application/fhir+json", "not-fhir")
DICOMWEB = Speech("application/dicom+json", "not-dicomweb", _OF_THE_CONTENT | {404, 406})
"""PS3.18 8.7.3.2: DICOM JSON; of what is not there, a server says 404 (10.4.3.1)."""

JSON = Speech("application/json", "not-json", _OF_THE_CONTENT | {404})
