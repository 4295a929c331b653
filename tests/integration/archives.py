"""What the tests of archives share: a real Orthanc, and what it is filled with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.integration.support import Archive
from tests.orthanc.server import Orthanc

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran
    from tests.integration.support import Site


@dataclass
class Pacs:
    """A real Orthanc with objects whose studies are this test's alone.

    Args:
        orthanc: The server.
        made: Makes the objects.
    """

    orthanc: Orthanc
    made: Archive

    def store(self, study: int, number: int = 1, **attributes: Any) -> None:  # noqa: ANN401
        """Make an object and store it."""
        path = self.made.put(study, number, **attributes)
        assert all(self.orthanc.put([path.read_bytes()]))

    def lose(self, study: int, *more: int) -> None:
        """Delete a study, or a series or an instance of it."""
        level = ("Study", "Series", "Instance")[len(more)]
        self.orthanc.delete(level, self.made.uid(study, *more))


@dataclass(frozen=True)
class FromArchive:
    """A site that is fed from an archive.

    Args:
        site: The site.
        address: What `--from` takes.
    """

    site: Site
    address: str

    def sync(self, *arguments: object) -> Ran:
        """Sync from the archive."""
        return self.site.sync("--from", self.address, *arguments)

    def verify(self, *arguments: object) -> Ran:
        """Verify against the archive."""
        return self.site.verify("--from", self.address, *arguments)

    def stated(self) -> dict[str, Any]:
        """Return what map makes of the archive, by reference."""
        return self.site.stated("--from", self.address)


def pacs(orthanc: Orthanc, folder: Path) -> Iterator[Pacs]:
    """Give an empty Orthanc."""
    orthanc.clear()
    orthanc.ask("/changes", "DELETE")
    yield Pacs(orthanc, Archive(folder))


def map_of(cli: Cli, *arguments: object) -> Ran:
    """Map whatever the objects state."""
    return cli("map", *arguments, "--accept", "all")
