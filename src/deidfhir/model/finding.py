"""Findings: what is odd in an object or a study, as data (`mappings/findings.toml`)."""

from __future__ import annotations

from dataclasses import dataclass

from deidfhir.tables import table


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is odd, and where.

    Args:
        code: Key of `mappings/findings.toml`.
        path: The input that shows it first, as the operator named it; empty for a whole study.
    """

    code: str
    path: str = ""

    @property
    def severity(self) -> str:
        """`error`, `warning` or `information`, as in OperationOutcome."""
        return self._row["severity"]

    @property
    def text(self) -> str:
        """What is the case, in plain words."""
        return self._row["text"]

    @property
    def action(self) -> str:
        """What to do about it."""
        return self._row["action"]

    @property
    def section(self) -> str:
        """The standard's section, or the decision, that it rests on."""
        return self._row["section"]

    @property
    def status(self) -> int:
        """HTTP status of an answer that has it first."""
        return int(table("findings.toml")[self.code].get("status", 422))

    @property
    def _row(self) -> dict[str, str]:
        row: dict[str, str] = table("findings.toml")[self.code]
        return row

    def as_dict(self) -> dict[str, str]:
        """Return the finding with its words, for `--json`."""
        words = ("severity", "issue", "text", "action", "section")
        return {"code": self.code, "path": self.path, **{word: self._row[word] for word in words}}

    @property
    def issue(self) -> str:
        """The kind of issue, as in OperationOutcome."""
        return self._row["issue"]
