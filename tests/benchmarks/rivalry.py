"""The cases: what is asked of whom, over which upstreams, and with which caches."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import contest
import httpx
from contest import Entrant, Result, WrongAnswer, asked
from entrants import (
    CACHED,
    HIT,
    IN_REDIS,
    UNCACHED,
    Arena,
    how_to_ask,
)
from pinned import DidNotStart, Pinned
from questions import (
    NEXT_PAGE,
    OWNER,
    PAGE,
    PAGES,
    THREE_LISTS,
    body,
    list_rows,
    own_rows,
    page_rows,
    ten_pages,
    ten_pages_rows,
)
from recorded_upstream import COUNTED, FEWER_ROWS, Recording, record
from redis_server import BINARY as REDIS
from redis_server import redis_server
from world import import_customers

from app import settings
from app.sandbox import Sandbox, SandboxServer

GATEWAY = "Credit Gateway"
IN_REDIS_ONLY = "Credit Gateway, from Redis"
TWO_WORKERS = "Credit Gateway, two processes"
BARE = "bare uvicorn"
PLAIN = "Strawberry + FastAPI"
HIVE = "Hive Gateway"
YOGA = "GraphQL Yoga + graphql-jit"

# As many as a core of any server here has enough of.
_CONNECTIONS = 32
# With each waiting 50 ms, none waits for a processor.
_FEW_CONNECTIONS = 4
_LATENCY_MS = 50
# Three accounts hold more than ten pages of a hundred rows.
_ENTRIES = 400
# None is asked again while its last answer is under way.
_CUSTOMERS = 200
_STARTS = 3
_FRESH = 'fresh_for = "1d"'
_NEVER_FRESH = 'fresh_for = "0s"\nstale_for = "0s"'


CASES = ("cached", "mirrored", "ten pages", "processes", "start", "cold", "latency")


class Pace(NamedTuple):
    """How long one load lasts, how often each server has its turn, and the load's core."""

    seconds: int
    rounds: int
    core: int


