"""What a server says of itself: as much of its CapabilityStatement as is looked at."""

from __future__ import annotations

from deidfhir.errors import FatalError, RetriableError
from deidfhir.fhir.types import JsonObject
from deidfhir.sync.reading import Reader
from deidfhir.web.outcome import Rejected, objects
from deidfhir.web.request import Answer

_PATH = "/metadata"
_ENOUGH = ",".join(
    (
        "fhirVersion",
        "software",
        "rest.resource.type",
        "rest.resource.updateCreate",
        "rest.resource.conditionalUpdate",
    )
)


def stated_by(reader: Reader) -> Answer:
    """Return the answer that holds a server's CapabilityStatement.

    The whole of HAPI's has 1.5 MB, which takes it as long to make as to write a hundred studies.

    Args:
        reader: Reads from the server.

    Raises:
        RetriableError: The server is down or busy.
        FatalError: `not-fhir` or `unauthorised`.
    """
    # It need not be true now: what a server is does not change from minute to minute.
    try:
        some = reader.get(f"{_PATH}?_elements={_ENOUGH}", fresh=False)
    except (FatalError, RetriableError) as error:
        if error.code != "not-fhir" and not isinstance(error.__cause__, Rejected):
            raise  # it did not refuse, or break on, just this
    else:
        if _is_enough(some.body):
            return some
    # It takes no such parameter, or knows the outermost elements alone.
    return reader.get(_PATH, fresh=False)


def _is_enough(statement: JsonObject) -> bool:
    """Whether elements came that every statement has: then none that was asked for is left out."""
    types = [
        one.get("type")
        for rest in objects(statement.get("rest"))
        for one in objects(rest.get("resource"))
    ]
    return "fhirVersion" in statement and "ImagingStudy" in types
