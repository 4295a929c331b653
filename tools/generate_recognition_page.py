"""Write `docs/tools.md`: the tools that are recognised, measured over the strings of real tools.

python -m tools.generate_recognition_page
"""

from __future__ import annotations

from pathlib import Path

from deidfhir.model.record import NO_EVIDENCE, Markers
from deidfhir.recognition.entry import Entry
from deidfhir.recognition.recognise import recognise
from deidfhir.recognition.vocabulary import load_vocabulary
from tests.synthetic.tool_texts import TOOLS, UNKNOWN, WORDINGS, Written

TARGET = Path(__file__).resolve().parent.parent / "docs" / "tools.md"
_HEAD = """\
# Tools that are recognised

Made from [`mappings/tools`](../mappings/tools) and the wordings of real tools by
`python -m tools.generate_recognition_page`; do not edit.

What is inferred is marked as inferred and names its rule; it is never agent, time, policy or label.
Several values that a tool writes at once are one event; the same text twice is two. Support is what
else in an object may speak for the tool; alone it infers nothing. How to add an entry:
[mappings/README.md](../mappings/README.md).
"""


def rendered() -> str:
    """Return the page."""
    vocabulary = load_vocabulary()
    every = (*TOOLS, *WORDINGS)
    tools = len(vocabulary.tools)
    right = sum(_is_right(one) for one in every)
    silent = sum(not _recognised(text) for text in UNKNOWN)
    summary = (
        f"{tools} tools, {len(vocabulary.entries) - tools} wordings that name none. Of "
        f"{len(every)} writings of real tools, {right} are recognised as one event of their own "
        f"entry; of {len(UNKNOWN)} near misses and foreign texts, {silent} stay unknown."
    )
    lines = [
        _HEAD,
        summary,
        "",
        "| entry | name | a writing | yields | support | source |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_row(one) for one in vocabulary.entries.values()), ""])


def _row(entry: Entry) -> str:
    written = next(one for one in (*TOOLS, *WORDINGS) if one.entry == entry.id)
    texts = " ⧵ ".join(f"`{text.strip()}`" for text in written.texts[:3])
    more = f" and {len(written.texts) - 3} more" if len(written.texts) > 3 else ""
    yields = sorted(
        {name for one in (*TOOLS, *WORDINGS) if one.entry == entry.id for name in dict(one.yields)}
    )
    kinds = ", ".join(kind.replace("_", " ") for kind, _ in entry.evidence)
    cells = (entry.id, entry.name or "(none)", texts + more, ", ".join(yields) or "-", kinds or "-")
    return f"| {' | '.join(_cell(one) for one in (*cells, '; '.join(entry.source)))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _recognised(*texts: str) -> list[str]:
    found = recognise(Markers(("YES",), texts), NO_EVIDENCE, load_vocabulary()).inferences
    return [one.rule.partition(".")[0] for one in found if not one.rule.startswith("term.")]


def _is_right(one: Written) -> bool:
    return _recognised(*one.texts) == [one.entry]


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
