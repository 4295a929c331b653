"""What may pass, as who calls says it."""

from __future__ import annotations

from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.gate import parse_accept


def accepting(context: MappingContext | None, accept: str | None) -> MappingContext:
    """Return a context that is ready.

    Args:
        context: FHIR version, settings and policy; without one, the defaults.
        accept: Verdicts that may pass, as for `--accept`; without it the policy's.

    Raises:
        UsageError: A verdict is none, or the site's key cannot be used.
    """
    verdicts = None if accept is None else parse_accept(accept)
    settled = (context or MappingContext()).accepting(verdicts)
    settled.prepare()
    return settled
