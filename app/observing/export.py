"""Spans on their way to a collector, by OTLP over HTTP; loaded only where there is one."""

from collections.abc import Sequence
from importlib.metadata import version
from secrets import token_hex

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

_PATH = "/v1/traces"
# A collector is nearby. The last spans of a process wait for it no longer than this, either.
_TIMEOUT_SECONDS = 3
# Of what waits for a collector that is away; a span takes some 2 kB.
_MOST_WAITING = 8192
_MOST_AT_ONCE = 512
_EVERY_MILLISECONDS = 2000


class Export:
    """Sends what `tracer` traces, of which a `share`; the rest is none of its own work."""

    def __init__(self, endpoint: str, share: float) -> None:
        session = requests.Session()
        session.trust_env = False  # as everything that is asked from here
        self._counting = _Counting(
            OTLPSpanExporter(f"{endpoint}{_PATH}", timeout=_TIMEOUT_SECONDS, session=session)
        )
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            resource=Resource.create(
                {
                    "service.name": "credit-gateway",
                    "service.version": version("credit-gateway"),
                    "service.instance.id": token_hex(8),
                }
            ),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._counting,
                max_queue_size=_MOST_WAITING,
                max_export_batch_size=_MOST_AT_ONCE,
                schedule_delay_millis=_EVERY_MILLISECONDS,
            )
        )
        self.tracer = self._provider.get_tracer("credit_gateway")

    @property
    def taken(self) -> int:
        return self._counting.taken

    @property
    def lost(self) -> int:
        return self._counting.lost

    def close(self) -> None:
        """Send the rest, and wait for that."""
        self._provider.shutdown()


class _Counting(SpanExporter):
    """Counts the spans that another one has sent, and those that it could not."""

    def __init__(self, within: SpanExporter) -> None:
        self._within = within
        self.taken = 0
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        outcome = self._within.export(spans)
        if outcome is SpanExportResult.SUCCESS:
            self.taken += len(spans)
        else:
            self.lost += len(spans)
        return outcome

    def shutdown(self) -> None:
        self._within.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._within.force_flush(timeout_millis)
