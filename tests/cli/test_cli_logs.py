"""What a command logs of an error that nobody foresaw: where it was, and no value."""

import io
import json
import sys
from collections.abc import Callable

import pytest
import structlog
from canaries import Watch
from structlog.tracebacks import ExceptionDictTransformer

from app.cli import logs

SECRET = "a value that somebody sent"


def logged(monkeypatch: pytest.MonkeyPatch, configure: Callable[[], None], watch: Watch) -> str:
    """Return what is logged of an error in a frame that holds a secret."""
    errors = io.StringIO()
    monkeypatch.setattr("sys.stderr", errors)

    def translate(credentials: dict[str, str]) -> None:
        raise ValueError(f"{len(credentials)} parts")

    try:
        configure()
        try:
            translate({"apiKey": SECRET})
        except ValueError:
            structlog.get_logger("api").exception("internal error", correlation_id="x")
    finally:
        watch.listen()
    return errors.getvalue()


def test_an_error_is_logged_with_its_frames_and_none_of_their_values(
    monkeypatch: pytest.MonkeyPatch, watch: Watch
) -> None:
    told = logged(monkeypatch, logs.configure, watch)

    (line,) = told.splitlines()
    (exception,) = json.loads(line)["exception"]
    assert (exception["exc_type"], exception["exc_value"]) == ("ValueError", "1 parts")
    assert "translate" in [frame["name"] for frame in exception["frames"]]
    assert SECRET not in told


def test_a_log_of_all_values_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch, watch: Watch
) -> None:
    def careless() -> None:
        shows = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=True))
        structlog.configure(
            processors=[shows, structlog.processors.JSONRenderer()],
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )

    assert SECRET in logged(monkeypatch, careless, watch)
