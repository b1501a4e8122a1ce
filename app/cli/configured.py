"""What each process serves: it is told by the environment, and loads little before it begins."""

import os
from pathlib import Path

from starlette.types import ASGIApp

from app.server import garbage

# Names the file of the configuration.
VARIABLE = "CREDIT_GATEWAY_CONFIG"


def app() -> ASGIApp:
    """Return the application of the configuration that the environment names."""
    with garbage.loading():
        from app.cli import logs  # noqa: PLC0415 - they are most of a start
        from app.main import create_app  # noqa: PLC0415 - as above
        from app.settings import load  # noqa: PLC0415 - as above
    settings = load(Path(os.environ[VARIABLE]))
    logs.configure_serving(settings.observability.log_format)
    configured = create_app(settings)
    garbage.settle()
    return configured
