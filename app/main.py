"""Puts the layers together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from hashlib import sha256

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from app.api.answering import Answering
from app.api.context import Context, Services
from app.api.costs.costs import Costs
from app.api.deadline import Deadline
from app.api.documents import Documents
from app.api.entrance import Entrance
from app.api.execution import Executor, graphql_schema
from app.api.guard import DocumentLimits
from app.api.http import GraphQLEndpoint, requested_age
from app.api.persisted import AutomaticLibrary, TrustedLibrary
from app.api.schema import sdl
from app.api.streams.streams import MOST_OF_ONE, Streams
from app.api.streams.websocket import WebSocketEndpoint
from app.auth.callers import Callers, callers
from app.auth.hosts import LoopbackHosts
from app.directory.directory import Directory
from app.directory.linking import Linking
from app.directory.vault import Vault
from app.feeds.feeds import Feeds
from app.history.cursor import CursorSigner
from app.metrics.metrics import Metrics
from app.mirror.documents import Freshness
from app.mirror.forgetting import Forgetting
from app.mirror.mirror import Mirror
from app.mirror.reported import Reported
from app.mirror.store import CHANNEL, DocumentStore
from app.model.clock import Clock, utc_now
from app.model.errors import ConfigurationError
from app.model.viewer import Viewer
from app.providers.proof import prove
from app.providers.registry import make
from app.redis.changes import Changes
from app.redis.connection import connect, ping
from app.redis.guard import Guard, RedisAway
from app.redis.rates import Allowance, Rates
from app.responses.cache import ResponseCache
from app.responses.lookups import Lookups
from app.server import pages, refusal, scraping
from app.server.compression import Compression
from app.server.counting import Counting
from app.server.finds import Finds
from app.server.hits import Desk, Hits
from app.server.leavers import Leavers
from app.server.limits import Limits
from app.server.readiness import Farewell, Readiness, alive
from app.server.turns import Turns
from app.server.validators import Validators
from app.settings import Settings


@asynccontextmanager
async def services(
    settings: Settings,
    clock: Clock = utc_now,
    metrics: Metrics | None = None,
    *,
    serving: bool = True,
) -> AsyncIterator[Services]:
    """Open what lives as long as the process, and close it in the end.

    Raises `ConfigurationError` where accounts are linked to a provider that is not configured,
    unless it is not for `serving` them.
    """
    vault = Vault(settings.vault_keys())
    cache = settings.cache
    metrics = metrics or Metrics()
    async with AsyncExitStack() as stack:
        directory = await Directory.open(settings.directory.url.get_secret_value(), vault)
        stack.push_async_callback(directory.close)
        if serving:
            await _refuse_unknown_providers(directory, settings)
        redis = connect(cache.url.get_secret_value())
        stack.push_async_callback(redis.aclose)
        guard, changes = Guard(redis, metrics), Changes(redis, CHANNEL)
        stack.push_async_callback(guard.aclose)
        changes.start()
        stack.push_async_callback(changes.aclose)
        # Whose calls are counted is hidden otherwise than who calls the gateway.
        rates = Rates(guard, secret=vault.derive("credentials")[0])
        providers = {
            name: make(one, directory, clock, rates, metrics)
            for name, one in settings.providers.items()
        }
        for provider in providers.values():
            stack.push_async_callback(provider.aclose)
        fresh_for = {name: settings.fresh_for(name) for name in providers}
        freshness = {
            name: Freshness(limit, cache.stale_for, cache.rebuild_after)
            for name, limit in fresh_for.items()
        }
        longest = max([cache.fresh_for, *fresh_for.values()]) + cache.stale_for
        store = DocumentStore(guard, kept_for=max(longest, cache.rebuild_after))
        mirror = Mirror(store, changes, providers, freshness, directory.mark, clock, metrics)
        stack.push_async_callback(mirror.aclose)
        reported = Reported(store, changes, providers, freshness, directory.mark, clock, metrics)
        stack.push_async_callback(reported.aclose)
        feeds = Feeds(mirror, directory, providers, clock)
        stack.push_async_callback(feeds.aclose)

        async def proved(provider: str, credentials: Mapping[str, str]) -> Mapping[str, str]:
            return await prove(settings.providers[provider], credentials, clock, rates, metrics)

        lookups = Lookups(directory, changes, guard)
        responses = _responses(settings, guard, store, changes, lookups, clock)
        if responses:
            stack.push_async_callback(responses.aclose)
        linking = Linking(directory, proved, Forgetting(mirror, reported))
        stack.push_async_callback(linking.aclose)
        signer = CursorSigner(vault.derive("cursors"))
        limit = settings.limits.page_size
        yield Services(
            directory,
            linking,
            mirror,
            reported,
            feeds,
            providers,
            fresh_for,
            signer,
            clock,
            limit,
            guard,
            metrics,
            Rates(guard, secret=vault.derive("callers")[0]),
            lookups,
            responses,
        )


def create_app(settings: Settings, clock: Clock = utc_now) -> ASGIApp:
    """Return the gateway as an ASGI application; its lifespan opens and closes everything."""
    request_timeout = settings.server.request_timeout
    readiness, metrics = Readiness(), Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, object]]:
        async with (
            services(settings, clock, metrics) as opened,
            callers(settings.auth, opened.directory, clock) as known,
            scraping.written(metrics),
        ):
            scraping.watch_services(metrics, opened)
            app.state.entrance = _entrance(settings, opened, known)
            app.state.desk = _desk(settings, opened, known)
            # It was opened by reading the directory; Redis answers, or is known to be away.
            with suppress(RedisAway):
                await opened.guard.ask(ping)
            readiness.warmed()
            yield {"readiness": readiness}
            left = readiness.rest(request_timeout)
            await asyncio.gather(opened.mirror.settle(left), opened.reported.settle(left))

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: refusal.answer},
    )
    app.state.desk = None
    endpoint = GraphQLEndpoint(
        lambda connection: connection.app.state.entrance,
        precise_statuses=settings.graphql.precise_statuses,
        page=pages.Page().answer if settings.graphql.graphiql else None,
    )
    app.router.routes.append(Route("/graphql", endpoint))
    sockets = WebSocketEndpoint(
        lambda connection: connection.app.state.entrance, settings.server.cors_origins
    )
    app.router.routes.append(WebSocketRoute("/graphql", sockets.serve))
    if settings.graphql.graphiql and pages.BUILT.is_dir():
        app.mount(pages.ASSETS, pages.Assets())
    app.add_route("/livez", alive)
    app.add_route("/readyz", readiness.ready)
    app.add_route("/metrics", scraping.Scraping(metrics).answer)

    def desk() -> Desk | None:
        return None if readiness.is_draining else app.state.desk  # nothing there says farewell

    found = Finds(Leavers(Turns(app)), desk, metrics)
    guarded = LoopbackHosts(found) if settings.auth.mode == "none" else found
    limited = Limits(
        Compression(Validators(guarded)),
        max_in_flight=settings.server.max_in_flight,
        request_timeout=request_timeout,
    )
    scraping.watch_process(metrics, readiness, limited)
    heard = _with_origins(limited, settings.server.cors_origins)
    counted = Counting(Farewell(heard, readiness), metrics)
    return Hits(
        counted,
        desk,
        metrics,
        most_bytes=settings.cache.response_memory,
        patience=request_timeout.total_seconds(),
    )


def _with_origins(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Let pages of these origins read every answer, refusals included."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Cache-Control", "Content-Type", "If-None-Match"],
        expose_headers=["ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Cache"],
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
        return opened.rates.take(viewer.subject, settings.limits.rate)

    at_once = settings.server.max_in_flight
    share = at_once if settings.auth.mode == "none" else MOST_OF_ONE  # there, all callers are one
    streams = Streams(
        known.known, opened.clock, metrics=opened.metrics, most_of_one=share, at_once=at_once
    )
    executes = executor(settings, opened)
    answering = Answering(executes, opened.responses, opened.metrics)
    return Entrance(who, take, make_context, executes, streams, answering)


def _desk(settings: Settings, opened: Services, known: Callers) -> Desk | None:
    def take(viewer: Viewer) -> Allowance | None:
        return opened.rates.take_at_once(viewer.subject, settings.limits.rate)

    return Desk(opened.responses, known.remembered, take) if opened.responses else None


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
    costs = Costs(graphql_schema, capabilities, page_limit=limits.page_size)
    return Executor(library, costs, limits.cost)


def _responses(
    settings: Settings,
    guard: Guard,
    store: DocumentStore,
    changes: Changes,
    lookups: Lookups,
    clock: Clock,
) -> ResponseCache | None:
    if not settings.cache.responses:
        return None
    # Whoever answers the same otherwise must not give what this one answered.
    kinds = {name: one.kind for name, one in sorted(settings.providers.items())}
    alike = f"{sdl()} {kinds} {settings.limits.model_dump_json()}"
    release = sha256(alike.encode()).hexdigest()
    return ResponseCache(
        guard,
        store,
        changes,
        lookups,
        clock,
        release=release,
        most_bytes=settings.cache.response_memory,
        # What is embedded is this process's own memory, too.
        shared=not guard.is_embedded,
    )


async def _refuse_unknown_providers(directory: Directory, settings: Settings) -> None:
    for name in await directory.providers_in_use():
        if name not in settings.providers:
            raise ConfigurationError(
                f"providers.{name}: accounts are linked to it; configure it again"
            )
