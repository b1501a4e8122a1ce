"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

from app.model.viewer import Scope

AsJson = Annotated[bool, typer.Option("--json", help="A JSON object a line, for scripts.")]
Config = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="The configuration, in TOML.")
]
SCOPES = f"What the caller may do, as often as needed: {', '.join(Scope)}."
DEFAULT_CONFIG = Path("gateway.toml")
