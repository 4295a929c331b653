"""Whether what an earlier run let leave would leave today: neither less nor more (D4 to D7)."""

from __future__ import annotations

from collections.abc import Iterable

from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.leaving import PATIENT_ID, claims_of, dates_clash, leaving_markers
from deidfhir.model.attributes import attributes
from deidfhir.model.record import Instance, Item, Markers, Masked
from deidfhir.model.study import distinct
from deidfhir.policy.ruling import Claims, rulings


def fact_leaves(fact: str, claims: Claims, context: MappingContext) -> bool:
    """Whether the policy in force lets a fact of an instance leave.

    Args:
        fact: A field of Facts.
        claims: What the instance claims.
        context: The mapping's.
    """
    if fact == PATIENT_ID and context.settings.subject == "withheld":
        return False
    ruled = rulings("object", claims, context.in_force)
    rows = [one for one in attributes("object").values() if one.fact == fact]
    return any(ruled[one.keyword].leaves for one in rows)


def still_leaves(instances: Iterable[Instance], context: MappingContext) -> bool:
    """Whether the policy in force withholds of some instances just what is withheld of them.

    Args:
        instances: Those of a study, as an earlier run let them leave.
        context: The mapping's.
    """
    members = [(one, claims_of(one, context)) for one in distinct(instances)]
    clash = dates_clash([claims for _, claims in members], [one for one, _ in members])
    return all(
        _same_markers(one.markers, claims, context)
        and (not one.title or fact_leaves("title", claims, context))
        and all(
            fact in (PATIENT_ID, "patient_sex")
            or (clash and fact.endswith("_date"))
            or any(
                not fact_leaves(fact, others, context)
                for other, others in members
                if fact in other.withheld
            )
            for fact in one.withheld
        )
        for one, claims in members
    )


def _same_markers(markers: Markers, claims: Claims, context: MappingContext) -> bool:
    policy = context.in_force
    leaving = leaving_markers(markers, claims, policy)
    kept, after = markers.method or (), leaving.method or ()
    texts = all(
        policy.withholds_texts if isinstance(one, Masked) else one == other
        for one, other in zip(kept, after, strict=True)
    )
    ruled = rulings("equipment item", claims, policy)
    masked = {name for item in markers.equipment for name in _masked(item)}
    return (
        texts
        and leaving.equipment == markers.equipment
        and not any(ruled[name].leaves for name in masked)
    )


def _masked(item: Item) -> list[str]:
    return [name for name, content in item.elements if isinstance(content, Masked)]
