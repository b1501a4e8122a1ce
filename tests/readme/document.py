"""The README taken apart: its sections, blocks of code, links, and what is code within a line."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_IN_LINE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_LINK = re.compile(r"\[[^\]\n]+\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block of code, in the section that begins above it; `before` is the line before."""

    language: str
    text: str
    section: str
    before: str
    line: int

    @property
    def lines(self) -> list[str]:
        """Return its lines, those that go on in the next as one."""
        return self.text.replace("\\\n", " ").splitlines()


def _blocks() -> list[Block]:
    headings = [(found.start(), found[2]) for found in _HEADING.finditer(PROSE)]
    found_blocks = []
    for found in _FENCED.finditer(TEXT):
        above = TEXT[: found.start()]
        section = next(name for at, name in reversed(headings) if at < found.start())
        before = above.rstrip().rpartition("\n")[2]
        line = above.count("\n") + 1
        found_blocks.append(Block(found[1], found[2], section, before, line))
    return found_blocks


def _without_blocks() -> str:
    """Blank the blocks out, so that everything else stays where it is."""
    return _FENCED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), TEXT)


PROSE = _without_blocks()
BLOCKS = _blocks()
IN_LINE = [" ".join(found.split()) for found in _IN_LINE.findall(PROSE)]
LINKS = _LINK.findall(PROSE)
ANCHORS = {
    re.sub(r"[^\w\- ]", "", found[2].lower()).replace(" ", "-")
    for found in _HEADING.finditer(PROSE)
}


def blocks(language: str, *, outside: str | None = None) -> list[Block]:
    """Return the blocks of a language, but those of the section `outside`."""
    return [one for one in BLOCKS if one.language == language and one.section != outside]


def section(name: str) -> list[Block]:
    """Return the blocks of a section."""
    return [one for one in BLOCKS if one.section == name]


def between(mark: str) -> str:
    """Return what stands between the two comments of a generated part."""
    return TEXT.split(f"<!-- {mark} -->\n")[1].split(f"<!-- /{mark} -->")[0]
