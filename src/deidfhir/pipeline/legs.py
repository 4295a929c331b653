"""The legs of the way to a target, each walked unless one before it failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from deidfhir.errors import DeidFhirError
from deidfhir.tables import table


class State(StrEnum):
    """How a leg ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Remark:
    """What there is to say of a leg that did not fail.

    Args:
        code: Key of `remark` in `mappings/doctor.toml`.
        state: How the leg ended.
        text: One line.
    """

    code: str
    state: State
    text: str


def remark(code: str, **details: object) -> Remark:
    """Return a remark.

    Args:
        code: Key of `remark` in `mappings/doctor.toml`.
        **details: Fills the places of its text.
    """
    row = table("doctor.toml")["remark"][code]
    return Remark(code, State(row["state"]), row["text"].format(**details))


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg, walked or not.

    Args:
        name: As in `mappings/doctor.toml`.
        state: How it ended.
        code: Of its remark or error; empty for none.
        text: What that says, in one line.
    """

    name: str
    state: State = State.OK
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All legs, in order.

    Args:
        target: The target, or the archive, without credentials.
        legs: The legs.
        error: What the first failing leg failed on.
    """

    target: str
    legs: tuple[Leg, ...]
    error: DeidFhirError | None

    @property
    def exit_code(self) -> int:
        """0, or what the error calls for."""
        return self.error.exit_code if self.error is not None else 0


Step = Callable[[], Remark | None]


def walked(target: str, names: Iterable[str], steps: Mapping[str, Step]) -> Diagnosis:
    """Walk leg by leg, up to the first that fails.

    Args:
        target: The target without credentials.
        names: The legs, in order, as in `mappings/doctor.toml`.
        steps: What walks each leg; those behind a leg that is sure to fail may be missing.
    """
    legs: list[Leg] = []
    fault: DeidFhirError | None = None
    for name in names:
        if fault is not None:
            legs.append(Leg(name, State.NOT_REACHED))
            continue
        try:
            told = steps[name]()
        except DeidFhirError as error:
            fault = error
            legs.append(Leg(name, State.FAILED, error.code, str(error)))
        else:
            legs.append(Leg(name, told.state, told.code, told.text) if told else Leg(name))
    return Diagnosis(target, tuple(legs), fault)
