"""Write `docs/findings.md` from `mappings/findings.toml`.

python -m tools.generate_findings_page
"""

from __future__ import annotations

from pathlib import Path

from deidfhir.tables import table

TARGET = Path(__file__).resolve().parent.parent / "docs" / "findings.md"
_HEAD = """\
# Findings

Made from [`mappings/findings.toml`](../mappings/findings.toml) by
`python -m tools.generate_findings_page`; do not edit.

A finding says what is odd in an object, a study or a run. It stops nothing, changes no verdict and
names no value. Codes are stable. `error`: something was left out; `warning`: look at it;
`information`: nothing needs to be done.

| code | severity | what is the case | what to do | section |
|---|---|---|---|---|
"""


def rendered() -> str:
    """Return the page."""
    rows = (
        f"| `{code}` | {row['severity']} | {row['text']} | {row['action']} | {row['section']} |\n"
        for code, row in table("findings.toml").items()
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
