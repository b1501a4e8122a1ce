"""Read the configuration: the file, the environment over it, and everything checked."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.model.errors import ConfigurationError
from app.settings.environment import overlay
from app.settings.keys import Problem, dotted, field_at, fields_at, written
from app.settings.providers import KINDS
from app.settings.secret import Surroundings
from app.settings.sections import Settings

_UNKNOWN_KIND = {"union_tag_not_found", "union_tag_invalid"}


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """
    Return the configuration that `path` holds, with what `environ` sets over it.

    `ConfigurationError` if it cannot be used: one line that names the first key that is wrong,
    says what to write and how many more are wrong, and never holds a secret.
    """
    tree = _read(path)
    sources, problems = overlay(tree, environ)
    settings, invalid = _validated(tree, Surroundings(path.absolute().parent, environ))
    problems += [_with_source(problem, sources) for problem in invalid]
    if settings is None or problems:
        raise ConfigurationError(_line(problems))
    return settings


def _line(problems: Sequence[Problem]) -> str:
    first, more = problems[0], len(problems) - 1
    return f"{first.key}: {first.text}" + (f" (and {more} more)" if more else "")


def _read(path: Path) -> dict[str, Any]:
    content = ""
    try:
        content = path.read_bytes().decode()
        return tomllib.loads(content)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        text = f"{reason}; write the configuration there or name another file"
    except UnicodeDecodeError:
        text = "is not a text in UTF-8; save it as one"
    except tomllib.TOMLDecodeError as error:
        text = f"is not TOML: {_located(str(error), content)}"
    except (ValueError, RecursionError):
        text = "is not TOML: a number or a nesting in it is too large"
    # Raised here, it carries no other error that might show a line of the file.
    shown = "".join(part if part.isprintable() else "?" for part in str(path))
    raise ConfigurationError(f"{shown}: {text}")


def _located(message: str, content: str) -> str:
    # The parser gives no line where it ran into the end, as after a quote that is never closed.
    end = content.rstrip("\n").count("\n") + 1
    return message.replace("(at end of document)", f"(at line {end}, the end of the file)")


def _validated(
    tree: Mapping[str, Any], around: Surroundings
) -> tuple[Settings | None, list[Problem]]:
    # A section left out has its defaults; as an empty table they are checked like any other.
    whole = {section: {} for section in Settings.model_fields} | dict(tree)
    try:
        return Settings.model_validate(whole, context=around), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    return None, [_problem(detail) for detail in details]


def _with_source(problem: Problem, sources: Mapping[str, str]) -> Problem:
    variable = sources.get(problem.key.partition("[")[0])
    return Problem(problem.key, f"{problem.text} (set by {variable})") if variable else problem


def _problem(detail: ErrorDetails) -> Problem:
    path, kind = _path(detail["loc"])
    match detail["type"]:
        case "refusal":
            return Problem(dotted([*path, *detail["ctx"]["inner"]]), detail["ctx"]["text"])
        case "extra_forbidden":
            return Problem(dotted(path), f"is not a key{_near(path, kind)}")
        case unknown if unknown in _UNKNOWN_KIND:
            return Problem(dotted([*path, "kind"]), f"write one of {', '.join(KINDS)}")
        case "missing":
            return Problem(dotted(path), f"is missing; {_what_to_write(path, kind)}")
        case _:
            return Problem(dotted(path), _what_to_write(path, kind))


def _path(location: Sequence[int | str]) -> tuple[list[int | str], str | None]:
    """Split the way to a provider's key from the kind that the validation puts into it."""
    path = [part for part in location if part != "[key]"]
    if path[:1] == ["providers"] and len(path) > 2:  # noqa: PLR2004 (providers, a name, a kind)
        return path[:2] + path[3:], str(path[2])
    return path, None


def _what_to_write(path: Sequence[int | str], kind: str | None) -> str:
    field = field_at(path, kind)
    if field is not None:
        return f"write {written(field).text}"
    return f"write a table, [{dotted(path)}]"


def _near(path: Sequence[int | str], kind: str | None) -> str:
    if kind is not None:
        known = [key for key in KINDS[kind].model_fields if key != "name"]
    else:
        known = list(fields_at(path[:-1]) if path[:-1] else Settings.model_fields)
    near = get_close_matches(str(path[-1]), known, n=1)
    return f"; did you mean {near[0]}?" if near else "; remove it"
