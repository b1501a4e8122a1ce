"""Listening at a port until a signal comes."""

import signal
import socket
import sys
from types import FrameType


def listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens; `OSError` says what to do where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise refused(host, port, error) from error


def refused(host: str, port: int, error: OSError) -> OSError:
    """Return the error that names the address, and what to do about it."""
    reason = (error.strerror or "it cannot be used").lower()
    return OSError(f"cannot listen at {host} port {port} ({reason}); name another one with --port")


def end_on_signals() -> None:
    """Let SIGINT and SIGTERM end the process as asked: files are tidied, the status is 0.

    A server shuts down on the signal first and raises it again when it is done.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
