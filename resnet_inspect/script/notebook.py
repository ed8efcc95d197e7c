"""Runs the code cells of a Jupyter notebook. Lines that only IPython understands are skipped."""

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
TIMES = "%time "  # runs the statement behind it
# Cell magics that run the cell's Python code; the body of any other is another language's.
RUNS_PYTHON = ("%%time", "%%timeit", "%%capture", "%%prun")


@dataclass(frozen=True)
class Cell:
    """A code cell: its number among all cells, from 1, and its text."""

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
        """Read a notebook; raises UsageError for a file that is none."""
        path = Path(name)
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            cells = tuple(_cells(held))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(
                "the notebook cannot be read",
                where=name,
                expected="a Jupyter notebook, format 3 or newer",
                got=f"{type(error).__name__}: {error}",
                fix="open and save it in Jupyter, or export it as a script",
            ) from error
        return cls(name, path.resolve().parent, cells)

    def run(self, names: dict[str, Any], say: Callable[[str], None]) -> None:
        """Execute all cells with these global names; `say` receives what was changed in them."""
        names.setdefault("display", _display)
        file = Path(self.name).name
        for cell in self.cells:
            text, changed = python_of(cell.source)
            for line, what in changed:
                say(f"{file}: cell {cell.number}, line {line} {what}")
            place = f"{file}, cell {cell.number}"
            lines = text.splitlines(keepends=True)
            # Without a time of change Python keeps these lines for tracebacks and inspect.
            linecache.cache[place] = (len(text), None, lines, place)
            exec(compile(text, place, "exec", dont_inherit=True), names)


def _cells(held: Any) -> list[Cell]:
    sheets = held.get("worksheets", [held])  # format 3 has sheets
    found = [cell for sheet in sheets for cell in sheet["cells"]]
    cells = []
    for number, cell in enumerate(found, start=1):
        if cell["cell_type"] == "code":
            source = cell["source"] if "source" in cell else cell["input"]
            cells.append(Cell(number, source if isinstance(source, str) else "".join(source)))
    return cells


def python_of(source: str) -> tuple[str, list[tuple[int, str]]]:
    """A cell as plain Python with the same line numbers, and what was done with which lines.

    A cell that Python can parse is taken as it is: a line that begins with % may be in a text.
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
    """Where Python's parser stops, from 0; None if it does not."""
    try:
        ast.parse("\n".join(lines))
    except SyntaxError as error:
        line = (error.lineno or 0) - 1
        return line if 0 <= line < len(lines) else None
    return None


def _without_magic(line: str) -> str | None:
    """A line that does nothing instead of a magic, a shell command or a question; None for others.

    `files = !ls` becomes an empty list, `%time f()` becomes `f()`.
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
    """What `display` of a notebook does where there is only text."""
    for value in values:
        print(value)
