"""What is told of a study in each run, kept where its files are not read again.

No path is kept: a digest stands for it, and the run that lists the file knows its name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from deidfhir.model.finding import Finding
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.gate import Refusal
from deidfhir.pipeline.listing import path_digest, place_of


@dataclass(frozen=True, slots=True)
class Told:
    """What a run tells of one study.

    Args:
        verdict: Its verdict.
        findings: What is odd in it.
        tools: The tools that were recognised in it.
        unrecognised: How many method texts no entry knows.
        refusal: Why it was refused, if it was.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    tools: tuple[str, ...] = ()
    unrecognised: int = 0
    refusal: Refusal | None = None

    def kept(self, slices_of: Callable[[str], Iterable[str]]) -> str:
        """Return what the journal keeps.

        Args:
            slices_of: A folder, absolute, with `/` → ids of its slices.
        """
        refusal = self.refusal
        paths = [one.path for one in self.findings] + ([refusal.path] if refusal else [])
        files = {one: _file_of(place_of(one), slices_of) for one in {*paths} - {""}}
        named: dict[str, list[str]] = {}
        for path in sorted({*files.values()}):
            for identity in slices_of(_folder_of(path)):
                named.setdefault(identity, []).append(path_digest(path))
        stands_for = {one: path_digest(path) for one, path in files.items()} | {"": ""}
        return json.dumps(
            {
                "named": named,
                "verdict": self.verdict.value,
                "findings": [[one.code, stands_for[one.path]] for one in self.findings],
                "tools": self.tools,
                "unrecognised": self.unrecognised,
                "refusal": refusal
                and [
                    stands_for[refusal.path],
                    refusal.finding.code,
                    refusal.detail,
                    refusal.reasons,
                ],
            },
            separators=(",", ":"),
        )

    @classmethod
    def of(cls, kept: str, paths: Mapping[str, str]) -> Told:
        """Return what `kept` returned.

        Args:
            kept: As the journal has it.
            paths: Digest → the path for which it stands.
        """
        content = json.loads(kept)
        verdict, refusal = Verdict(content["verdict"]), None
        if content["refusal"]:
            digest, code, detail, reasons = content["refusal"]
            path = paths.get(digest, "")
            refusal = Refusal(path, verdict, tuple(reasons), Finding(code, path), detail)
        return cls(
            verdict,
            tuple(Finding(code, paths.get(digest, "")) for code, digest in content["findings"]),
            tuple(content["tools"]),
            content["unrecognised"],
            refusal,
        )


def named_in(kept: str) -> dict[str, list[str]]:
    """Return id of a slice → digests of the paths that `Told.kept` names, which it may hold.

    Args:
        kept: As the journal has it.
    """
    named: dict[str, list[str]] = json.loads(kept)["named"]
    return named


def _file_of(place: str, slices_of: Callable[[str], Iterable[str]]) -> str:
    """Return the file of a slice in which something is: the place itself, or what it is inside."""
    path = place
    while folder := _folder_of(path):
        if any(True for _ in slices_of(folder)):
            return path
        path = folder[:-1]
    return place


def _folder_of(path: str) -> str:
    return path[: path.rindex(os.sep) + 1] if os.sep in path else ""
