"""Runs the code cells of a Jupyter notebook. Skips lines that are not Python."""

from __future__ import annotations

import ast
import json
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnet_inspect.errors import UsageError

MAGIC = ("%", "!", "?")
SKIPPED, WITHOUT_MAGIC = "skipped: ", "run without its magic: "
TIMES = "%time "  # runs the statement after it
# Cell magics whose cell is Python code; other magics have cells in other languages.
RUNS_PYTHON = ("%%time", "%%timeit", "%%capture", "%%prun")


@dataclass(frozen=True)
class Cell:
    """A code cell: its number among all cells, from 1, and its source."""

    number: int
    source: str


@dataclass(frozen=True)
class Notebook:
    """The code cells of a notebook file."""

    name: str
    folder: Path
    cells: tuple[Cell, ...]

    @classmethod
    def read(cls, name: str) -> Notebook:
        """Read a notebook. Raises UsageError if the file is no notebook."""
        path = Path(name)
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            cells = tuple(_cells(document))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(
                "the notebook cannot be read",
                where=name,
                expected="a Jupyter notebook, format 3 or newer",
                got=f"{type(error).__name__}: {error}",
                fix="save it again in Jupyter, or export it as a script",
            ) from error
        return cls(name, path.resolve().parent, cells)

    def run(self, names: dict[str, Any], say: Callable[[str], None]) -> None:
        """Execute all cells with these globals; `say` receives a text for each changed line."""
        names.setdefault("display", _display)
        file = Path(self.name).name
        for cell in self.cells:
            text, changed = python_of(cell.source)
            for line, what in changed:
                say(f"{file}: cell {cell.number}, line {line} {what}")
            place = f"{file}, cell {cell.number}"
            lines = text.splitlines(keepends=True)
            # None as modification time: Python keeps these lines for tracebacks.
            linecache.cache[place] = (len(text), None, lines, place)
            exec(compile(text, place, "exec", dont_inherit=True), names)


def _cells(document: Any) -> list[Cell]:
    sheets = document.get("worksheets", [document])  # format 3 has sheets
    every = [cell for sheet in sheets for cell in sheet["cells"]]
    cells = []
    for number, cell in enumerate(every, start=1):
        if cell["cell_type"] == "code":
            source = cell["source"] if "source" in cell else cell["input"]
            cells.append(Cell(number, source if isinstance(source, str) else "".join(source)))
    return cells


def python_of(source: str) -> tuple[str, list[tuple[int, str]]]:
    """A cell as Python with the same line numbers, and the changed lines with a description.

    A cell that Python can parse stays unchanged: a line that begins with % may be part of a text.
    """
    lines = source.splitlines()
    changed = []
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].startswith("%%"):
        magic = lines[first].strip()
        if magic.split()[0] not in RUNS_PYTHON:
            return "\n" * len(lines), [(first + 1, f"{SKIPPED}{magic}, with its cell")]
        changed.append((first + 1, f"{WITHOUT_MAGIC}{magic}"))
        lines[first] = ""
    for _ in lines:
        wrong = _first_wrong_line(lines)
        if wrong is None or (plain := _without_magic(lines[wrong])) is None:
            break
        words = lines[wrong].strip()
        changed.append((wrong + 1, (WITHOUT_MAGIC if words.startswith(TIMES) else SKIPPED) + words))
        lines[wrong] = plain
    return "\n".join(lines) + "\n", changed


def _first_wrong_line(lines: list[str]) -> int | None:
    """The index of the line with the first syntax error; None without an error."""
    try:
        ast.parse("\n".join(lines))
    except SyntaxError as error:
        line = (error.lineno or 0) - 1
        return line if 0 <= line < len(lines) else None
    return None


def _without_magic(line: str) -> str | None:
    """A Python line in place of a magic, a shell command or a help request; None for other lines.

    `!ls` becomes `pass`, `files = !ls` becomes `files = []`, `%time f()` becomes `f()`.
    """
    bare = line.lstrip()
    indent = line[: len(line) - len(bare)]
    if bare.startswith(TIMES):
        return indent + bare.removeprefix(TIMES).lstrip()
    if bare.startswith(MAGIC) or bare.rstrip().endswith("?"):
        return f"{indent}pass"
    name, assigned, command = bare.partition("=")
    if assigned and command.lstrip().startswith(("%", "!")):
        return f"{indent}{name}= []"
    return None


def _display(*values: Any, **_: Any) -> None:
    """Print values: `display` of a notebook without graphics."""
    for value in values:
        print(value)
