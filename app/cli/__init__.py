"""The command line: `credit-gateway …`."""

import logging
import sys
from collections.abc import Sequence

from app.model.errors import GatewayError
from app.server import garbage


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a failure is one line on standard error and exit status 1."""
    with garbage.loading():
        from app.cli import logs  # noqa: PLC0415 - they are most of a start
        from app.cli.app import application  # noqa: PLC0415 - as above
    # What failed is told by the command itself; those that serve log more than that.
    logs.configure(logging.ERROR)
    try:
        application(arguments)
    except (GatewayError, OSError) as error:
        told = " ".join(str(error).splitlines())
        sys.stderr.write(f"credit-gateway: {told}\n")
        sys.exit(1)
