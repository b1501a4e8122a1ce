"""
Answers that a connection gives by itself: what was given before, and refusals of one too many.

Who asks the same again and again, as a dashboard does, sends the same bytes each time. What they
say is read once for a connection; whether it is still to be answered so is asked each time.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.server.hits import Hits
from app.server.limits import ONE_MORE, ONE_MORE_HEADERS, Overload
from app.server.readiness import Readiness
from app.server.said import SAID, Said, read

# Stands for a request of which nothing is read, as it was answered by its head alone.
_ANSWERED: Any = SimpleNamespace(response_complete=True, message_event=asyncio.Event())

# Of one connection; there may be thousands.
_MOST_KNOWN_BYTES = 8 << 10

_OK_STATUS = STATUS_LINE[HTTPStatus.OK]
_ONE_MORE_STATUS = STATUS_LINE[HTTPStatus.SERVICE_UNAVAILABLE]
_ONE_MORE_REST = b"".join(
    [*(name + b": " + value + b"\r\n" for name, value in ONE_MORE_HEADERS), b"\r\n", ONE_MORE]
)


class _Request(NamedTuple):
    """A request that was answered here; `said` is None where only its head was read."""

    method: str
    url: bytes
    said: Said | None


class PromptProtocol(HttpToolsProtocol):
    """A connection that answers what it can before there is anything of an application.

    It asks what the lifespan gave as `hits` and `overload`; without them all goes its usual way.
    """

    _heads = 0
    _begun = 0
    _ended = 0
    # What has come of the body of a request that may be answered here.
    _waiting: bytearray | None = None
    # The last one that was answered here.
    _answered: _Request | None = None
    # The server's header fields of this second, and how they are sent.
    _lines: tuple[object, bytes] = (None, b"")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # Such requests by their bytes, where these came alone; about as many as a page asks.
        self._known: dict[bytes, _Request] = {}
        self._known_bytes = 0
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        # In between nothing but a new request may begin, and one that is whole ends it.
        was_between = self._begun == self._ended
        if was_between and len(data) <= _MOST_KNOWN_BYTES:
            request = self._known.get(data)
            if request is not None and self._is_answered(request):
                self._heads += 1
                return
        self._answered, before = None, self._begun
        super().data_received(data)
        if self._waiting is not None and not self.transport.is_closing():
            self._let_in()  # the rest of it comes later
        is_one = was_between and self._begun == self._ended == before + 1
        if is_one and self._answered is not None and len(data) <= _MOST_KNOWN_BYTES:
            self._know(data, self._answered)

    def on_message_begin(self) -> None:
        self._begun += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._heads += 1
        if self._may_be_given(self.url) and self._is_usual():
            self._waiting = bytearray()
        else:
            self._let_in()

    def on_body(self, body: bytes) -> None:
        if self._waiting is not None:
            self._waiting += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._ended += 1
        if self._waiting is not None:
            self._find(bytes(self._waiting))
        super().on_message_complete()

    def _is_usual(self) -> bool:
        """Say whether a request is of the usual kind, and none before it waits for its answer."""
        usual = (
            self.parser.get_method() in {b"GET", b"POST"}
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
        )
        return usual and self._is_free()

    def _is_free(self) -> bool:
        """Say whether nothing that came before waits for its answer, and more may come."""
        is_idle = self.cycle is None or (self.cycle.response_complete and not self.pipeline)
        return is_idle and not self.flow.write_paused and not _is_draining(self.app_state)

    def _know(self, data: bytes, request: _Request) -> None:
        """Know a request by its bytes from now on; when they are too many, all are forgotten."""
        if data not in self._known:
            if self._known_bytes + len(data) > _MOST_KNOWN_BYTES:
                self._known.clear()
                self._known_bytes = 0
            self._known_bytes += len(data)
        self._known[data] = request

    def _is_answered(self, request: _Request) -> bool:
        """Answer a request that was answered here before, if it is to be so again."""
        if not self._is_free():
            return False
        if request.said is not None:
            is_given = self._is_given(request.said)
            return is_given or (is_given is False and self._is_refused(request))
        return not self._may_be_given(request.url) and self._is_refused(request)

    def _may_be_given(self, url: bytes) -> bool:
        hits: Hits | None = self.app_state.get("hits")
        return hits is not None and hits.may_hold(url)

    def _find(self, body: bytes) -> None:
        """Answer what was answered before; all else is let in."""
        said = read(self._method(), self.url.partition(b"?")[2], self.headers, body)
        is_given = self._is_given(said) if said is not None else False
        if is_given:
            self._waiting = None
            self._answered = _Request(self._method(), self.url, said)
        else:
            self._let_in(said, beyond_limit=is_given is None)

    def _is_given(self, said: Said) -> bool | None:
        """Give what was given before; None is what the ring may give."""
        hits: Hits = self.app_state["hits"]
        parts = hits.at_once(said)
        if not parts:
            return False if parts is None else None
        self._answer([_OK_STATUS, self._lines_of_now(), *parts])
        return True

    def _let_in(self, said: Said | None = None, *, beyond_limit: bool = False) -> None:
        """Give a request to the application, unless it is one too many."""
        came, self._waiting = self._waiting, None
        if not beyond_limit and self._is_usual():
            request = _Request(self._method(), self.url, said)
            if self._is_refused(request):  # its body is nobody's
                self._answered = request
                return
        overload: Overload | None = self.app_state.get("overload")
        if overload is not None and not self._may_be_given(self.url):  # what is given has no limit
            overload.let_in()
        if said is not None:
            self.scope[SAID] = said  # type: ignore[literal-required]
        super().on_headers_complete()
        if came:
            super().on_body(bytes(came))

    def _is_refused(self, request: _Request) -> bool:
        """Refuse what is one too many."""
        overload: Overload | None = self.app_state.get("overload")
        if overload is None or not overload.takes(request.url):
            return False
        overload.refused(request.url.decode("ascii", "replace"), request.method)
        self._answer([_ONE_MORE_STATUS, self._lines_of_now(), _ONE_MORE_REST])
        return True

    def _method(self) -> str:
        return self.parser.get_method().decode("ascii")

    def _lines_of_now(self) -> bytes:
        """Return the server's own header fields; the date among them is of this second."""
        fields = self.server_state.default_headers
        if self._lines[0] is not fields:  # the server makes new ones each second
            self._lines = fields, b"".join([b"%b: %b\r\n" % field for field in fields])
        return self._lines[1]

    def _answer(self, parts: list[bytes]) -> None:
        """Answer what was asked without a word to the application."""
        self.cycle = _ANSWERED
        self.transport.write(b"".join(parts))
        self.on_response_complete()


def _is_draining(state: Mapping[str, Any]) -> bool:
    """Say whether the process of a connection with this state is about to end."""
    readiness: Readiness | None = state.get("readiness")
    return readiness is not None and readiness.is_draining
