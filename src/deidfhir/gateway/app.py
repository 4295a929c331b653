"""The ASGI application of a gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import groupby

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route as Path

from deidfhir.gateway.answering import endpoint, no_route
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.routes import routes_of


def app_of(gateway: Gateway) -> Starlette:
    """Return the application of a gateway.

    Args:
        gateway: What its routes share; it begins and ends with the application.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await gateway.start()
        try:
            yield
        finally:
            await gateway.stop()

    rows = sorted(routes_of(gateway), key=lambda one: one.path)
    paths = []
    for path, group in groupby(rows, key=lambda one: one.path):
        methods = {one.method: one for one in group}
        paths.append(Path(path, endpoint(methods, gateway), methods=list(methods)))
    unknown = partial(no_route, gateway=gateway)
    app = Starlette(routes=paths, lifespan=lifespan, exception_handlers={HTTPException: unknown})
    app.router.redirect_slashes = False
    return app
