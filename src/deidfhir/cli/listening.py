"""The options of `serve`: where it listens, who may ask, what a request may cost."""

from __future__ import annotations

import argparse
from pathlib import Path

from deidfhir.cli import values

_SECONDS = 30.0
_MEGABYTES = 64.0
_REQUESTS = 16


def add_listening(one: argparse.ArgumentParser) -> None:
    """Add them."""
    one.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (127.0.0.1); another needs tokens"
    )
    one.add_argument(
        "--port", type=values.port, default=8080, help="port; 0 is any free one (8080)"
    )
    one.add_argument(
        "--token-file", type=Path, metavar="FILE", help="who may ask: bearer tokens, one a line"
    )
    one.add_argument("--tls-certificate", type=Path, metavar="FILE", help="its own, PEM")
    one.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's key, PEM")
    one.add_argument(
        "--behind-proxy",
        action="store_true",
        help="a proxy speaks TLS for it, and nobody else reaches its address",
    )
    one.add_argument(
        "--max-body",
        type=values.megabytes,
        default=_MEGABYTES,
        metavar="MEGABYTES",
        help=f"of a request ({_MEGABYTES:.0f})",
    )
    one.add_argument(
        "--max-requests",
        type=values.requests,
        default=_REQUESTS,
        metavar="NUMBER",
        help=f"under way at a time ({_REQUESTS})",
    )
    one.add_argument(
        "--request-timeout",
        type=values.seconds,
        default=_SECONDS,
        metavar="SECONDS",
        help=f"for a request to come, and for its answer to be made ({_SECONDS:.0f} each)",
    )
