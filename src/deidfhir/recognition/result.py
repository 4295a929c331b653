"""What recognition gives: inferences, each with the rule that it rests on (D16)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Inference:
    """One thing inferred from one or several values of De-identification Method (0012,0063).

    Args:
        rule: Id of the rule in the vocabulary, such as `orthanc.edition`.
        values: Numbers of the values that it rests on, from 1: together they are one event.
        tool: Id of the tool's entry; empty where the wording names no tool.
        manufacturer: Who makes the tool, as its entry says; possibly empty.
        name: The tool's name, as its entry says; empty if and only if `tool` is.
        version: The tool's version, as the text gives it; possibly empty.
        codes: Codes of CID 7050 that are packed in the text, in its order.
        dates: Dates that the text gives, as FHIR date or dateTime (no zone: date only).
        edition: Edition of PS3.15 that the text gives, such as `2023b`; possibly empty.
        terms: Codes of regulatory terms (`mappings/regulatory-terms.toml`) in the text.
        evidence: Kinds of what else in the object speaks for the tool, sorted; never the values.
    """

    rule: str
    values: tuple[int, ...]
    tool: str = ""
    manufacturer: str = ""
    name: str = ""
    version: str = ""
    codes: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    edition: str = ""
    terms: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognised:
    """All that was inferred from one object's method texts.

    Args:
        inferences: In the order of their first value, then by rule.
        unrecognised: Numbers of the values, from 1, that no tool's entry and no known wording
            covers; empty values are not among them.
    """

    inferences: tuple[Inference, ...] = ()
    unrecognised: tuple[int, ...] = ()
