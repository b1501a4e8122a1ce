"""The command line: `credit-gateway …`."""

import sys

from app.cli.app import application
from app.model.errors import GatewayError


def main() -> None:
    """Run a command; a failure is one line on standard error and exit status 1."""
    try:
        application()
    except (GatewayError, OSError) as error:
        sys.stderr.write(f"credit-gateway: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
