"""Several workers: whichever is scraped tells the sums over all, and nothing of the dead."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from draining import Served, served
from scraping import Scrape, read
from streaming import until
from world import configuration, import_customers

from app import settings
from app.metrics.processes import Folder
from app.sandbox import Sandbox, SandboxServer

P = "credit_gateway_"
REQUESTS = 60
# Each of these is a process of its own, which counts as a worker does.
COUNTING = """
import os, sys
from app.metrics.metrics import Metrics
metrics = Metrics()
metrics.requests.add("graphql", "POST", "200", amount=int(sys.argv[1]))
metrics.request_seconds.observe("graphql", amount=float(sys.argv[2]))
metrics.in_flight.set(int(sys.argv[1]))
metrics.redis_up.set(int(sys.argv[3]))
metrics.write()
print(os.getpid(), flush=True)
"""
TELLING = """
from app.metrics.metrics import Metrics
print(Metrics().exposition("")[0].decode())
"""


def ran(code: str, *args: object) -> str:
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def folder() -> Iterator[Folder]:
    one = Folder()
    yield one
    one.remove()


def told() -> Scrape:
    return read(ran(TELLING))


def test_what_processes_count_is_added_up_and_the_dead_leave_counters_alone(
    folder: Folder,
) -> None:
    first, second = int(ran(COUNTING, 3, 0.02, 1)), int(ran(COUNTING, 4, 0.2, 0))
    both = told()

    folder.keep({second})
    one = told()
    folder.keep(())
    none = told()

    assert first != second
    assert both.value(P + "http_requests_in_flight") == 7
    assert both.value(P + "redis_up") == 0
    assert one.value(P + "http_requests_in_flight") == 4
    for seen in (both, one, none):
        assert seen.value(P + "http_requests_total", path="graphql") == 7
        assert seen.value(P + "http_request_duration_seconds_count") == 2
        assert seen.value(P + "http_request_duration_seconds_sum") == pytest.approx(0.22)
        assert seen.value(P + "http_request_duration_seconds_bucket", le="0.025") == 1
        assert seen.value(P + "http_request_duration_seconds_bucket", le="0.25") == 2
    assert none.value(P + "http_requests_in_flight") == 0


def test_many_that_have_died_take_as_much_room_as_one(folder: Folder) -> None:
    path = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    for _ in range(3):
        ran(COUNTING, 1, 0.1, 1)
        folder.keep(())

    files = sorted(file.name for file in path.glob("*.db"))

    assert files == ["counter_0.db", "histogram_0.db"]
    assert told().value(P + "http_requests_total") == 3


def test_a_folder_is_gone_in_the_end_and_nothing_is_shared_any_more() -> None:
    folder = Folder()
    path = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    ran(COUNTING, 1, 0.1, 1)

    folder.remove()

    assert not path.exists()
    assert told().value(P + "http_requests_total") == 0


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with SandboxServer(Sandbox(entries=5)) as providers:
        file = configuration(tmp_path_factory.mktemp("workers"), providers.url)
        customers = providers.sandbox.sample_customers()
        asyncio.run(import_customers(settings.load(file, {}), customers))
        yield file


def ask(origin: str) -> None:
    for number in range(REQUESTS):
        body = {"query": f"query Q{number} {{ viewer {{ subject }} }}"}
        httpx.post(f"{origin}/graphql", json=body, trust_env=False, timeout=30)


def workers(one: Served) -> set[int]:
    """Return the processes that serve."""
    children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children").read_text()
    return {
        int(pid)
        for pid in children.split()
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    }


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc of Linux")
@pytest.mark.timeout(300)
async def test_two_workers_tell_their_sum_and_a_killed_one_is_forgotten(config: Path) -> None:
    with served(config, "--workers", "2") as one:

        def scraped() -> Scrape:
            # A new connection each time, which either of them takes.
            return read(httpx.get(f"{one.origin}/metrics", trust_env=False, timeout=30).text)

        def shows(condition: Callable[[Scrape], bool]) -> Callable[[], bool]:
            return lambda: condition(scraped())

        def ready(now: Scrape) -> float:
            return now.value(P + "processes", phase="ready")

        def asked(now: Scrape) -> float:
            return now.value(P + "http_requests_total", path="graphql")

        await one.until_ready()
        await until(shows(lambda now: ready(now) == 2), 120)
        await asyncio.to_thread(ask, one.origin)
        await until(shows(lambda now: asked(now) == REQUESTS), 30)
        # Whichever is asked, it tells the same.
        same = Counter(asked(scraped()) for _ in range(20))
        memory = scraped().value("process_resident_memory_bytes")
        os.kill(min(workers(one)), signal.SIGKILL)
        # Such an answer is all that is looked at: soon another worker takes memory in its place.
        left: list[Scrape] = []

        def is_one_left() -> bool:
            left[:] = [scraped()]
            return ready(left[0]) == 1

        await until(is_one_left, 60)
        await until(shows(lambda now: ready(now) == 2), 120)
        one.tell(signal.SIGTERM)
        await asyncio.to_thread(one.ended, 60)

    assert same == {REQUESTS: 20}
    (after,) = left
    assert asked(after) == REQUESTS
    assert after.value("process_resident_memory_bytes") < 0.8 * memory
