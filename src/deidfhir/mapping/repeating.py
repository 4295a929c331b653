"""What is stated of an instance → what is stated of the next of its series, if that is the same."""

from __future__ import annotations

from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.leaving import leaving_number
from deidfhir.model.record import Instance

_PLAIN = 9
"""So many digits make a number that FHIR holds, whatever they are."""


def is_plain(instance: Instance) -> bool:
    """Whether the number of an instance is one that nothing has to be said of.

    Args:
        instance: As read.
    """
    number = instance.instance_number
    return not number or (number.isascii() and number.isdigit() and len(number) <= _PLAIN)


def instance_like(element: JsonObject, instance: Instance, context: MappingContext) -> JsonObject:
    """Return the element of an instance that differs from another's in UID and number alone.

    Args:
        element: The other's, without extensions.
        instance: As read; `is_plain` holds for it.
        context: The mapping's.
    """
    number = leaving_number(instance, context)
    rest = {key: one for key, one in element.items() if key not in ("uid", "sopClass", "number")}
    return {
        "uid": instance.sop_instance_uid,
        "sopClass": element["sopClass"],
        **({"number": int(number)} if number else {}),
        **rest,
    }
