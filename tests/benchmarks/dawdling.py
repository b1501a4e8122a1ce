"""
A server that does badly, for showing that the comparison tells.

Arguments: port, a file with its answer, the microseconds of processor time that each answer takes,
and which share of the requests it refuses: every so manieth, 0 for none.
"""

import sys
import time
from itertools import count
from pathlib import Path

import uvicorn
from starlette.types import Receive, Scope, Send


class Dawdling:
    """An ASGI application that takes its time, or refuses."""

    def __init__(self, body: bytes, seconds: float, refuses: int) -> None:
        self._body = body
        self._seconds = seconds
        self._refuses = refuses
        self._number = count(1)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        until = time.process_time() + self._seconds
        while time.process_time() < until:
            pass
        refused = self._refuses and next(self._number) % self._refuses == 0
        headers = [(b"content-length", str(len(self._body)).encode())]
        status = 503 if refused else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


if __name__ == "__main__":
    port, file, microseconds, refuses = sys.argv[1:]
    app = Dawdling(Path(file).read_bytes(), int(microseconds) / 1e6, int(refuses))
    uvicorn.run(app, port=int(port), lifespan="off", access_log=False, log_level="warning")
