"""The examples of a page: its fenced blocks, and what the comments before them say.

Chinese pages have the blocks of the English ones and are not executed.

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
    """The English pages with examples."""
    guides = [path for name in FOLDERS for path in (ROOT / "docs" / name).glob("*.md")]
    return [ROOT / "README.md", ROOT / "docs" / "index.md", *sorted(guides)]


def translations() -> dict[Path, Path]:
    """The English page of each Chinese one."""
    base = ROOT / "docs" / "zh"
    chinese = {path: ROOT / "docs" / path.relative_to(base) for path in sorted(base.rglob("*.md"))}
    return {ROOT / "README.zh-CN.md": ROOT / "README.md", **chinese}


def with_blocks(page: str, original: str) -> str:
    """A translated page with the blocks of its original, one for one."""
    ours = list(FENCE.finditer(page))
    theirs = list(FENCE.finditer(original))
    languages = [match["language"] for match in ours]
    if languages != [match["language"] for match in theirs]:
        raise ValueError(f"other blocks than the original: {languages}")
    blocks = iter(match[0] for match in theirs)
    return FENCE.sub(lambda _: next(blocks), page)


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
