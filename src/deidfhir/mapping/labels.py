"""Security labels: none unless the site sets one, and never one that the data do not bear (D8)."""

from __future__ import annotations

from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.leaving import inferred_codes
from deidfhir.model.options import RETAIN_UIDS
from deidfhir.model.record import Facts, Item
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict
from deidfhir.recognition.terms import mentions
from deidfhir.tables import table

_LIMITED_DATA_SET = "limited-data-set"  # mappings/regulatory-terms.toml


def security_label(study: Study, context: MappingContext) -> tuple[JsonObject | None, bool]:
    """Return the label of a study, and whether a label that is set was refused.

    Args:
        study: The study as read, since what stays counts, too; only one whose verdict is
            `removed` gets a label (D3).
        context: The mapping's.
    """
    label = context.settings.label
    if label == "none" or study.verdict is not Verdict.REMOVED:
        return None, False
    if label == "ANONYED" and any(_may_be_relinked(one, context) for one in study.facts):
        return None, True
    return {"system": table("urls.toml")["hl7"]["observation_value"], "code": label}, False


def _may_be_relinked(facts: Facts, context: MappingContext) -> bool:
    codes = facts.markers.method_code or ()
    texts = [*facts.markers.method_texts, *(one.first("CodeMeaning") for one in codes)]
    texts += [one.first("ContributionDescription") for one in facts.markers.equipment]
    return (
        facts.encrypted
        or facts.tail_broken  # encrypted attributes may stand there
        or any(names_retained_uids(one) for one in codes)
        or RETAIN_UIDS in inferred_codes(facts, context)
        or any(mentions(_LIMITED_DATA_SET, text) for text in texts)
    )


def names_retained_uids(item: Item) -> bool:
    """Whether a method code may mean 113110, in whatever form and scheme: to err is to refuse.

    Args:
        item: An item of the code sequence, as read.
    """
    values = (item.first(one) for one in ("CodeValue", "LongCodeValue", "URNCodeValue"))
    return any(RETAIN_UIDS in one for one in values)
