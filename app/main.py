"""The gateway as an application: its rings, its routes, and what they are given."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Scope

from app.api.answering import Answering
from app.api.context import Context, Services
from app.api.costs.costs import Costs
from app.api.deadline import Deadline
from app.api.documents import Documents
from app.api.entrance import Entrance
from app.api.execution import Executor, graphql_schema
from app.api.exports import Doors, routes
from app.api.guard import DocumentLimits
from app.api.http import GraphQLEndpoint, requested_age
from app.api.persisted import AutomaticLibrary, TrustedLibrary
from app.api.rows import forget_what_is_purged
from app.api.streams.streams import MOST_OF_ONE, Streams
from app.api.streams.websocket import WebSocketEndpoint
from app.auth.callers import Callers, callers
from app.auth.hosts import LoopbackHosts, names_loopback
from app.exports import streaming
from app.metrics.metrics import Metrics
from app.model.clock import Clock, utc_now
from app.model.viewer import Viewer
from app.observing.observation import note_viewer
from app.observing.observer import Observer
from app.observing.requests import RequestLog
from app.observing.tracing import Tracing
from app.redis.connection import ping
from app.redis.guard import RedisAway
from app.redis.rates import Allowance
from app.responses.budget import Budget
from app.server import pages, refusal, scraping
from app.server.collector import collecting
from app.server.compression import Compression
from app.server.counting import Counting
from app.server.finds import Finds, Tells
from app.server.hits import PATH, Desk, Hits
from app.server.leavers import Leavers
from app.server.limits import Limits, Overload
from app.server.observing import Observing
from app.server.readiness import Farewell, Readiness, alive
from app.server.shortcut import Shortcut
from app.server.turns import Turns
from app.server.validators import Validators
from app.services import services
from app.settings import Settings


def create_app(settings: Settings, clock: Clock = utc_now) -> ASGIApp:
    """Return the gateway as an ASGI application; its lifespan opens and closes everything."""
    request_timeout = settings.server.request_timeout
    readiness, metrics = Readiness(), Metrics()
    budget = Budget(settings.cache.response_memory)
    telling = settings.observability
    log = RequestLog(requests=telling.log_requests, hits=telling.log_hits)
    tracing = Tracing(telling.trace_share)
    opened_desk: Desk | None = None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, object]]:
        async with (
            services(settings, clock, metrics, budget) as opened,
            callers(settings.auth, opened.directory, clock) as known,
            scraping.written(metrics),
            collecting(tracing, telling.otlp_endpoint),
        ):
            scraping.watch_services(metrics, opened)
            scraping.watch_telling(metrics, tracing)
            app.state.entrance = _entrance(settings, opened, known)
            app.state.room = _room_for_exports(settings, opened, known)
            nonlocal opened_desk
            opened_desk = _desk(settings, opened, known)
            # It was opened by reading the directory; Redis answers, or is known to be away.
            with suppress(RedisAway):
                await opened.guard.ask(ping)
            readiness.warmed()
            yield {"readiness": readiness, "overload": overload, "hits": hits, "counting": counting}
            left = readiness.rest(request_timeout)
            await asyncio.gather(opened.mirror.settle(left), opened.reported.settle(left))

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: refusal.answer},
        # It would trace and count beside us wherever the environment sets that up.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    endpoint = GraphQLEndpoint(
        lambda: app.state.entrance,
        precise_statuses=settings.graphql.precise_statuses,
        page=pages.Page(pages.GRAPHIQL).answer if settings.graphql.graphiql else None,
    )
    sockets = WebSocketEndpoint(
        lambda connection: connection.app.state.entrance, settings.server.cors_origins
    )
    app.router.routes.append(WebSocketRoute(PATH, sockets.serve))
    app.router.routes += routes(lambda one: Doors(one.app.state.entrance, one.app.state.room))
    if settings.graphql.graphiql:
        app.router.routes.extend(pages.loaded(pages.GRAPHIQL))
    if settings.server.dashboard:
        app.add_route(pages.DASHBOARD.path, pages.Page(pages.DASHBOARD).answer)
        app.router.routes.extend(pages.loaded(pages.DASHBOARD))
    app.add_route("/livez", alive)
    app.add_route("/readyz", readiness.ready)
    app.add_route("/metrics", scraping.Scraping(metrics).answer)

    def desk() -> Desk | None:
        return None if readiness.is_draining else opened_desk  # nothing there says farewell

    answering = Shortcut(app, PATH, endpoint)
    turns, is_for_all = Leavers(Turns(answering)), settings.auth.mode == "none"
    guarded = LoopbackHosts(turns) if is_for_all else turns
    limited = Limits(
        Compression(Validators(guarded)),
        max_in_flight=settings.server.max_in_flight,
        request_timeout=request_timeout,
    )
    scraping.watch_process(metrics, readiness, limited)

    origins, patience = settings.server.cors_origins, request_timeout.total_seconds()
    heard = _with_origins(limited, origins)
    counting = Counting(Farewell(heard, readiness), metrics, log)
    observed = Observing(counting, Observer(log, tracing), timing=telling.server_timing)
    # What is refused by its head alone says no more than that to a page of another origin.
    overload = None if origins else Overload(limited, counting.refused)

    def is_found(scope: Scope) -> bool:
        return not limited.is_full and (not is_for_all or names_loopback(scope))

    found = Finds(
        observed,
        desk,
        is_found,
        Tells(metrics, log, timing=telling.server_timing),
        patience=patience,
        heard=(lambda app: _with_origins(app, origins)) if origins else None,
    )
    hits = Hits(
        found,
        desk,
        metrics,
        log,
        budget=budget,
        patience=patience,
    )
    return hits


def _with_origins(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Let pages of these origins read every answer, refusals included."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=[
            *("Authorization", "Cache-Control", "Content-Type", "If-None-Match"),
            *("X-Request-ID", "traceparent", "tracestate"),
        ],
        expose_headers=[
            *("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Cache"),
            *("Content-Disposition", "X-Read-At", "X-State"),
            *("Server-Timing", "X-Request-ID"),
        ],
    )


def _entrance(settings: Settings, opened: Services, known: Callers) -> Entrance:
    # What is left of it after the resolvers gave up is for writing the answer.
    patience = settings.server.request_timeout * 0.9

    async def who(connection: HTTPConnection) -> Viewer:
        return await known.viewer(connection.headers.getlist("authorization"))

    def make_context(connection: HTTPConnection, viewer: Viewer) -> Context:
        age = requested_age(",".join(connection.headers.getlist("cache-control")))
        return Context(opened, viewer, Deadline(patience, age))

    def take(viewer: Viewer) -> Awaitable[Allowance]:
        note_viewer(viewer.subject)
        return opened.rates.take(viewer.subject, settings.limits.rate)

    at_once = settings.server.max_in_flight
    share = at_once if settings.auth.mode == "none" else MOST_OF_ONE  # there, all callers are one
    streams = Streams(
        known.known, opened.clock, metrics=opened.metrics, most_of_one=share, at_once=at_once
    )
    executes = executor(settings, opened)
    answering = Answering(executes, opened.responses, opened.metrics)
    return Entrance(who, take, make_context, executes, streams, answering)


def _room_for_exports(settings: Settings, opened: Services, known: Callers) -> streaming.Room:
    is_for_all = settings.auth.mode == "none"  # there, all callers are one
    streams = Streams(
        known.known,
        opened.clock,
        streaming.PACE,
        opened.metrics,
        most=streaming.MOST,
        most_of_one=streaming.MOST if is_for_all else streaming.MOST_OF_ONE,
    )
    return streaming.Room(streams, settings.server.request_timeout)


def _desk(settings: Settings, opened: Services, known: Callers) -> Desk | None:
    rates, rate = opened.rates, settings.limits.rate

    def take_at_once(viewer: Viewer) -> Allowance | None:
        note_viewer(viewer.subject)
        return rates.take_at_once(viewer.subject, rate)

    def take(viewer: Viewer) -> Awaitable[Allowance]:
        note_viewer(viewer.subject)
        return rates.take(viewer.subject, rate)

    if opened.responses is None:
        return None
    return Desk(opened.responses, known.remembered, take_at_once, take)


def executor(settings: Settings, opened: Services) -> Executor:
    """Return what executes requests within the limits of a configuration."""
    limits = settings.limits
    documents = Documents(
        graphql_schema,
        DocumentLimits(
            depth=limits.depth,
            aliases=limits.aliases,
            root_fields=limits.root_fields,
            directives=limits.directives,
            fields=limits.fields,
            tokens=limits.tokens,
        ),
        opened.metrics,
    )
    trusted = settings.graphql.trusted_documents
    library = (
        TrustedLibrary(documents, trusted) if trusted else AutomaticLibrary(documents, opened.guard)
    )
    capabilities = [provider.capabilities for provider in opened.providers.values()]
    forget_what_is_purged(opened)
    costs = Costs(graphql_schema, capabilities, page_limit=limits.page_size)
    return Executor(library, costs, limits.cost)
