"""How much a container may hold, and how much of it is held in memory."""

from __future__ import annotations

from dataclasses import dataclass

from deidfhir.config import Settings
from deidfhir.containers.faults import ContainerError

_LITTLE = 64 << 20
"""So many bytes are no bomb, however well they were packed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What containers are refused beyond.

    Args:
        members: Members of one container.
        size: Bytes that the members of one container are when they are unpacked.
        ratio: How many bytes may come of one byte of a container.
        held: Bytes of one object that are held in memory: its header, its JSON, its line of NDJSON.
    """

    members: int
    size: int
    ratio: int
    held: int

    def require_members(self, count: int) -> None:
        """Require that a container may hold so many members.

        Raises:
            ContainerError: `container-limit`.
        """
        if count > self.members:
            raise ContainerError("container-limit")

    def require_size(self, unpacked: int) -> None:
        """Require that the members of a container may be so many bytes.

        Raises:
            ContainerError: `container-limit`.
        """
        if unpacked > self.size:
            raise ContainerError("container-limit")

    def require_ratio(self, unpacked: int, packed: int) -> None:
        """Require that so many bytes may come of so many.

        Args:
            unpacked: Bytes that were unpacked.
            packed: Bytes of the container that they came of.

        Raises:
            ContainerError: `container-limit`.
        """
        if unpacked > max(_LITTLE, self.ratio * packed):
            raise ContainerError("container-limit")


def limits_of(settings: Settings) -> Limits:
    """Return the limits of a site.

    Args:
        settings: Its settings.
    """
    return Limits(
        settings.container_members,
        settings.container_bytes,
        settings.container_ratio,
        settings.object_bytes,
    )


DEFAULT = limits_of(Settings())


@dataclass(slots=True)
class Budget:
    """What may be unpacked of one container, whatever its members claim.

    Args:
        limits: What it is refused beyond.
        packed: Its bytes.
    """

    limits: Limits
    packed: int
    _spent: int = 0

    def spend(self, count: int) -> None:
        """Unpack so many bytes more.

        Raises:
            ContainerError: `container-limit`.
        """
        self._spent += count
        self.limits.require_size(self._spent)
        self.limits.require_ratio(self._spent, self.packed)
