"""The sandbox as one web application."""

from starlette.applications import Starlette
from starlette.routing import Mount

from app.sandbox.control import create_control
from app.sandbox.gate import Gate
from app.sandbox.sandbox import Sandbox


def create_app(sandbox: Sandbox) -> Starlette:
    """Return the three providers, each under its base path, and control under `/control`."""
    gates = [
        Mount(upstream.base_path, app=Gate(upstream, sandbox.traffic, sandbox.is_closing))
        for upstream in sandbox.upstreams.values()
    ]
    return Starlette(routes=[*gates, Mount("/control", app=create_control(sandbox))])