class Cases:
    """Measures case by case; `measured` has the results by case and server.

    `started` has the seconds from each start of the gateway until it was ready, `broken` why a case
    could not be measured.
    """

    def __init__(
        self, arena: Arena, pace: Pace, tell: Callable[[str], None], *, with_node: bool = True
    ) -> None:
        self.measured: dict[str, dict[str, Result]] = {}
        self.started: list[float] = []
        self.broken: dict[str, str] = {}
        self._arena = arena
        self._pace = pace
        self._tell = tell
        self._with_node = with_node
        self._recording = record(_ENTRIES)

    def measure(self, only: Collection[str] = CASES) -> None:
        """Measure these cases, in the order of `CASES`."""
        over_mirrors = {
            "cached": self._measure_cached,
            "mirrored": self._measure_mirrored,
            "ten pages": self._measure_ten_pages,
            "processes": self._measure_processes,
            "start": self._measure_starts,
        }
        with self._sandbox() as url:
            for case, measure in over_mirrors.items():
                if case in only:
                    self._go_on_after(case, partial(measure, url))
        self._import(_many(self._recording), "cold", "http://127.0.0.1:1")
        for case, milliseconds, connections in (
            ("cold", 0, _CONNECTIONS),
            ("latency", _LATENCY_MS, _FEW_CONNECTIONS),
        ):
            if case in only:
                cold = partial(self._measure_cold, case, milliseconds, connections)
                self._go_on_after(case, cold)

    def _go_on_after(self, case: str, measure: Callable[[], None]) -> None:
        try:
            measure()
        except (WrongAnswer, DidNotStart) as error:
            self.broken[case] = str(error)
            self._tell(f"{case}: {error}")

    @contextmanager
    def _sandbox(self) -> Iterator[str]:
        with SandboxServer(Sandbox(entries=_ENTRIES, customers=1)) as providers:
            self._import(providers.sandbox.sample_customers(), "stored", providers.url)
            yield providers.url

    def _import(self, customers: Sequence[dict[str, object]], name: str, url: str) -> None:
        configured = settings.load(self._arena.configured(name, url, ""), {})
        asyncio.run(import_customers(configured, customers))

    def _hold(self, case: str, entrants: Sequence[Entrant], connections: int) -> None:
        self._tell(f"{case}: {', '.join(one.name for one in entrants)}")
        folder = self._arena.folder / f"loads of {case}"
        folder.mkdir()
        self.measured[case] = contest.hold(
            entrants,
            folder,
            seconds=self._pace.seconds,
            rounds=self._pace.rounds,
            connections=connections,
            core=self._pace.core,
        )

    def _measure_cached(self, url: str) -> None:
        question = body(PAGE, reference=OWNER)
        with ExitStack() as stack:
            plain = stack.enter_context(
                self._arena.gateway("reading", url, f"{_FRESH}\n{UNCACHED}")
            )
            answer = asked(plain, question)
            rows = page_rows(answer.json()["data"])
            bare = stack.enter_context(self._arena.bare("bare", answer.content))
            entrants = [Entrant(BARE, bare, [question], page_rows, rows)]
            cached = self._arena.gateway("cached", url, f"{_FRESH}\n{CACHED}")
            server = stack.enter_context(cached)
            entrants.append(Entrant(GATEWAY, server, [question], page_rows, rows, header=HIT))
            if REDIS is not None:
                redis = stack.enter_context(redis_server())
                cache = f'url = "{redis.url}"\n{_FRESH}\n{IN_REDIS}'
                server = stack.enter_context(self._arena.gateway("in-redis", url, cache))
                entrants.append(
                    Entrant(IN_REDIS_ONLY, server, [question], page_rows, rows, header=HIT)
                )
            if self._with_node:
                entrants += self._cached_peers(stack, question, _nodes_by_account(plain))
            self._hold("cached", entrants, _CONNECTIONS)

    def _cached_peers(
        self, stack: ExitStack, question: str, nodes: list[list[object]]
    ) -> list[Entrant]:
        upstream = stack.enter_context(
            self._arena.upstream("upstream-cached", self._recording, self._pace.core)
        )
        hive = self._arena.hive("hive-cached", self._recording, upstream.origin, cached=True)
        yoga = self._arena.yoga("yoga-cached", {"rowsByAccount": nodes}, cached=True)
        counted = _counter(upstream)
        return [
            self._hive_entrant(stack.enter_context(hive), counted),
            Entrant(YOGA, stack.enter_context(yoga), [question], page_rows),
        ]

    def _measure_mirrored(self, url: str) -> None:
        question = body(PAGE, reference=OWNER)
        with ExitStack() as stack:
            gateway, plain = self._stored(stack, url)
            rows = page_rows(asked(gateway, question).json()["data"])
            entrants = [
                Entrant(GATEWAY, gateway, [question], page_rows, rows),
                Entrant(PLAIN, plain, [question], page_rows, rows),
            ]
            if self._with_node:
                served = {"rowsByAccount": _nodes_by_account(gateway)}
                yoga = stack.enter_context(self._arena.yoga("yoga-memory", served))
                entrants.append(Entrant(YOGA, yoga, [question], page_rows, rows))
            self._hold("mirrored", entrants, _CONNECTIONS)

    def _measure_ten_pages(self, url: str) -> None:
        with ExitStack() as stack:
            gateway, plain = self._stored(stack, url)
            question = ten_pages(_cursors(gateway))
            rows = ten_pages_rows(asked(gateway, question).json()["data"])
            entrants = [
                Entrant(name, server, [question], ten_pages_rows, rows)
                for name, server in ((GATEWAY, gateway), (PLAIN, plain))
            ]
            # An answer takes Strawberry so long that more would wait for their deadline.
            self._hold("ten pages", entrants, _FEW_CONNECTIONS)

    def _stored(self, stack: ExitStack, url: str) -> tuple[Pinned, Pinned]:
        """Serve what is mirrored, by the gateway without its cache of answers and by Strawberry."""
        cache = f"{_FRESH}\n{UNCACHED}"
        config = self._arena.configured("mirrored", url, cache)
        gateway = stack.enter_context(self._arena.gateway("mirrored", url, cache))
        return gateway, stack.enter_context(self._arena.plain("plain", config))

    def _measure_processes(self, url: str) -> None:
        """Let one process have the server's core, and two both cores, one of them with the load.

        Each answer takes the processes some fifty times what it takes the load.
        """
        question = body(PAGE, reference=OWNER)
        cache = f"{_FRESH}\n{UNCACHED}"
        both = {self._arena.core, self._pace.core}
        with (
            self._arena.gateway("one-process", url, cache) as one,
            self._arena.gateway("two-processes", url, cache, cores=both) as two,
        ):
            entrants = [
                Entrant(GATEWAY, one, [question], page_rows),
                Entrant(TWO_WORKERS, two, [question], page_rows),
            ]
            self._hold("processes", entrants, _CONNECTIONS)

    def _measure_starts(self, url: str) -> None:
        for _ in range(_STARTS):
            began = time.perf_counter()
            with self._arena.gateway("starting", url, _FRESH):
                self.started.append(time.perf_counter() - began)

    def _measure_cold(self, case: str, latency_ms: int, connections: int) -> None:
        questions = [body(PAGE, reference=_reference(number)) for number in range(_CUSTOMERS)]
        with ExitStack() as stack:

            def upstream(name: str) -> tuple[str, Callable[[], int]]:
                place = self._arena.upstream(
                    f"{case}-{name}-upstream", self._recording, self._pace.core, latency_ms
                )
                server = stack.enter_context(place)
                return server.origin, _counter(server)

            url, calls = upstream("gateway")
            cache = f"{_NEVER_FRESH}\n{UNCACHED}"
            gateway = stack.enter_context(self._arena.gateway(f"{case}-gateway", url, cache))
            rows = page_rows(asked(gateway, questions[0]).json()["data"])
            entrants = [Entrant(GATEWAY, gateway, questions, page_rows, rows, calls)]
            if self._with_node:
                url, calls = upstream("hive")
                hive = self._arena.hive(f"{case}-hive", self._recording, url)
                entrants.append(self._hive_entrant(stack.enter_context(hive), calls))
                url, calls = upstream("yoga")
                yoga = self._arena.yoga(f"{case}-yoga", how_to_ask(self._recording, url))
                server = stack.enter_context(yoga)
                entrants.append(Entrant(YOGA, server, questions, page_rows, rows, calls))
            url, calls = upstream("plain")
            plain = self._arena.plain_cold(f"{case}-plain", self._recording, url)
            server = stack.enter_context(plain)
            entrants.append(Entrant(PLAIN, server, questions, page_rows, rows, calls))
            self._hold(case, entrants, connections)

    def _hive_entrant(self, server: Pinned, calls: Callable[[], int]) -> Entrant:
        fewer = {"cloud": FEWER_ROWS["cloudreve"], "loyalty": FEWER_ROWS["carecloud"]}
        question = body(THREE_LISTS, customer=self._recording.customer_id, **fewer)
        return Entrant(
            HIVE, server, [question], list_rows, own_rows(self._recording.lists()), calls
        )


