"""The command line: `credit-gateway …`."""

import logging
import sys
from collections.abc import Sequence

from app.model.errors import GatewayError
from app.server import garbage

_NAME = "credit-gateway"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a failure is one line on standard error that says what to do.

    The status is 1 for a failure and 2 for misuse.
    """
    with garbage.loading():
        from typer import Abort  # noqa: PLC0415 - they are most of a start
        from typer.exceptions import TyperException  # noqa: PLC0415 - as above
        from typer.main import get_command  # noqa: PLC0415 - as above

        from app.cli.app import application  # noqa: PLC0415 - as above
    # What failed is told by the command itself, and by no library, such as the pool of a database
    # whose connection Ctrl-C takes away.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        # It returns the status of what ended early, such as a help; otherwise None.
        status = get_command(application).main(arguments, prog_name=_NAME, standalone_mode=False)
    except TyperException as error:
        _explain(error.format_message(), getattr(error, "ctx", None))
        status = error.exit_code
    except Abort:
        _tell("stopped here, as nobody said yes")
        status = 1
    except (GatewayError, OSError) as error:
        _tell(str(error))
        status = 1
    sys.exit(status)


def _explain(message: str, context: object) -> None:
    """Tell of misuse; a command without anything to do tells its help in place of an error."""
    if message.startswith("Usage: "):
        sys.stderr.write(f"{message}\n")
    else:
        command = getattr(context, "command_path", _NAME)
        # Of what is checked by pydantic it says so, which helps nobody.
        told = message.replace("Value error, ", "").rstrip(".")
        _tell(f"{told}; see `{command} --help`")


def _tell(message: str) -> None:
    sys.stderr.write(f"{_NAME}: {' '.join(message.split())}\n")
