"""Each kind of metric moves when the thing happens, in a gateway over emulated providers."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import httpx
import pytest
from redis_server import RedisServer, needs_redis
from scraping import Scrape, scrape
from streaming import begun, hear, say, until
from test_streams_events import listening
from world import World, gateway, world

from app import settings

pytestmark = needs_redis

QUERY = """query($first: Int) { customer(reference: "C-1001") {
  creditChanges(first: $first) { nodes { id } sources { state } } balances { state } } }"""
SUBSCRIPTION = 'subscription { creditChangeAdded(reference: "C-1001") { id } }'
P = "credit_gateway_"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[World]:
    more = f'[cache]\nurl = "{redis.url}"\n[server]\nmax_in_flight = 4\n'
    with world(tmp_path_factory.mktemp("counting"), entries=30, more=more) as one:
        yield one


@pytest.fixture
def cold(served: World, redis: RedisServer) -> Iterator[World]:
    """Serve a gateway that has counted and read nothing."""
    redis.client().flushall()
    with ExitStack() as stack:
        for provider in ("cloudreve", "hostup", "carecloud"):
            stack.callback(served.sandbox.clear_fault, provider)
        yield stack.enter_context(gateway(served.settings, served.sandbox, served.folder))


def moved(one: World, act: Callable[[], object]) -> Callable[..., float]:
    """Return by how much each metric moves by an act."""
    before = scrape(one.http)
    act()
    after = scrape(one.http)

    def by(name: str, **labels: str) -> float:
        return after.value(P + name, **labels) - before.value(P + name, **labels)

    return by


def test_requests_are_counted_by_where_they_went_and_how_they_ended(cold: World) -> None:
    def ask() -> None:
        cold.ask(QUERY, {"first": 5})
        cold.ask("{ nope }")
        cold.http.get("/nowhere")
        cold.http.get("/livez")

    by = moved(cold, ask)

    assert by("http_requests_total", path="graphql", method="POST", status="200") == 1
    assert by("http_requests_total", path="graphql", method="POST", status="400") == 1
    assert by("http_requests_total", path="other", method="GET", status="404") == 1
    assert by("http_requests_total", path="livez", status="200") == 1
    assert by("http_request_duration_seconds_count", path="graphql") == 2
    assert by("http_request_duration_seconds_sum", path="graphql") > 0


def test_operations_are_counted_by_type_and_outcome_errors_by_code(cold: World) -> None:
    def ask() -> None:
        cold.ask(QUERY, {"first": 5})
        cold.ask(QUERY, {"first": -1})
        cold.ask("{ nope }")
        cold.ask("{")
        cold.ask('mutation { unlinkAccount(input: { accountId: "x" }) { account { id } } }')

    by = moved(cold, ask)

    assert by("graphql_operations_total", type="query", outcome="ok") == 1
    assert by("graphql_operations_total", type="query", outcome="partial") == 1
    assert by("graphql_operations_total", type="unknown", outcome="refused") >= 2
    assert by("graphql_errors_total", code="BAD_USER_INPUT") == 1
    assert by("graphql_errors_total", code="GRAPHQL_PARSE_FAILED") == 1
    assert by("graphql_errors_total", code="GRAPHQL_VALIDATION_FAILED") >= 1
    assert by("graphql_operation_cost_count") >= 2
    assert by("graphql_operation_cost_sum") > 10


def test_a_cold_query_and_a_warm_one_are_told_apart(cold: World) -> None:
    first = moved(cold, lambda: cold.data(QUERY, {"first": 5}))
    again = moved(cold, lambda: cold.data(QUERY, {"first": 5}))
    other = moved(cold, lambda: cold.data(QUERY, {"first": 6}))

    for provider in ("cloud", "hosting", "loyalty"):
        assert first("upstream_calls_total", provider=provider, outcome="ok") >= 1
        assert first("upstream_exchange_duration_seconds_count", provider=provider) >= 1
        assert first("mirror_reads_total", provider=provider, work="refresh", outcome="ok") == 1
        assert first("sources_total", provider=provider, state="FRESH") == 1
        assert other("upstream_calls_total", provider=provider) == 0
        assert other("sources_total", provider=provider, state="FRESH") == 1
    assert first("cache_lookups_total", cache="redis", outcome="miss") >= 3
    assert first("cache_lookups_total", cache="documents", outcome="miss") == 1
    assert first("flights_total", outcome="started") >= 3
    assert first("redis_operation_duration_seconds_count") >= 3
    assert again("cache_lookups_total", cache="responses", outcome="hit") == 1
    assert again("graphql_operations_total") == 0
    assert other("cache_lookups_total", cache="documents", outcome="hit") == 1
    assert other("cache_lookups_total", cache="memory", outcome="hit") >= 3


def test_a_history_that_is_in_redis_already_is_a_hit_there(cold: World, served: World) -> None:
    cold.data(QUERY, {"first": 5})

    with gateway(served.settings, served.sandbox, served.folder) as other:
        other.data(QUERY, {"first": 7})
        told = scrape(other.http)

    assert told.value(P + "cache_lookups_total", cache="redis", outcome="hit") >= 3
    assert told.value(P + "upstream_calls_total") == 0


def test_what_is_fetched_already_is_joined(cold: World) -> None:
    async def ask_at_once() -> None:
        async with httpx.AsyncClient(base_url=cold.url, timeout=30, trust_env=False) as http:
            bodies = [{"query": QUERY, "variables": {"first": n}} for n in (5, 6, 7)]
            await asyncio.gather(*(http.post("/graphql", json=body) for body in bodies))

    cold.sandbox.set_fault("hostup", {"kind": "latency", "ms": 1000})

    by = moved(cold, lambda: asyncio.run(ask_at_once()))

    assert by("flights_total", outcome="joined") >= 2
    assert by("mirror_reads_total", provider="hosting", work="refresh") == 1


def test_deeper_reading_and_rebuilding_are_told_apart(cold: World) -> None:
    whole = '{ customer(reference: "C-1001") { creditSummary { units { count } } } }'
    deeper = moved(cold, lambda: cold.data(whole))
    cold.clock.ahead += timedelta(days=2)

    def ask_until_rebuilt() -> None:
        cold.data(QUERY, {"first": 5})
        until_rebuilt(cold)

    anew = moved(cold, ask_until_rebuilt)

    assert deeper("mirror_reads_total", work="deepen", outcome="ok") >= 1
    assert anew("mirror_reads_total", work="rebuild", outcome="ok") >= 1


def until_rebuilt(one: World) -> None:
    asyncio.run(until(lambda: scrape(one.http).value(P + "mirror_reads_total", work="rebuild") > 0))


def test_a_dead_provider_is_down_and_its_entries_are_unavailable(cold: World) -> None:
    def ask_until_open() -> None:
        for _ in range(8):
            cold.ask(QUERY, {"first": 5})
            cold.clock.ahead += timedelta(seconds=4)

    before = scrape(cold.http)
    cold.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
    by = moved(cold, ask_until_open)
    told = scrape(cold.http)

    assert before.value(P + "provider_state", provider="hosting", state="UP") == 1
    assert told.value(P + "provider_state", provider="hosting", state="DOWN") == 1
    assert told.value(P + "provider_state", provider="hosting", state="UP") == 0
    assert told.value(P + "provider_state", provider="cloud", state="DOWN") == 0
    assert told.value(P + "provider_state_since_timestamp_seconds", provider="hosting") > 1e9
    assert by("upstream_calls_total", provider="hosting", outcome="unavailable") >= 1
    assert by("upstream_retries_total", provider="hosting") >= 1
    assert by("upstream_exchange_duration_seconds_count", outcome="unavailable") >= 5
    assert by("mirror_reads_total", provider="hosting", outcome="unavailable") >= 1
    assert by("sources_total", provider="hosting", state="UNAVAILABLE") >= 1
    assert by("graphql_errors_total", code="UPSTREAM_UNAVAILABLE") >= 1
    assert by("graphql_operations_total", type="query", outcome="partial") >= 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"kind": "html"}, "invalid"),
        ({"kind": "status", "status": 401}, "unauthorized"),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "600"}}, "rate_limited"),
    ],
)
def test_calls_are_counted_by_how_they_failed(
    cold: World, fault: dict[str, object], outcome: str
) -> None:
    cold.sandbox.set_fault("hostup", fault)

    by = moved(cold, lambda: cold.ask(QUERY, {"first": 5}))

    assert by("upstream_calls_total", provider="hosting", outcome=outcome) >= 1
    assert by("upstream_calls_total", provider="hosting", outcome="ok") == 0
    assert by("upstream_pauses_total", provider="hosting") == (outcome == "rate_limited")


def test_a_stale_source_is_counted_as_such(cold: World) -> None:
    cold.data(QUERY, {"first": 5})
    cold.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
    cold.clock.ahead += timedelta(minutes=10)

    by = moved(cold, lambda: cold.data(QUERY, {"first": 5}))

    assert by("sources_total", provider="hosting", state="STALE") == 1


def impatient(served: World, **settings_of_hosting: str) -> settings.Settings:
    """Return the settings of a gateway with others for one provider."""
    changed = {
        f"GATEWAY_PROVIDERS__HOSTING__{name.upper()}": value
        for name, value in settings_of_hosting.items()
    }
    return settings.load(served.folder / "gateway.toml", changed)


def test_timeouts_waits_and_places_are_told(served: World, redis: RedisServer) -> None:
    redis.client().flushall()
    configured = impatient(served, timeout="800ms", max_concurrency="1", rate="3/second")
    served.sandbox.set_fault("hostup", {"kind": "hang"})

    async def look(one: World) -> list[Scrape]:
        async with httpx.AsyncClient(base_url=one.url, timeout=30, trust_env=False) as http:
            asking = asyncio.create_task(
                http.post("/graphql", json={"query": QUERY, "variables": {"first": 5}})
            )
            seen = []
            while not asking.done():
                seen.append(await asyncio.to_thread(scrape, one.http))
                await asyncio.sleep(0.02)
            return seen

    with gateway(configured, served.sandbox, served.folder) as one:
        seen = asyncio.run(look(one))
        told = scrape(one.http)
    served.sandbox.clear_fault("hostup")

    in_flight = [now.value(P + "http_requests_in_flight") for now in seen]
    assert max(in_flight) == 1
    assert told.value(P + "http_requests_in_flight") == 0
    assert told.value(P + "http_requests_in_flight_limit") == 4
    assert max(now.value(P + "upstream_places_used", provider="hosting") for now in seen) == 1
    assert max(now.value(P + "upstream_places_waited_for", provider="hosting") for now in seen) >= 1
    assert told.value(P + "upstream_places_used") == 0
    timeouts = {"provider": "hosting", "outcome": "timeout"}
    assert told.value(P + "upstream_calls_total", **timeouts) >= 1
    assert told.value(P + "upstream_exchange_duration_seconds_count", **timeouts) >= 1


def test_waits_for_the_own_rate_are_told(served: World, redis: RedisServer) -> None:
    redis.client().flushall()
    configured = impatient(served, rate="2/second")
    whole = '{ customer(reference: "C-1001") { creditSummary { units { count } } } }'

    with gateway(configured, served.sandbox, served.folder) as one:
        for _ in range(3):
            one.ask(whole)
            one.http.post(
                "/graphql",
                json={"query": QUERY, "variables": {"first": 5}},
                headers={"Cache-Control": "no-cache"},
            )
            one.clock.ahead += timedelta(minutes=5)
        told = scrape(one.http)

    assert told.value(P + "upstream_rate_waits_total", provider="hosting") >= 1
    assert told.value(P + "upstream_rate_wait_seconds_total", provider="hosting") >= 0.15
    assert told.value(P + "upstream_rate_waits_total", provider="cloud") == 0


def test_a_redis_that_is_away_is_told(served: World) -> None:
    away = RedisServer()
    away.start()
    configured = settings.load(served.folder / "gateway.toml", {"GATEWAY_CACHE__URL": away.url})

    with gateway(configured, served.sandbox, served.folder) as one:
        up = scrape(one.http)
        away.kill()
        by = moved(one, lambda: one.ask(QUERY, {"first": 5}))
        told = scrape(one.http)

    assert up.value(P + "redis_up") == 1
    assert told.value(P + "redis_up") == 0
    assert by("redis_failures_total", reason="silence") >= 1
    assert by("redis_failures_total", reason="away") >= 1


async def test_streams_and_what_is_told_by_them_are_counted(cold: World) -> None:
    def told(name: str, **labels: str) -> float:
        return scrape(cold.http).value(P + name, **labels)

    async with begun(cold.url) as client, listening(cold.url, SUBSCRIPTION):
        await say(client, id="a", type="subscribe", payload={"query": SUBSCRIPTION})
        await say(client, id="b", type="subscribe", payload={"query": "{ viewer { subject } }"})
        await hear(client)
        await until(lambda: told("subscriptions_open", stream="credit_changes") == 2)
        open_now = [told("streams_open", transport=one) for one in ("websocket", "sse")]
    await until(lambda: told("streams_open") == 0)

    assert open_now == [1, 1]
    assert told("stream_events_total", transport="websocket") == 1
    assert told("graphql_operations_total", type="subscription", outcome="ok") == 2
    await until(lambda: told("subscriptions_open") == 0)


def test_an_operator_is_answered_under_overload_and_sees_the_refusals(cold: World) -> None:
    def until_in_flight(count: int) -> None:
        def are_there() -> bool:
            return scrape(cold.http).value(P + "http_requests_in_flight") >= count

        asyncio.run(until(are_there))

    async def overload() -> tuple[int, Scrape]:
        async with httpx.AsyncClient(base_url=cold.url, timeout=30, trust_env=False) as http:
            body = {"query": QUERY, "variables": {"first": 5}}
            held = [asyncio.create_task(http.post("/graphql", json=body)) for _ in range(4)]
            await asyncio.to_thread(until_in_flight, 4)
            refused = await http.post("/graphql", json=body)
            seen = await asyncio.to_thread(scrape, cold.http)
            await asyncio.gather(*held)
            return refused.status_code, seen

    cold.sandbox.set_fault("hostup", {"kind": "latency", "ms": 3000})

    status, seen = asyncio.run(overload())

    assert status == 503
    assert seen.value(P + "http_requests_in_flight") == 4
    assert seen.value(P + "http_requests_total", path="graphql", status="503") == 1


def test_a_process_is_ready_and_takes_of_its_machine(cold: World) -> None:
    told = scrape(cold.http)

    assert told.value(P + "processes", phase="ready") == 1
    assert told.value(P + "build_info") == 1
    assert told.value("process_resident_memory_bytes") > 10_000_000
    assert told.value("process_cpu_seconds_total") > 0
    assert told.value("process_open_fds") < told.value("process_max_fds")
