"""The section [observability]: what is told of the gateway's work, and to whom."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from app.settings.addresses import CollectorUrl
from app.settings.providers import Section
from app.settings.values import Flag, Written

LogFormat = Literal["auto", "json", "console"]


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError  # noqa: TRY004 - what a validator says that a value is not
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError
    return share


Share = Annotated[float, BeforeValidator(_share), Written("a share from 0.0 to 1.0")]


class ObservabilitySettings(Section):
    """What is logged, measured and traced."""

    log_format: Annotated[LogFormat, Written('"auto", "json" or "console"')] = Field(
        default="auto",
        description="How the log is written: as JSON, for people, or by itself for people at a "
        "terminal and as JSON elsewhere.",
    )
    log_requests: Flag = Field(
        default=True, description="Whether the log has a line for each request."
    )
    log_hits: Flag = Field(
        default=True,
        description="Whether it also has one for each answer that was given before.",
    )
    server_timing: Flag = Field(
        default=True, description="Whether answers say in `Server-Timing` what took how long."
    )
    otlp_endpoint: CollectorUrl | None = Field(
        default=None,
        description="Where traces are sent, by OTLP over HTTP; https, or http to loopback. "
        "Nothing is traced where it is not set.",
    )
    trace_share: Share = Field(
        default=1.0,
        description="The share of requests that are traced, of those whose `traceparent` does "
        "not decide it.",
    )
