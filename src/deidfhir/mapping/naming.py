"""Statements that name their instances, for a resource that is not ours (D21).

Where a resource lists other instances than were read, nothing may stand on it as a whole: the
extension `deidentification-instances` names the instances meant, with what each of them states.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from deidfhir.fhir.extensions import MalformedError, named, nested
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext

SERIES, INSTANCE, UID = "series", "instance", "uid"


@dataclass(slots=True)
class Named:
    """A series or an instance that is named, with its extensions.

    Args:
        uid: Its UID.
        extensions: Those that hold for it, and for all instances of a series.
        instances: Of a series: its instances.
    """

    uid: str
    extensions: list[JsonObject] = field(default_factory=list)
    instances: list[Named] = field(default_factory=list)


def naming(series: list[Named], context: MappingContext) -> JsonObject:
    """Return the extension that names series and instances.

    Args:
        series: In order.
        context: Tells the extension's address.
    """
    slots = [
        _slot(SERIES, one, [_slot(INSTANCE, each) for each in one.instances]) for one in series
    ]
    return {"url": context.url("instances"), "extension": slots}


def _slot(kind: str, one: Named, within: list[JsonObject] | None = None) -> JsonObject:
    uid = {"url": UID, "valueString": one.uid}
    return {"url": kind, "extension": [uid, *one.extensions, *(within or ())]}


def read_naming(extension: JsonObject) -> list[Named]:
    """Return the series that `naming` named, with their instances.

    Raises:
        MalformedError: It did not write this.
    """
    return list(_read(extension, SERIES))


def _read(holder: JsonObject, kind: str) -> Iterator[Named]:
    for slot in named(nested(holder), kind):
        uids = [one.get("valueString") for one in named(nested(slot), UID)]
        if len(uids) != 1 or not isinstance(uids[0], str) or not uids[0]:
            raise MalformedError
        rest = [one for one in nested(slot) if one["url"] not in (UID, INSTANCE)]
        yield Named(uids[0], rest, list(_read(slot, INSTANCE)) if kind == SERIES else [])
