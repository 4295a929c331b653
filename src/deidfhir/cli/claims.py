"""`show` and `explain` as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deidfhir.cli.progress import printable
from deidfhir.policy.policy import policy_line


def show_lines(shown: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of `show`."""
    yield printable(f"policy {policy_line(shown['policy'])}")
    for study in shown["studies"]:
        yield from _study(study)
        yield ""
    counts = f"{len(shown['studies'])} studies, {shown['instances']} instances"
    yield f"{counts}, {len(shown['skipped'])} skipped, {shown['foreign']} foreign files"
    for one in shown["skipped"]:
        yield f"skipped {printable(one['path'])}: {one['text']}"


def _study(study: dict[str, Any]) -> Iterator[str]:
    name = study["uid"] or study["path"]
    counts = f"{study['series']} series, {study['instances']} instances"
    yield printable(f"{study['verdict'].upper()}  {name}  ({counts})")
    if study["uid"]:
        yield printable(f"  path       {study['path']}")
    for word, key in (
        ("method", "methods"),
        ("burned in", "burned_in_annotation"),
        ("features", "recognizable_visual_features"),
        ("dates", "longitudinal_temporal_information_modified"),
    ):
        for values in study[key]:
            if values is not None:
                texts = ["(withheld)" if isinstance(one, dict) else one for one in values]
                yield printable(f"  {word:<10} {' | '.join(texts) or '(empty)'}")
    for items in study["codes"]:
        for item in items or ():
            yield printable(f"  code       {_code(item)}")
    for items in study["equipment"]:
        for item in items or ():
            yield printable(f"  equipment  {_equipment(item)}")
    yield from _judged(study)


def _judged(study: dict[str, Any]) -> Iterator[str]:
    """Yield what is inferred of a study, what no entry knows, and what is odd in it."""
    for one in (*study["tools"], *study["wordings"]):
        yield printable(f"  inferred   {inference_line(one)}")
    for text in study["unrecognised"]:
        yield printable(f"  unknown    {text} (no tool's entry knows this text)")
    for one in study["findings"]:
        yield f"  {one['severity']:<10} {one['text']} [{one['code']}]"


def inference_line(one: dict[str, Any]) -> str:
    """Return what one inference says, with the rule that it rests on."""
    who = " ".join(part for part in (one["manufacturer"], one["name"], one["version"]) if part)
    parts = [who] if who else []
    for word, values in (
        ("codes", one["codes"]),
        ("dates", one["dates"]),
        ("edition", [one["edition"]] if one["edition"] else []),
        ("terms", one["terms"]),
        ("supported by", one["evidence"]),
    ):
        if values:
            parts.append(f"{word} {', '.join(values)}")
    numbers = ", ".join(str(number) for number in one["values"])
    return f"{'; '.join(parts) or 'a known wording'} (value {numbers}, rule {one['rule']})"


def _code(item: dict[str, Any]) -> str:
    def first(*keywords: str) -> str:
        found = (item[keyword] for keyword in keywords if item.get(keyword))
        return "\\".join(next(found, ["-"]))

    value = first("CodeValue", "LongCodeValue", "URNCodeValue")
    return f"{value} {first('CodingSchemeDesignator')} {first('CodeMeaning')}"


def _equipment(item: dict[str, Any]) -> str:
    words = []
    for keyword, content in item.items():
        if isinstance(content, dict):
            words.append(f"{keyword} withheld")
        elif content and isinstance(content[0], str):
            words.append(f"{keyword} {', '.join(content)}")
    return "; ".join(words) or "(empty)"


def explain_lines(explained: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of `explain`."""
    yield printable(f"policy {policy_line(explained['policy'])}")
    for one in explained["objects"]:
        yield printable(f"{explained['path']}: {one['verdict']} ({'; '.join(one['reasons'])})")
        if one["refused"]:
            yield f"  refused ({one['refused']}): below is what leaves if the policy accepts it"
        for row in one["attributes"]:
            name = f"{row['tag']} {row['attribute']}"
            if row["leaves"] and row["to"]:
                where = ", ".join(row["to"])
                yield f"  {name:<62} -> {where}  [{row['section']}]"
            else:
                yield f"  {name:<62} stays: {row['rule']}  [{row['section']}]"
        for inference in one["inferred"]:
            yield printable(f"  inferred: {inference_line(inference)}")
        for text in one["unrecognised"]:
            yield printable(f"  unknown to every tool's entry: {text}")
        for finding in one["findings"]:
            yield f"  {finding['severity']}: {finding['text']} [{finding['section']}]"
