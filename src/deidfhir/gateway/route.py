"""A route: a path, a method, what handles it, and how it is described."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from deidfhir.gateway.gateway import Gateway

Handler = Callable[[Request, Gateway], Awaitable[Response]]
"""Answers a request, or raises `Refused`."""


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table of routes.

    Args:
        path: As Starlette takes it, such as `/sync/{unit}`; it is also the label of metrics.
        method: GET or POST.
        handle: Answers it.
        operation: The Operation Object of OpenAPI, but for what `gateway.openapi` adds to all.
        answers: Media types of its answer, the best first; they are held against Accept.
        bodies: Media types of bodies that it takes; empty where it has none.
        is_open: Whether it needs no token.
        is_work: Whether it counts as a request under way, and is refused while draining.
        refusals: HTTP statuses beside those that all routes have.
    """

    path: str
    method: str
    handle: Handler
    operation: Mapping[str, Any] = field(repr=False)
    answers: tuple[str, ...]
    bodies: tuple[str, ...] = ()
    is_open: bool = False
    is_work: bool = False
    refusals: tuple[int, ...] = ()
