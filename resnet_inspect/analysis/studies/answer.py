"""What a study answers: statements with their verdicts, tables, and what it did not measure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resnet_inspect.commands import Command

Cell = str | int | float | None


class Verdict(StrEnum):
    """SHOWN: what was measured is as the claim says; CONTRADICTED: it is the opposite, or not so;
    NOT_DECIDED: it does not tell.
    """

    SHOWN = "shown"
    NOT_DECIDED = "not decided"
    CONTRADICTED = "contradicted"


class Statement(msgspec.Struct, frozen=True):
    """A claim that was written before anything was measured, and what was measured of it.

    `measured` is a sentence with numbers, `numbers` the same for programs.
    """

    claim: str
    verdict: Verdict
    measured: str
    numbers: dict[str, Cell] = {}


class Grid(msgspec.Struct, frozen=True):
    """A table; cells that are not text are numbers, None for what there is not."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Answer(msgspec.Struct, frozen=True):
    """All that a study found. `limits` says what was not measured, `see` are commands that show
    more.
    """

    statements: tuple[Statement, ...]
    tables: tuple[Grid, ...] = ()
    limits: tuple[str, ...] = ()
    see: tuple[Command, ...] = ()


def fact(claim: str, holds: bool, measured: str, **numbers: Cell) -> Statement:
    """A statement on what can be read off, without chance: shown or contradicted."""
    return Statement(claim, Verdict.SHOWN if holds else Verdict.CONTRADICTED, measured, numbers)
