"""The examples of a page: its fenced blocks, and what the comments before them say.

- `<!-- not run: REASON -->`: the block is shown only.
- `<!-- exit: N -->`: the last command of the block ends with this exit code.
- `<!-- instead: COMMAND -->`: the test runs this command, because the block installs something.
- `<!-- file: NAME -->`: the block is the content of this file.
- `<!-- run: NAME -->`: the page reads the tutorial's run, which is here a recording of tests/runs.
- `<!-- output -->`: what the last command printed. The test compares it without its numbers.
- `<!-- output: 1-9 -->`: these lines of it. `<!-- output: stderr -->`: its errors.
- `<!-- output: full -->`, `<!-- output: full 1-9 -->`: printed with the settings that the page
  shows. The test, which uses small ones, does not compare it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("tutorial", "questions", "how_to")
FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
RECORDING = re.compile(r"^<!-- run: (?P<name>\w+) -->$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `start` and `end` are the places of its text in the page."""

    language: str
    text: str
    mark: str
    value: str
    start: int
    end: int

    @property
    def runs(self) -> bool:
        """Whether the block is executed."""
        return self.language in ("sh", "python") and self.mark not in ("not run", "file")


def pages() -> list[Path]:
    """README.md and all pages with examples, in every language."""
    found = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "docs" / "index.md"]
    for base in (ROOT / "docs", ROOT / "docs" / "zh"):
        found += [base / "index.md", *(path for name in FOLDERS for path in base.glob(f"{name}/*.md"))]
    return sorted({path for path in found if path.exists()})


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for match in FENCE.finditer(page):
        mark, _, value = (match["mark"] or "").partition(":")
        yield Block(
            match["language"],
            match["text"],
            mark.strip(),
            value.strip(),
            match.start("text"),
            match.end("text"),
        )


def recording(page: str) -> str | None:
    """The recording that the page reads, if any."""
    match = RECORDING.search(page)
    return match["name"] if match else None


def excerpt(printed: str, value: str) -> str:
    """The lines of `printed` that an output block quotes, with `…` where it leaves out the end."""
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    span = re.search(r"(\d+)-(\d+)", value)
    if span is None:
        return "\n".join(lines) + "\n"
    first, last = int(span[1]), int(span[2])
    rest = ["…"] if last < len(lines) else []
    return "\n".join(lines[first - 1 : last] + rest) + "\n"
