"""`deidfhir serve`: a service that a FHIR gateway asks."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from deidfhir.cli.progress import Progress, say
from deidfhir.cli.site import context_of
from deidfhir.errors import FatalError, UsageError
from deidfhir.pipeline.eventlog import EventLog
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.web.address import is_loopback
from deidfhir.web.events import Events

if TYPE_CHECKING:
    from deidfhir.gateway.gateway import Gateway

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


def serve(options: argparse.Namespace, _progress: Progress) -> int:
    """Answer requests until it is asked to end."""
    _require_safe(options)
    try:
        from deidfhir.gateway.server import Place  # noqa: PLC0415 - needs the extra
        from deidfhir.gateway.server import serve as answer  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("deidfhir"):
            raise
        raise FatalError("extra-missing", what="serve", extra="gateway") from None
    place = Place(options.host, options.port, options.tls_certificate, options.tls_key)
    place.require_certificate()
    gateway = _gateway(options)
    with place.listen() as listener:
        say([f"deidfhir: serving on {place.url(listener)} (FHIR {options.fhir}); Ctrl-C ends it"])
        answer(gateway, place, listener)
    return 0


def _require_safe(options: argparse.Namespace) -> None:
    """Require what makes an address safe that others can reach.

    Raises:
        UsageError: `gateway-open`, `gateway-plain` or `gateway-key`.
    """
    if options.tls_key and not options.tls_certificate:
        raise UsageError("gateway-key")
    if is_loopback(options.host):
        return
    if options.token_file is None:
        raise UsageError("gateway-open", host=options.host)
    if options.tls_certificate is None and not options.behind_proxy:
        raise UsageError("gateway-plain", host=options.host)


def _gateway(options: argparse.Namespace) -> Gateway:
    from deidfhir.gateway.gateway import Gateway  # noqa: PLC0415 - needs the extra
    from deidfhir.gateway.limits import Limits  # noqa: PLC0415
    from deidfhir.gateway.tokens import Tokens  # noqa: PLC0415

    context = context_of(options)
    tokens = None if options.token_file is None else Tokens(options.token_file)
    if tokens is not None and tokens.is_shared:
        say([f"deidfhir: others may read {options.token_file}: chmod 600 it"])
    events = Events() if options.log is None else Events(EventLog(options.log, time.time))
    target = None
    if options.to is not None:
        target = TargetOptions(options.to, options.journal, options.timeout, events=events)
        target.open(context)  # a mistake is told now
    return Gateway(
        context,
        Limits(
            body=int(options.max_body * (1 << 20)),
            requests=options.max_requests,
            handling=options.request_timeout,
            receiving=options.request_timeout,
        ),
        tokens,
        target,
        frozenset() if tokens else _HERE | {options.host.strip("[]").lower()},
        events,
        lambda line: say([f"deidfhir: {line}"]),
    )
