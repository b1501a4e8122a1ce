"""Logs: one JSON line an event on standard error."""

import logging
import sys
import warnings

import structlog
from structlog.tracebacks import ExceptionDictTransformer

# Of frames their places alone: their variables hold what callers sent, and credentials.
_FRAMES = ExceptionDictTransformer(show_locals=False)


# What graphql-core had prepared and not begun of a request whose client has left.
_NEVER_BEGUN = "coroutine '.*' was never awaited"


def configure(level: int = logging.INFO) -> None:
    warnings.filterwarnings("ignore", _NEVER_BEGUN, RuntimeWarning)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.ExceptionRenderer(_FRAMES),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Standard error as it is when something is logged, so nothing made from it is kept.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
