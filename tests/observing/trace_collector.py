"""A collector of traces: OTLP over HTTP at a free port of the loopback."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATH = "/v1/traces"
_IDS = {"traceId", "spanId", "parentSpanId"}


@dataclass
class Told:
    """One span as it was sent; ids are in hexadecimal."""

    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    is_error: bool
    message: str
    events: int


@dataclass
class Collector:
    """What came so far; `status` is what is answered."""

    url: str = ""
    status: int = 200
    spans: list[Told] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def named(self, name: str) -> list[Told]:
        return [one for one in self.spans if one.name == name]

    def trace(self, trace_id: str) -> list[Told]:
        return [one for one in self.spans if one.trace_id == trace_id]

    def take(self, body: bytes) -> None:
        """Keep what a request told."""
        self.bodies.append(body)
        # What is unknown to the protocol is an error; its ids are written otherwise than by the
        # usual rules for bytes, which is why they are translated.
        asked = ParseDict(_with_usual_ids(json.loads(body)), ExportTraceServiceRequest())
        for of_resource in asked.resource_spans:
            self.resources.append(_read(of_resource.resource.attributes))
            for scope in of_resource.scope_spans:
                self.spans += [_told(one) for one in scope.spans]


@contextmanager
def collector() -> Iterator[Collector]:
    """Collect until the end of this."""
    one = Collector()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            one.paths.append(f"{self.path} {self.headers['Content-Type']}")
            if one.status == 200:
                one.take(body)
            answer = b"{}"
            self.send_response(one.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    one.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def _with_usual_ids(said: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(said, list):
        return [_with_usual_ids(one) for one in said]
    if not isinstance(said, dict):
        return said
    return {
        name: b64encode(bytes.fromhex(one)).decode() if name in _IDS else _with_usual_ids(one)
        for name, one in said.items()
    }


def _told(span: Any) -> Told:  # noqa: ANN401 - generated without types
    return Told(
        name=span.name,
        kind=span.kind,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes=_read(span.attributes),
        is_error=span.status.code == 2,
        message=span.status.message,
        events=len(span.events),
    )


def _read(attributes: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
