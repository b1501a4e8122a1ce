"""
All that is counted: the only file with names and labels.

No label tells of a customer, an account, a caller, a document or a path as it was sent: each has a
few values that are known beforehand.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from app.metrics.processes import shared
from app.metrics.resources import Resources
from app.metrics.tally import Measure, Tally

_PREFIX = "credit_gateway"
# When each series began would double them, and several processes cannot tell it.
disable_created_metrics()  # type: ignore[no-untyped-call]

# From an answer that is known, in 3 ms, to the whole time of a request.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# A Redis nearby answers within a millisecond, and is waited for no longer than 0.12 s.
_SECONDS_OF_REDIS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
# A page of one list is some 60, a customer's whole page some 700, and 2000 the limit by default.
_COSTS = (10, 30, 100, 300, 1000, 2000, 3000, 10_000)

TRANSPORTS = SSE, WEBSOCKET, EXPORT = "sse", "websocket", "export"
Mode = Literal["livesum", "livemin", "livemax"]


class Metrics:
    """What one application counts, from its start to its end; several do not know of each other."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._told = self._registry
        all_processes = shared()
        self.are_shared = all_processes is not None
        if all_processes:
            self._told = CollectorRegistry()
            self._told.register(all_processes)
        self._tallies: list[Tally | Measure] = []
        self._readings: list[Callable[[], None]] = []
        self._resources = Resources(self._registry)
        self._of_requests()
        self._of_graphql()
        self._of_upstreams()
        self._of_mirrors()
        self._of_redis()
        self._of_streams()
        self._of_telling()
        self._of_processes()

    def read_from(self, reading: Callable[[], None]) -> None:
        """Have gauges set by this, from their owners, each time that they are asked for."""
        self._readings.append(reading)

    def expect(self, provider: str) -> None:
        """Tell of a provider that there was nothing so far."""
        for tally in (self.retries, self.pauses, self.rate_waits, self.rate_wait_seconds):
            tally.add(provider, amount=0)

    def write(self) -> None:
        """Bring everything up to now; where several processes count, each does so every second."""
        for reading in self._readings:
            reading()
        for tally in self._tallies:
            tally.write()
        self._resources.write()

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return everything in the format that is accepted, and that format's media type."""
        self.write()
        encode, media_type = choose_encoder(accept)
        return encode(self._told), media_type

    def _of_requests(self) -> None:
        self.requests = self._tally(
            "http_requests", "Requests that have ended.", ("path", "method", "status")
        )
        self.request_seconds = self._measure(
            "http_request_duration_seconds",
            "Time until a request was answered wholly; streams of events are left out.",
            ("path",),
        )
        self.in_flight = self._gauge("http_requests_in_flight", "Requests under way.")
        self.most_in_flight = self._gauge(
            "http_requests_in_flight_limit", "The most requests under way; more are refused."
        )

    def _of_graphql(self) -> None:
        self.operations = self._tally(
            "graphql_operations", "Operations of GraphQL by how they ended.", ("type", "outcome")
        )
        self.errors = self._tally("graphql_errors", "Errors in answers, by their code.", ("code",))
        self.cost = self._measure(
            "graphql_operation_cost", "The cost of operations within the limit.", buckets=_COSTS
        )
        self.sources = self._tally(
            "sources", "Accounts' parts in answers, by their state.", ("provider", "state")
        )

    def _of_upstreams(self) -> None:
        by_provider = ("provider",)
        self.calls = self._tally(
            "upstream_calls",
            "Calls of a provider with all their tries, by how they ended.",
            ("provider", "outcome"),
        )
        self.exchange_seconds = self._measure(
            "upstream_exchange_duration_seconds",
            "Time of one try over HTTP, by how it ended.",
            ("provider", "outcome"),
        )
        self.retries = self._tally("upstream_retries", "Further tries of calls.", by_provider)
        self.pauses = self._tally(
            "upstream_pauses", "Times that a provider asked for fewer requests.", by_provider
        )
        self.rate_waits = self._tally(
            "upstream_rate_waits", "Waits for the own rate of a provider.", by_provider
        )
        self.rate_wait_seconds = self._tally(
            "upstream_rate_wait_seconds", "Time waited for the own rate.", by_provider
        )
        self.places_used = self._gauge(
            "upstream_places_used", "Exchanges under way with a provider.", by_provider
        )
        self.places_waited_for = self._gauge(
            "upstream_places_waited_for", "Calls that wait for a place.", by_provider
        )
        self.provider_state = self._gauge(
            "provider_state",
            "Processes in which a provider is in a state; DOWN: its circuit is open.",
            ("provider", "state"),
        )
        self.provider_since = self._gauge(
            "provider_state_since_timestamp_seconds",
            "When the state last changed in any process, since the epoch; 0 before the first call.",
            by_provider,
            "livemax",
        )

    def _of_mirrors(self) -> None:
        self.mirror_reads = self._tally(
            "mirror_reads",
            "Times that a provider was read for a mirror, by how that ended.",
            ("provider", "work", "outcome"),
        )
        self.lookups = self._tally(
            "cache_lookups",
            "Looks into what is kept, and whether it was there.",
            ("cache", "outcome"),
        )
        self.flights = self._tally(
            "flights",
            "Fetches that were started, or joined as they were under way.",
            ("outcome",),
            ("started", "joined"),
        )

    def _of_redis(self) -> None:
        self.redis_up = self._gauge(
            "redis_up", "1 where Redis answers every process, else 0.", mode="livemin"
        )
        self.redis_failures = self._tally(
            "redis_failures",
            "Operations that Redis did not do, by why not.",
            ("reason",),
            ("away", "busy", "refusal", "silence"),
        )
        self.redis_seconds = self._measure(
            "redis_operation_duration_seconds",
            "Time of operations that Redis did.",
            buckets=_SECONDS_OF_REDIS,
        )

    def _of_streams(self) -> None:
        self.streams_open = self._gauge(
            "streams_open", "Connections of listeners that are open.", ("transport",)
        )
        for transport in TRANSPORTS:
            self.streams_open.labels(transport)
        self.subscriptions_open = self._gauge(
            "subscriptions_open", "Subscriptions that are told what is new.", ("stream",)
        )
        self.stream_events = self._tally(
            "stream_events", "Answers written to streams.", ("transport",), (SSE, WEBSOCKET)
        )
        self.streams_dropped = self._tally(
            "streams_dropped",
            "Listeners dropped as they were slow, by what showed it.",
            ("reason",),
            ("not_reading", "queue_full"),
        )

    def _of_telling(self) -> None:
        self.lines_dropped = self._tally(
            "log_lines_dropped", "Lines of the log that nobody took in time."
        )
        self.lines_dropped.add(amount=0)
        self.spans = self._tally(
            "trace_spans",
            "Spans of traces, by what became of them.",
            ("outcome",),
            ("taken", "lost"),
        )

    def _of_processes(self) -> None:
        self.phases = self._gauge("processes", "Processes that serve, by phase.", ("phase",))
        build = self._gauge("build_info", "1, for this version.", ("version",), "livemax")
        build.labels(version("credit-gateway")).set(1)

    def _tally(
        self, name: str, told: str, labels: Sequence[str] = (), values: Sequence[str] = ()
    ) -> Tally:
        counter = Counter(name, told, labels, namespace=_PREFIX, registry=self._registry)
        tally = Tally(counter)
        for value in values:  # known beforehand, so that the first one is seen as an increase
            tally.add(value, amount=0)
        self._tallies.append(tally)
        return tally

    def _gauge(
        self, name: str, told: str, labels: Sequence[str] = (), mode: Mode = "livesum"
    ) -> Gauge:
        return Gauge(
            name,
            told,
            labels,
            namespace=_PREFIX,
            registry=self._registry,
            multiprocess_mode=mode,
        )

    def _measure(
        self,
        name: str,
        told: str,
        labels: Sequence[str] = (),
        buckets: Sequence[float] = _SECONDS,
    ) -> Measure:
        histogram = Histogram(
            name, told, labels, namespace=_PREFIX, registry=self._registry, buckets=buckets
        )
        measure = Measure(histogram, buckets)
        self._tallies.append(measure)
        return measure
