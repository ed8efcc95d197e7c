"""The programs with shape errors, and their right answers from answers.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PROGRAMS = FOLDER / "programs"


@dataclass(frozen=True, slots=True)
class Origin:
    """A size, or a number of axes, and the line and expression that set it."""

    size: int
    line: int
    expression: str
    unit: str = "size"
    also: tuple[int, ...] = ()

    @property
    def lines(self) -> tuple[int, ...]:
        """All lines that are right answers."""
        return (self.line, *self.also)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A line of the program with another text."""

    line: int
    before: str
    after: str

    def applied(self, source: str) -> str:
        """The source with the line replaced; the indentation stays.

        Raises ValueError if the line has another text than `before`.
        """
        lines = source.splitlines(keepends=True)
        text = lines[self.line - 1]
        if text.strip() != self.before:
            raise ValueError(f"line {self.line} is {text.strip()!r}, not {self.before!r}")
        lines[self.line - 1] = _indented(self.after, text)
        return "".join(lines)


@dataclass(frozen=True, slots=True)
class Insertion:
    """A new line above the line with the number `above`."""

    above: int
    text: str
    like: int

    def applied(self, source: str) -> str:
        """The source with the new line, indented as line `like`."""
        lines = source.splitlines(keepends=True)
        lines.insert(self.above - 1, _indented(self.text, lines[self.like - 1]))
        return "".join(lines)


Repair = Replacement | Insertion


@dataclass(frozen=True, slots=True)
class Answer:
    """What is right to say of a program; answers.toml explains the fields."""

    key: str
    kind: str
    when: str
    error: str | None
    call_line: int | None
    raised_line: int | None
    reported_line: int | None
    fault_lines: tuple[int, ...]
    sizes: tuple[Origin, ...]
    sizes_also: tuple[Origin, ...]
    at_call: tuple[int, ...]
    before: str | None
    repairs: tuple[Repair, ...]
    target: str | None
    inputs: str

    @property
    def program(self) -> Path:
        """The file of the program."""
        return PROGRAMS / f"{self.key}.py"

    @property
    def source(self) -> str:
        """The text of the program."""
        return self.program.read_text(encoding="utf-8")

    @property
    def old(self) -> bool:
        """Whether the program needs the API of TensorFlow 1 under the name tensorflow."""
        return self.target is not None and "import keras" not in self.source


@cache
def answers() -> Mapping[str, Answer]:
    """All answers by the key of their program, such as own/no_flatten."""
    tables = tomllib.loads((FOLDER / "answers.toml").read_text(encoding="utf-8"))
    return {key: _answer(key, table) for key, table in tables.items()}


def _answer(key: str, table: Mapping[str, Any]) -> Answer:
    call = table.get("call_line")
    return Answer(
        key=key,
        kind=table["kind"],
        when=table["when"],
        error=table.get("error"),
        call_line=call,
        raised_line=table.get("raised_line", call),
        reported_line=table.get("reported_line", call),
        fault_lines=tuple(table.get("fault_lines", ())),
        sizes=_origins(table.get("sizes", ())),
        sizes_also=_origins(table.get("sizes_also", ())),
        at_call=tuple(table.get("at_call", ())),
        before=table.get("before"),
        repairs=tuple(map(_repair, table.get("repairs", ()))),
        target=table.get("target"),
        inputs=table.get("inputs", ""),
    )


def _origins(tables: Sequence[Mapping[str, Any]]) -> tuple[Origin, ...]:
    return tuple(Origin(**{**table, "also": tuple(table.get("also", ()))}) for table in tables)


def _repair(table: Mapping[str, Any]) -> Repair:
    if "line" in table:
        return Replacement(table["line"], table["before"], table["after"])
    if "insert_before" in table:
        return Insertion(table["insert_before"], table["text"], table["insert_before"])
    return Insertion(table["insert_after"] + 1, table["text"], table["insert_after"])


def _indented(text: str, line: str) -> str:
    """The text on lines of its own, indented as the line."""
    margin = line[: len(line) - len(line.lstrip())]
    return "".join(f"{margin}{part}\n" for part in text.splitlines())
