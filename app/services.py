"""Puts the layers below together: opens what lives as long as the process, and closes it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from importlib.metadata import version

from app.api.context import Services
from app.api.schema import sdl
from app.directory.directory import Directory
from app.directory.linking import Linking
from app.directory.vault import Vault
from app.feeds.feeds import Feeds
from app.history.cursor import CursorSigner
from app.history.windows import Windows
from app.metrics.metrics import Metrics
from app.mirror.documents import Freshness
from app.mirror.embedded import document_store
from app.mirror.forgetting import Forgetting
from app.mirror.mirror import Mirror
from app.mirror.reported import Reported
from app.mirror.store import CHANNEL
from app.model.clock import Clock, utc_now
from app.model.errors import ConfigurationError
from app.providers.page import Provider
from app.providers.proof import prove
from app.providers.registry import make
from app.redis.changes import Changes
from app.redis.connection import connect
from app.redis.guard import Guard
from app.redis.rates import Rates
from app.responses.budget import Budget
from app.responses.cache import ResponseCache
from app.responses.lookups import Lookups
from app.settings import Settings


@asynccontextmanager
async def services(
    settings: Settings,
    clock: Clock = utc_now,
    metrics: Metrics | None = None,
    budget: Budget | None = None,
    *,
    serving: bool = True,
) -> AsyncIterator[Services]:
    """Open what lives as long as the process, and close it in the end.

    What is kept of answers takes its bytes from `budget`, whoever else does.
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
        store = document_store(guard, kept_for=max(longest, cache.rebuild_after))
        mirror = Mirror(store, changes, providers, freshness, directory.mark, clock, metrics)
        stack.push_async_callback(mirror.aclose)
        reported = Reported(store, changes, providers, freshness, directory.mark, clock, metrics)
        stack.push_async_callback(reported.aclose)
        feeds = Feeds(mirror, directory, providers, clock)
        stack.push_async_callback(feeds.aclose)

        async def proved(provider: str, credentials: Mapping[str, str]) -> Mapping[str, str]:
            upstream = providers[provider].upstream
            return await prove(settings.providers[provider], credentials, clock, upstream)

        lookups = Lookups(directory, changes, guard)
        responses = None
        if cache.responses:
            responses = ResponseCache(
                guard,
                store,
                changes,
                lookups,
                clock,
                release=_release(settings, providers, vault),
                budget=budget or Budget(cache.response_memory),
                # What is embedded is this process's own memory, too.
                shared=not guard.is_embedded,
            )
            stack.push_async_callback(responses.aclose)
        linking = Linking(directory, proved, Forgetting(mirror, reported))
        stack.push_async_callback(linking.aclose)
        signer = CursorSigner(vault.derive("cursors"))
        limit = settings.limits.page_size
        yield Services(
            directory,
            linking,
            mirror,
            Windows(),
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
            changes,
            responses,
        )


def _release(settings: Settings, providers: Mapping[str, Provider], vault: Vault) -> str:
    """Return what is the same in all processes that answer alike, and in no others."""
    read = {
        name: (one.translation, sorted(one.capabilities), settings.fresh_for(name))
        for name, one in sorted(providers.items())
    }
    alike = [
        *(version("credit-gateway"), sdl(), read, settings.limits.model_dump_json()),
        *(sorted(settings.graphql.trusted_documents.items()), vault.derive("responses")[0].hex()),
    ]
    return sha256(repr(alike).encode()).hexdigest()


async def _refuse_unknown_providers(directory: Directory, settings: Settings) -> None:
    for name in await directory.providers_in_use():
        if name not in settings.providers:
            raise ConfigurationError(
                f"providers.{name}: accounts are linked to it; configure it again"
            )