def _reference(number: int) -> str:
    return f"B-{number:04}"


def _many(recording: Recording) -> list[dict[str, object]]:
    """Return customers who are all answered alike, as lines to import."""
    accounts = {
        "cloud": ("Cloud drive", "cloudreve", "refreshToken"),
        "hosting": ("Hosting", "hostup", "apiKey"),
        "loyalty": ("Loyalty card", "carecloud", "customerId"),
    }
    return [
        {
            "reference": _reference(number),
            "displayName": "Anna",
            "accounts": [
                {
                    "provider": provider,
                    "label": label,
                    "credentials": {kind: {secret: f"{recording.customer_id}{number:04}"}},
                }
                for provider, (label, kind, secret) in accounts.items()
            ],
        }
        for number in range(_CUSTOMERS)
    ]


def _counter(upstream: Pinned) -> Callable[[], int]:
    return lambda: int(httpx.get(f"{upstream.origin}{COUNTED}", trust_env=False).text)


def _cursors(gateway: Pinned) -> list[str | None]:
    """Return the cursors behind which ten pages begin."""
    cursors: list[str | None] = [None]
    while len(cursors) < PAGES:
        page = asked(gateway, body(NEXT_PAGE, reference=OWNER, after=cursors[-1])).json()
        connection = page["data"]["customer"]["creditChanges"]
        cursors.append(connection["pageInfo"]["endCursor"])
    return cursors


def _nodes_by_account(gateway: Pinned) -> list[list[object]]:
    """Return a hundred rows as the gateway tells them, for each account a list."""
    page = asked(gateway, body(NEXT_PAGE, reference=OWNER, after=None)).json()
    by_account: dict[str, list[object]] = {}
    for node in page["data"]["customer"]["creditChanges"]["nodes"]:
        by_account.setdefault(node["account"]["provider"]["name"], []).append(node)
    return list(by_account.values())
