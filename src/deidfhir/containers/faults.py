"""What is wrong with a container, or with one of its members."""

from __future__ import annotations

from deidfhir.errors import SkippableError

DAMAGED = "container-damaged"


class ContainerError(SkippableError):
    """What follows in a container cannot be read; `code` is a key of `mappings/findings.toml`."""

    def __str__(self) -> str:
        return self.code


class MemberError(ContainerError):
    """One member cannot be read; those after it can."""
