"""Numbers → a file that node_exporter's textfile collector reads (Prometheus text format 0.0.4)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from deidfhir.errors import FatalError
from deidfhir.tables import table

_GOING_ON = ("counter", "histogram")
_KEPT = ("deidfhir_last_complete_timestamp_seconds", "deidfhir_last_success_timestamp_seconds")
"""Gauges of another run than the last, where the last was not such a one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One number.

    Args:
        metric: Key of `mappings/metrics.toml`.
        labels: Beside those that all have.
        value: The number.
        suffix: What a histogram's sample is called beside its name.
    """

    metric: str
    labels: tuple[tuple[str, str], ...]
    value: float
    suffix: str = ""


def sample(metric: str, value: float, *, suffix: str = "", **labels: str) -> Sample:
    """Return one number with its labels."""
    return Sample(metric, tuple(labels.items()), value, suffix)


def write_textfile(path: Path, samples: Iterable[Sample], labels: Mapping[str, str]) -> None:
    """Replace a file by what a run adds to it, at once, readable by all.

    Counters go on from what the file says; a file that says something else starts anew.

    Args:
        path: The file.
        samples: Of this run.
        labels: That all have.

    Raises:
        FatalError: `file-unwritable`.
    """
    try:
        _replace(path, textfile(samples, labels, _before(path)))
    except (OSError, ValueError) as error:
        raise FatalError("file-unwritable", path=path) from error


def textfile(samples: Iterable[Sample], labels: Mapping[str, str], before: str) -> str:
    """Return the text of the file.

    Args:
        samples: Of this run.
        labels: That all have.
        before: What the file says so far.
    """
    metrics = table("metrics.toml")
    told: dict[str, dict[str, float]] = {name: {} for name in metrics}
    for one in samples:
        told[one.metric][_series(one, labels)] = one.value
    ours = _rendered(labels.items())
    for series, value in _parsed(before).items():
        metric = _metric_of(series, metrics)
        if metric is None or f"{{{ours}" not in series:
            continue
        if metrics[metric]["type"] in _GOING_ON:
            told[metric][series] = told[metric].get(series, 0) + value
        elif metric in _KEPT:
            told[metric].setdefault(series, value)
    lines = []
    for name, values in told.items():
        if values:
            lines += [f"# HELP {name} {metrics[name]['help']}"]
            lines += [f"# TYPE {name} {metrics[name]['type']}"]
            lines += [f"{series} {_number(value)}" for series, value in values.items()]
    return "".join(f"{line}\n" for line in lines)


def _series(one: Sample, labels: Mapping[str, str]) -> str:
    rendered = _rendered([*labels.items(), *one.labels])
    return f"{one.metric}{one.suffix}{{{rendered}}}"


def _rendered(labels: Iterable[tuple[str, str]]) -> str:
    return ",".join(f'{name}="{_escaped(text)}"' for name, text in labels)


def _escaped(text: str) -> str:
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return shown.replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(round(value, 6))


def _metric_of(series: str, metrics: Mapping[str, object]) -> str | None:
    name = series.partition("{")[0]
    bare = [name.removesuffix(one) for one in ("", "_bucket", "_sum", "_count")]
    return next((one for one in bare if one in metrics), None)


def _parsed(text: str) -> dict[str, float]:
    """Return series → number, as far as a text is what we write."""
    found = {}
    for line in text.split("\n"):
        series, _, number = line.rpartition(" ")
        with suppress(ValueError):
            value = float(number)
            if isfinite(value):
                found[series] = value
    return found


def _before(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _replace(path: Path, text: str) -> None:
    """Replace a file so that whoever reads it reads all of it; readers run as someone else."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            os.fchmod(descriptor, 0o644)
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
