"""Options that several commands take."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app import settings
from app.model.viewer import Scope

Config = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="The configuration, in TOML.")
]
SCOPES = f"What the caller may do, as often as needed: {', '.join(Scope)}."
DEFAULT_CONFIG = Path("gateway.toml")


def loaded(config: Path, overrides: Mapping[str, str] | None = None) -> settings.Settings:
    """Return the configuration; `overrides` are variables that win over the environment's."""
    return settings.load(config, {**os.environ, **(overrides or {})})
