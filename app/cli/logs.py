"""
Logs: one line an event on standard error, as JSON or, at a terminal, for people.

Whatever logs comes here, libraries too, and all lines of a request say its id. A command says what
failed by itself and logs no more than that; what serves writes by `app.observing.lines`, which
waits for no reader.
"""

import logging
import sys
import traceback
import warnings
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import ExcInfo, Processor

from app.observing.lines import Lines, quick
from app.observing.observation import observed
from app.settings.observability import LogFormat

# Of frames their places alone: their variables hold what callers sent, and credentials.
_FRAMES = ExceptionDictTransformer(show_locals=False)

# What graphql-core had prepared and not begun of a request whose client has left.
_NEVER_BEGUN = "coroutine '.*' was never awaited"


def configure(level: int = logging.INFO) -> None:
    """Log as JSON, each line at once, as a command does."""
    _configure(level, _as_json(), lambda *_: structlog.PrintLogger(sys.stderr))


def configure_serving(log_format: LogFormat) -> None:
    """Log as a server does, in this process from now on."""
    is_console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    lines = Lines(sys.stderr.fileno())
    rendering = _for_people(colours=sys.stderr.isatty()) if is_console else _as_json()
    quick.lines = None if is_console else lines
    logger = _ToLines(lines)
    _configure(logging.INFO, rendering, lambda *_: logger)
    _take_over(logger, rendering)


class _ToLines:
    """What structlog gives a line to."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def msg(self, line: str) -> None:
        self._lines.write(line.encode() + b"\n")

    debug = info = warning = error = critical = exception = msg


def _configure(level: int, rendering: Iterable[Processor], factory: Any) -> None:  # noqa: ANN401
    warnings.filterwarnings("ignore", _NEVER_BEGUN, RuntimeWarning)
    structlog.configure(
        processors=[*_SAID, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Standard error as it is when something is logged, so nothing made from it is kept.
        logger_factory=factory,
        cache_logger_on_first_use=False,
    )


def _of_request(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say for which request something was logged."""
    seen = observed()
    if seen is not None:
        event.setdefault("request_id", seen.request_id)
    return event


_SAID: tuple[Processor, ...] = (
    _of_request,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
)


def _as_json() -> list[Processor]:
    # All that is not ASCII is escaped, so that nothing in a line acts on who looks at it.
    return [
        structlog.processors.ExceptionRenderer(_FRAMES),
        structlog.processors.JSONRenderer(),
    ]


def _for_people(*, colours: bool) -> list[Processor]:
    return [
        _escaped,
        structlog.dev.ConsoleRenderer(
            colors=colours,
            repr_native_str=True,
            exception_formatter=_traceback,
        ),
    ]


def _traceback(to: TextIO, error: ExcInfo) -> None:
    """Write the frames of an error, without their values, as `_escaped` does."""
    text = "\n" + "".join(traceback.format_exception(*error))
    to.write("\n".join(map(_printable, text.splitlines())))


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]


def _escaped(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what a terminal would obey in what happened; values are escaped as they are shown."""
    event["event"] = _printable(str(event.get("event", "")))
    return event


class _Foreign(logging.Handler):
    """Logs what libraries log, as everything else is logged."""

    def __init__(self, logger: _ToLines, rendering: Iterable[Processor]) -> None:
        super().__init__(logging.WARNING)
        self._to = logger
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[*_SAID, structlog.stdlib.add_logger_name],
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *rendering,
                ],
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        try:
            self._to.msg(self.format(record))
        except Exception:  # noqa: BLE001 - what cannot be logged breaks nothing else
            self.handleError(record)


def _take_over(logger: _ToLines, rendering: Iterable[Processor]) -> None:
    """Let the libraries' logs go the same way; who configures them otherwise has to come later."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_Foreign(logger, rendering))
    root.setLevel(logging.WARNING)
