"""The results of many episodes, as a table by fault class, and the page that shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.episode import Result
from tests.campaign.faults import CLASSES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "campaign.md"
_HEAD = """\
# The fault campaign

Made by `{command}`; do not edit.

An episode is a seed: an archive of a few small studies, edits (an instance more or less, another
claim, a claim withdrawn or made again, a new study), and runs of `deidfhir sync` under one class of
faults, against a real HAPI FHIR JPA server (R4, on PostgreSQL) behind a fault proxy. Then the
faults stop, at most two runs make good what is left, and one more must write nothing. After that
the server's whole history since the episode began is compared with what was planned, run by run:

- lost: a resource that should be there and is not, or is not as the archive states it
- doubled: a resource or statement that nothing in the archive calls for
- spurious: a version that no change of the archive called for, or another instant of recording
- journal: a row that says otherwise than the server, is still in flight, or is set aside for what
  passes
- odd: an exit code or message that the class does not call for, a second job that was let in

Someone else's ImagingStudy may be neither doubled nor overwritten: linked, it has its owner's
versions and no other; enriched, all but our extensions is letter by letter as its owner wrote it,
also where the owner writes between our look and our write. Of a study that two jobs deliver, the
server must hold in the end just what one run over both folders states, and meanwhile only what was
seen of either, never of less than before. A write that comes late must be as if it had come once;
it comes as long as it is the last word, in its run or before the next one: after a newer statement
it would bring an old one back, which no client can know of that has had its answer.

{summary}

"""
_COLUMNS = (
    *("class", "what happens", "episodes", "faults", "requests"),
    *("lost", "doubled", "spurious", "journal", "odd", "runs to converge"),
)
_FOOT = """
The test command plays {shipped} episodes over all classes. One is played again by
`make campaign ONLY=class SEED=seed EPISODES=1`: the seed makes every choice, but for how threads
and processes take turns.
"""


@dataclass
class Row:
    """The results of one class."""

    episodes: int = 0
    faults: int = 0
    requests: int = 0
    lost: int = 0
    doubled: int = 0
    spurious: int = 0
    lies: int = 0
    odd: int = 0
    settling: list[int] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count one more."""
        self.episodes += 1
        self.faults += result.faults
        self.requests += result.requests
        self.lost += len(result.found.lost)
        self.doubled += len(result.found.doubled)
        self.spurious += len(result.found.spurious)
        self.lies += len(result.found.lies)
        self.odd += len(result.odd)
        self.settling.append(result.settling)

    @property
    def told(self) -> str:
        """The counts as cells of the table."""
        wrong = (self.lost, self.doubled, self.spurious, self.lies, self.odd)
        counts = (self.episodes, self.faults, self.requests, *wrong)
        return " | ".join(f"{one:,}" for one in counts)


def by_class(results: Iterable[Result]) -> dict[str, Row]:
    """Return the results of each class, in the order of the classes."""
    rows = {name: Row() for name in CLASSES}
    for one in results:
        rows[one.name].add(one)
    return {name: row for name, row in rows.items() if row.episodes}


def rendered(results: list[Result], command: str, summary: str, shipped: int) -> str:
    """Return the page.

    Args:
        results: Of all episodes.
        command: What made them.
        summary: When, on what, how long.
        shipped: How many episodes the test command plays.
    """
    rows = by_class(results)
    lines = [
        f"| `{name}` | {CLASSES[name].does} | {row.told} | {_settling(row)} |\n"
        for name, row in rows.items()
    ]
    total = Row()
    for one in results:
        total.add(one)
    lines.append(f"| all | | {total.told} | {_settling(total)} |\n")
    head = _HEAD.format(command=command, summary=summary)
    head += f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"
    return head + "".join(lines) + _FOOT.format(shipped=shipped)


def _settling(row: Row) -> str:
    """Tell how many episodes took one run, and how many two."""
    return f"1 ({row.settling.count(1):,}), 2 ({row.settling.count(2):,})"
