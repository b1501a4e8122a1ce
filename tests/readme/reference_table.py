"""The configuration as the README shows it; run as a program, it writes it there."""

import re
from pathlib import Path

from app.settings import reference

_README = Path(__file__).parents[2] / "README.md"
_MARKED = re.compile(r"(?<=<!-- configuration -->\n).*?(?=<!-- /configuration -->)", re.DOTALL)


def table() -> str:
    """Return one row for each key, in the order of the file."""
    rows = "\n".join(
        f"| `{key}` | {meaning} | {shape.replace('|', '/')} | `{default}` |"
        for key, shape, default, meaning in reference()
    )
    return f"| key | meaning | value | default |\n| --- | --- | --- | --- |\n{rows}\n"


def written(readme: str) -> str:
    """Return the README with the configuration as it is."""
    return _MARKED.sub(lambda _: table(), readme)


if __name__ == "__main__":
    _README.write_text(written(_README.read_text("utf-8")), "utf-8")
