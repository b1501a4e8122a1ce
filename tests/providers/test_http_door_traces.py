"""What a provider is told of the trace to which a call of it belongs."""

from test_http_door import READ, WELL, door
from upstreams import in_turn

from app.observing.correlation import correlation
from app.observing.observer import Observer
from app.observing.requests import RequestLog
from app.observing.tracing import Tracing

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}


async def test_a_provider_is_told_the_trace_and_nothing_else_of_the_caller() -> None:
    sent = {**SENT, "tracestate": "a=1", "baggage": "secret=1", "X-Request-ID": "mine"}
    headers = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
    tracing = Tracing(1.0)

    async def taken(_: bytes) -> bool:
        return True

    async with door(in_turn(WELL)) as (one, server):
        await one.ask(READ, lambda answer: answer)
        Observer(RequestLog(), tracing).begin(correlation(headers), "untraced")
        await one.ask(READ, lambda answer: answer)
        tracing.open(taken)
        begun = Observer(RequestLog(), tracing).begin(correlation(headers), "traced")
        await one.ask(READ, lambda answer: answer)
        await tracing.close()

    before, untraced, with_trace = (asked.headers for asked in server.asked)
    assert begun.span
    assert "traceparent" not in before
    assert (untraced["traceparent"], untraced["tracestate"]) == (SENT["traceparent"], "a=1")
    _, trace_id, span_id, flags = with_trace["traceparent"].split("-")
    assert (trace_id, flags, with_trace["tracestate"]) == (TRACE, "01", "a=1")
    assert span_id not in {SPAN, begun.span.id}  # that of the try
    assert set(with_trace) == set(untraced) == {*before, "traceparent", "tracestate"}
