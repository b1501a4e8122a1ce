"""
The gateway's own resolvers as Strawberry and FastAPI serve them by themselves.

The same schema over the same services: Strawberry's router, the stock executor, and Strawberry's
caches of parsed and of validated documents. Arguments: port, configuration.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import strawberry
import uvicorn
from fastapi import FastAPI, Request
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.fastapi import BaseContext, GraphQLRouter
from strawberry.schema.config import StrawberryConfig

from app import settings
from app.api.context import Context, Services
from app.api.deadline import Deadline
from app.api.scalars import SCALARS
from app.api.schema import Query
from app.api.types.accounts import Account
from app.api.types.entries import CreditChange, Payment
from app.auth.anonymous import ANONYMOUS
from app.services import services


class PlainContext(BaseContext, Context):
    """The context of the gateway's resolvers, which Strawberry's router adds its request to."""

    def __init__(self, opened: Services, deadline: Deadline) -> None:
        BaseContext.__init__(self)
        Context.__init__(self, opened, ANONYMOUS, deadline)


def create_app(configured: settings.Settings) -> FastAPI:
    """Return the application; its lifespan opens and closes the services."""
    schema = strawberry.Schema(
        query=Query,
        types=[Account, CreditChange, Payment],
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[ParserCache, ValidationCache],
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with services(configured) as opened:
            app.state.opened = opened
            yield

    async def context(request: Request) -> PlainContext:
        deadline = Deadline(configured.server.request_timeout, None)
        return PlainContext(request.app.state.opened, deadline)

    app = FastAPI(lifespan=lifespan)
    router: GraphQLRouter[Any, Any] = GraphQLRouter(schema, "/graphql", context_getter=context)
    app.include_router(router)
    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(settings.load(Path(sys.argv[2]), {})),
        port=int(sys.argv[1]),
        access_log=False,
        log_level="warning",
    )
