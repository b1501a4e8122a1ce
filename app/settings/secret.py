"""Secrets, which may be kept outside of the configuration file and are never shown."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo
from pydantic import Secret as Hidden

from app.settings.values import Written, refusal

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VAULT_KEY_BYTES = 32


@dataclass(frozen=True)
class Surroundings:
    """Where a configuration file is: what its relative paths and its variables mean."""

    folder: Path = field(default_factory=Path.cwd)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)


class SecretUrl(Hidden[str]):
    """An address that may hold a password; written out, it shows neither that nor its options."""

    def _display(self) -> str:
        return without_password(self.get_secret_value())


def without_password(url: str) -> str:
    """Return an address as it may be shown: without user, password and options."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "***"
    _, at, host = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{'***@' if at else ''}{host}{parts.path}"


def surroundings(info: ValidationInfo) -> Surroundings:
    """Return what the validation was given to resolve paths and variables with."""
    return info.context if isinstance(info.context, Surroundings) else Surroundings()


def resolved(value: object, info: ValidationInfo) -> str:
    """Return the secret itself where `value` names a variable or a file that holds it."""
    text = value.get_secret_value() if isinstance(value, (SecretStr, SecretUrl)) else value
    if not isinstance(text, str):
        raise ValueError  # noqa: TRY004 (pydantic turns a ValueError into a named problem)
    if text.startswith("env:"):
        text = _from_variable(text.removeprefix("env:"), surroundings(info).environ)
    elif text.startswith("file:"):
        text = _from_file(text.removeprefix("file:"), surroundings(info).folder)
    if not text:
        raise ValueError
    return text


def _from_variable(name: str, environ: Mapping[str, str]) -> str:
    if not _VARIABLE.fullmatch(name):
        raise refusal('write the name of an environment variable after "env:"')
    if not environ.get(name):
        raise refusal(f"the environment variable {name} is not set; set it to the secret")
    return environ[name]


def _from_file(name: str, folder: Path) -> str:
    try:
        text = (folder / name).read_text("utf-8").strip()
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise refusal(f"its file {name!r} cannot be read ({reason})") from None
    except ValueError:
        raise refusal(f"its file {name!r} is not a text in UTF-8") from None
    if not text:
        raise refusal(f"its file {name!r} is empty; write the secret into it")
    return text


def _vault_key(value: SecretStr) -> SecretStr:
    vault_key(value)
    return value


def vault_key(secret: SecretStr) -> bytes:
    """Return the 32 bytes that a vault key's base64 means."""
    try:
        key = base64.b64decode(secret.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _VAULT_KEY_BYTES:
        raise refusal(
            "write base64 of exactly 32 bytes; `credit-gateway vault keygen` prints such a key"
        )
    return key


_WRITTEN = Written(
    'a text, or "env:NAME" or "file:PATH" of where it is kept',
    lambda secret: f'"{secret}"',
)

Secret = Annotated[SecretStr, BeforeValidator(resolved), _WRITTEN]
VaultKey = Annotated[SecretStr, AfterValidator(_vault_key), BeforeValidator(resolved)]
