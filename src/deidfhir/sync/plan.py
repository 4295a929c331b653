"""The writes of one study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.comparing import stands
from deidfhir.sync.journal import StudyRow
from deidfhir.sync.unit import Refused, Unit, Vanished
from deidfhir.web.numbers import spelled


@dataclass(slots=True)
class Plan:
    """The writes of one study.

    Args:
        one: The study, stated, refused or vanished.
        puts: Resources to put.
        stale: Provenance that are no longer stated, as the target has them.
        row: The row to store once the writes are acknowledged.
        before: The row to store before they are sent.
        replaces: Whether the target holds something of the study that they replace or withdraw.
        gone: The id of a Patient of ours that is no longer stated, or an empty text.
        versions: Reference → the versionId that the target must still hold for the writes.
        unchanged: How many resources the target holds as they are stated.
        study_goes: Whether the ImagingStudy is deleted.
        fate: What the report counts once it is acknowledged: `retired`, `deleted`, `revived`.
        instead: What is sent where the target refuses these deletions.
        read: What this run read of the study, where more is stated; else the study.
        dropped: Our ImagingStudy as the target has it, if someone else's stands instead (D21).
    """

    one: Unit | Refused | Vanished
    puts: list[JsonObject]
    stale: list[JsonObject]
    row: StudyRow
    before: StudyRow
    replaces: bool
    gone: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    unchanged: int = 0
    study_goes: bool = False
    fate: str = ""
    instead: Plan | None = None
    read: Unit | Refused | None = None
    dropped: JsonObject | None = None

    @property
    def again(self) -> Unit | Refused | Vanished:
        """What is to be planned if the target was changed meanwhile."""
        return self.read or self.one

    @property
    def id(self) -> str:
        """The id of its ImagingStudy."""
        return self.one.id

    @property
    def name(self) -> str:
        """The input path that names it."""
        return self.one.name

    @property
    def shared(self) -> tuple[JsonObject, ...]:
        """What the study shares with others, and refers to."""
        return self.one.shared if isinstance(self.one, Unit) else ()

    @property
    def deletes(self) -> list[str]:
        """The references to delete, each before what it refers to."""
        study = [f"ImagingStudy/{self.id}"] if self.study_goes or self.dropped else []
        patient = [f"Patient/{self.gone}"] if self.gone else []
        return [f"Provenance/{one['id']}" for one in self.stale] + study + patient

    @property
    def size(self) -> int:
        """Bytes of JSON that are put."""
        return sum(len(spelled(one).encode()) for one in self.puts)

    @property
    def withdraws(self) -> bool:
        """Whether statements of a study that is refused are taken back."""
        return self.row.state == "refused" and not self.is_done

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to write."""
        return not self.puts and not self.deletes

    def without_what_stands(self, held: Mapping[str, JsonObject]) -> Plan:
        """Return the plan without the resources that the target holds as they are stated.

        Args:
            held: Reference → what the target holds.
        """
        puts = [one for one in self.puts if not stands(one, held.get(reference(one)))]
        if len(puts) == len(self.puts) and not self.unchanged:
            return self
        return replace(self, puts=puts, unchanged=len(self.puts) - len(puts))
