"""The switches of the server, as a dataclass and as command-line options made from it."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

Fhir = Literal["R4", "R5"]
ClientIds = Literal["ALPHANUMERIC", "ANY", "NOT_ALLOWED"]


@dataclass(frozen=True)
class HapiOptions:
    """What a client test may want to vary; the defaults are those of HAPI itself.

    Attributes:
        client_id_strategy: Which ids a client may choose.
        integrity_on_write: Refuse references to absent resources.
        integrity_on_delete: Refuse to delete what is referred to.
        create_placeholders: Create absent reference targets.
        retry_conflicts: Obey the request header X-Retry-On-Version-Conflict.
        validate_requests: Validate every written resource and refuse errors.
        partitions: Partitions named in the URL, ``/fhir/NAME/Type/id``.
        deletes: Allow DELETE, alone and in transactions.
        search_cache_millis: How long search results are reused; 0 for never.
        basic_auth: ``user:password`` that every request must carry.
    """

    client_id_strategy: ClientIds = "ALPHANUMERIC"
    integrity_on_write: bool = True
    integrity_on_delete: bool = True
    create_placeholders: bool = False
    retry_conflicts: bool = False
    validate_requests: bool = False
    partitions: bool = False
    deletes: bool = True
    search_cache_millis: int = 60_000
    basic_auth: str | None = None

    def system_properties(self) -> dict[str, str]:
        """Return the JVM system properties for these options, without the credentials."""
        values = dataclasses.asdict(self)
        del values["basic_auth"]
        # Lower case for Java's true and false; the other values may be written in any case.
        return {f"hapi.{name.replace('_', '-')}": str(it).lower() for name, it in values.items()}

    def environment(self) -> dict[str, str]:
        """Return the credentials as environment, where a process list does not show them."""
        return {} if self.basic_auth is None else {"HAPI_BASICAUTH": self.basic_auth}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one option for each field of :class:`HapiOptions`."""
    for field in dataclasses.fields(HapiOptions):
        flag = "--" + field.name.replace("_", "-")
        text = f"default: {field.default}"
        if isinstance(field.default, bool):
            parser.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=field.default, help=text
            )
        elif field.name == "client_id_strategy":
            parser.add_argument(flag, choices=get_args(ClientIds), default=field.default, help=text)
        else:
            kind = int if isinstance(field.default, int) else str
            parser.add_argument(flag, type=kind, default=field.default, help=text)


def from_arguments(arguments: argparse.Namespace) -> HapiOptions:
    """Read the options that :func:`add_arguments` added."""
    names = [field.name for field in dataclasses.fields(HapiOptions)]
    return HapiOptions(**{name: getattr(arguments, name) for name in names})
