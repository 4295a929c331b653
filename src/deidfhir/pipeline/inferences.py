"""What is inferred of a study, for `show`, `explain` and the reports (D16)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.inferred import recognised_in
from deidfhir.model.record import Facts
from deidfhir.model.study import Study
from deidfhir.recognition.result import Inference


def inferred_of(study: Study, context: MappingContext) -> dict[str, Any]:
    """Return what `show --json` says is inferred of a study.

    Args:
        study: The study as far as it leaves.
        context: Holds the vocabulary.

    Returns:
        `tools`: what is inferred of recognised tools. `wordings`: what is inferred of texts that
        name no tool. `unrecognised`: the texts that no entry knows. Each once.
    """
    every = [
        shown_inference(found, one)
        for one in study.facts
        for found in recognised_in(one, context).inferences
    ]
    return {
        "tools": _once([one for one in every if one["tool"]]),
        "wordings": _once([one for one in every if not one["tool"]]),
        "unrecognised": _once(
            [text for one in study.facts for text in unrecognised_in(one, context)]
        ),
    }


def shown_inference(found: Inference, facts: Facts) -> dict[str, Any]:
    """Return an inference with the texts that it rests on.

    Args:
        found: The inference.
        facts: Those of the instance whose method texts it rests on.
    """
    texts = facts.markers.method_texts
    content = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(found).items()
    }
    return {**content, "texts": [texts[number - 1] for number in found.values]}


def unrecognised_in(facts: Facts, context: MappingContext) -> list[str]:
    """Return the method texts of an instance that no entry knows.

    Args:
        facts: The instance's.
        context: Holds the vocabulary.
    """
    texts = facts.markers.method_texts
    return [texts[number - 1] for number in recognised_in(facts, context).unrecognised]


def _once(found: list[Any]) -> list[Any]:
    return [one for number, one in enumerate(found) if one not in found[:number]]
