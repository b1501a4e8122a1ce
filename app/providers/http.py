"""
The one door to upstreams: an exchange over HTTP with rings around it.

From the outside, each named after what it adds:

1. `pauses`: whom the provider asked to slow down is refused at once, until the time that it said.
2. `breaker`: so is everybody while the provider does not work; nobody waits for it in vain.
3. `rate`: who comes too soon waits here, before there is a deadline to miss or a place to hold.
4. `deadline`: all that follows takes `timeout` at most.
5. `retries`: a read is tried again, each time counted in the rate and without holding a place.
6. `bulkhead`: no more exchanges at once than `max_concurrency`.
7. `exchange`: HTTP, with caps on what is read.

Who waited in 3, 5 or 6 asks 1 and 2 once more before it is sent.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from app.metrics.metrics import Metrics
from app.model.clock import Clock
from app.model.errors import UpstreamError, UpstreamUnauthorized
from app.observing.spans import propagated
from app.providers.call import Answer, Call, NotAsked, Ring
from app.providers.exchange import Exchange
from app.providers.health import Health
from app.providers.rings.breaker import Breaker
from app.providers.rings.bulkhead import Bulkhead
from app.providers.rings.counting import Calls, Exchanges
from app.providers.rings.deadline import Deadline
from app.providers.rings.pauses import Pauses
from app.providers.rings.rate import Rate
from app.providers.rings.retries import Retries
from app.redis.rates import Rates
from app.settings.providers import ProviderSettings

T = TypeVar("T")

_log = structlog.get_logger("providers")


class Upstream:
    """Asks one provider, within its limits; every failure becomes an `UpstreamError`.

    Its calls are counted in `rates`, where there are any, and told in `metrics`. With `pauses_all`
    a request for fewer calls is meant for all credentials, and not for the one that was used.
    """

    def __init__(
        self,
        settings: ProviderSettings,
        clock: Clock,
        rates: Rates | None = None,
        metrics: Metrics | None = None,
        *,
        pauses_all: bool = False,
    ) -> None:
        name, timeout = settings.name, settings.timeout
        self.name = name
        self._metrics = metrics = metrics or Metrics()
        self.health = Health(clock, name)
        self._exchange = Exchange(settings, clock)
        self._pauses = Pauses(name, clock, self.health, metrics, of_all=pauses_all)
        self._breaker = Breaker(name, clock, timeout, self.health)
        self._rate = Rate(
            name, settings.rate, rates, timeout, clock, self._breaker.is_closed_to, metrics
        )
        self._rings: tuple[Ring, ...] = (
            Calls(name, metrics),
            self._pauses,
            self._breaker,
            self._rate,
            Deadline(name, timeout),
            Retries(self._may_again),
            # Who gets a place has at least half of the time for the exchange itself, so that
            # running out of it tells something of the provider.
            Bulkhead(name, settings.max_concurrency, timeout / 2, metrics),
            Exchanges(name, metrics),
        )

    async def ask(self, call: Call, read: Callable[[Answer], T]) -> T:
        """Send the call and return what `read` makes of its answer.

        `read` takes part in what the rings do by what it raises: `UpstreamUnavailable` is tried
        again, for example. Raises `UpstreamError`.
        """

        async def send() -> T:
            self._pauses.refuse(call)
            self._breaker.refuse(call)
            return read(await self._exchange.send(_of_trace(call)))

        within: Callable[[], Awaitable[T]] = send
        for ring in reversed(self._rings):
            within = _around(ring, call, within)
        try:
            return await within()
        except (NotAsked, UpstreamUnauthorized):
            raise
        except UpstreamError as error:
            _log.warning("upstream failed", provider=self.name, path=call.path, why=error.code)
            raise

    async def aclose(self) -> None:
        await self._exchange.aclose()

    async def _may_again(self, call: Call) -> bool:
        may_again = self._breaker.is_closed_to(call) and await self._rate.allows(call)
        self._metrics.retries.add(self.name, amount=may_again)
        return may_again


def _of_trace(call: Call) -> Call:
    """Return the call as a part of the trace that it belongs to, where there is one."""
    fields = propagated()
    return call._replace(headers={**call.headers, **fields}) if fields else call


def _around(ring: Ring, call: Call, send: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    return lambda: ring.around(call, send)
