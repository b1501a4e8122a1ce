"""Lines of the log wait for no reader, arrive whole, and are lost only where nobody reads."""

import json
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.observing.lines import Lines

LINE = b"x" * 399 + b"\n"
# More than a pipe and all that waits hold.
MANY = 60_000
# Another process of the same pipe; its lines are as long as may arrive in one piece.
WRITING = """
import sys
from app.observing.lines import Lines
lines = Lines(1)
for number in range(2000):
    lines.write(b"%b %d %b\\n" % (sys.argv[1].encode(), number, b"y" * (number % 3000)))
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    os.close(read)
    os.close(write)


def drained(read: int, seconds: float = 0.5) -> bytes:
    """Return what comes until nothing has come for so long."""
    found = b""
    while select.select([read], [], [], seconds)[0]:
        found += os.read(read, 1 << 20)
    return found


def test_lines_arrive_in_their_order(pipe: tuple[int, int]) -> None:
    read, write = pipe
    lines = Lines(write)

    for number in range(1000):
        lines.write(b"%d\n" % number)

    assert drained(read).split() == [b"%d" % number for number in range(1000)]
    assert lines.dropped == 0


def test_who_reads_nothing_holds_up_nobody_and_takes_no_more_memory(pipe: tuple[int, int]) -> None:
    read, write = pipe
    lines = Lines(write)
    began = time.thread_time()

    for _ in range(MANY):
        lines.write(LINE)

    # The pipe itself would have stopped the second hundred.
    assert time.thread_time() - began < 2
    assert 0 < lines.dropped < MANY
    kept = drained(read)
    assert len(kept) == (MANY - lines.dropped) * len(LINE)
    assert set(kept.splitlines(keepends=True)) == {LINE}


def test_a_pipe_itself_would_hold_up_who_writes(pipe: tuple[int, int]) -> None:
    _, write = pipe
    wrote: list[int] = []

    def write_all() -> None:
        for number in range(200):
            os.write(write, LINE)
            wrote.append(number)

    writer = threading.Thread(target=write_all, daemon=True)
    writer.start()
    writer.join(1)

    assert writer.is_alive()
    assert len(wrote) < 200
    drained(pipe[0])
    writer.join(5)


def test_what_waits_at_the_end_of_a_process_is_written() -> None:
    code = "from app.observing.lines import Lines; Lines(1).write(b'the last\\n')"

    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=60
    ).stdout

    assert told == b"the last\n"


def test_a_reader_that_is_gone_or_stuck_keeps_no_process(pipe: tuple[int, int]) -> None:
    code = "from app.observing.lines import Lines\nlines = Lines(1)\n"
    code += "for _ in range(9999): lines.write(b'x' * 99 + b'\\n')"

    began = time.monotonic()
    stuck = subprocess.run([sys.executable, "-c", code], stdout=pipe[1], check=False, timeout=60)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as gone:
        assert gone.stdout
        gone.stdout.close()
        status = gone.wait(60)

    assert (stuck.returncode, status) == (0, 0)
    assert time.monotonic() - began < 30


def test_lines_of_several_processes_stay_whole(pipe: tuple[int, int]) -> None:
    read, write = pipe
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITING, name], stdout=write) for name in "abc"
    ]
    told = b""
    while any(one.poll() is None for one in writers):
        told += drained(read, 0.05)
    told += drained(read)

    lines = [line.split(b" ") for line in told.splitlines()]
    assert len(lines) == 6000
    for name in (b"a", b"b", b"c"):
        own = [(int(number), rest) for sender, number, rest in lines if sender == name]
        assert own == [(number, b"y" * (number % 3000)) for number in range(2000)]


def test_quick_lines_are_as_all_others(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The lines of hits and of refusals are put together otherwise, and read alike."""
    code = """
from app.cli import logs
from app.observing.requests import RequestLog, hit_of
logs.configure_serving("json")
log = RequestLog()
fields = {"request_id": "first", "duration_ms": 1.5, "method": "POST", "path": "/graphql",
          "status": 200, "bytes": 9, "cache": "MISS", "viewer": 'a"\\n\\x9b', "upstream_ms": 3.0}
log.tell("request", fields)
log.tell_hit(hit_of(fields), "second", 0.000012)
log.tell_refusal("POST", "/graphql", 503)
"""
    folder = tmp_path_factory.mktemp("quick")
    with (folder / "log").open("wb") as errors:
        subprocess.run([sys.executable, "-c", code], stderr=errors, check=True, timeout=60)

    first, second, third = map(json.loads, (folder / "log").read_text("ascii").splitlines())
    momentary = {"request_id", "duration_ms", "timestamp", "upstream_ms", "cache"}
    assert {k: v for k, v in first.items() if k not in momentary} == {
        k: v for k, v in second.items() if k not in momentary
    }
    assert (second["request_id"], second["cache"], second["duration_ms"]) == (
        "second",
        "HIT",
        0.012,
    )
    assert len(second["timestamp"]) == len(first["timestamp"])
    assert (third["level"], third["status"], third["event"]) == ("warning", 503, "request")


def test_a_terminal_is_written_for_people_and_obeys_nobody_s_text() -> None:
    code = """
import logging, structlog
from app.cli import logs
logs.configure_serving("auto")
log = structlog.get_logger()
log.info("request", viewer="a\\x1b[2Jb\\nforged", operation="\\x9b31m")
logging.getLogger("library").warning("said \\x1b[2J%s", "by\\nsomebody")
try:
    raise ValueError("\\x1b]0;title\\x07")
except ValueError:
    log.exception("broken")
"""
    ours, theirs = os.openpty()
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True, timeout=60)
    told = drained(ours).decode()
    os.close(ours)
    os.close(theirs)

    assert "\x1b[" in told  # its colours
    plain = re.sub(r"\x1b\[[0-9;]*m", "", told)
    lines = plain.replace("\r\n", "\n").splitlines()
    assert "viewer='a\\x1b[2Jb\\nforged'" in lines[0]
    assert "operation='\\x9b31m'" in lines[0]
    assert "said \\x1b[2Jby\\nsomebody" in lines[1]
    assert "ValueError: \\x1b]0;title\\x07" in plain
    assert all(one.isprintable() for one in lines)


def test_what_libraries_log_is_json_too_and_tells_no_values(tmp_path: Path) -> None:
    code = """
import logging
from app.cli import logs
logs.configure_serving("json")
def translate(key):
    raise ValueError("no such shape")
try:
    translate("said-in-confidence")
except ValueError:
    logging.getLogger("uvicorn.error").exception("Exception in %s", "the application")
logging.getLogger("chatty").info("of no interest")
"""
    with (tmp_path / "log").open("wb") as errors:
        subprocess.run([sys.executable, "-c", code], stderr=errors, check=True, timeout=60)

    text = (tmp_path / "log").read_text("ascii")
    (told,) = map(json.loads, text.splitlines())
    assert (told["event"], told["level"]) == ("Exception in the application", "error")
    assert told["logger"] == "uvicorn.error"
    assert told["exception"][0]["exc_value"] == "no such shape"
    assert "said-in-confidence" not in text
