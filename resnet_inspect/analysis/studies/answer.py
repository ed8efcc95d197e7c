"""The answer of a study: statements with verdicts, tables, and limits."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resnet_inspect.commands import Command

Cell = str | int | float | None


class Verdict(StrEnum):
    """Whether the measurements support a claim.

    SHOWN: they agree with the claim. CONTRADICTED: they disagree with it. NOT_DECIDED: they do
    not suffice.
    """

    SHOWN = "shown"
    NOT_DECIDED = "not decided"
    CONTRADICTED = "contradicted"


class Statement(msgspec.Struct, frozen=True):
    """A claim, written before the measurement, with its verdict and what was measured.

    `measured` is a sentence with numbers; `numbers` are the same numbers for programs.
    """

    claim: str
    verdict: Verdict
    measured: str
    numbers: dict[str, Cell] = {}


class Grid(msgspec.Struct, frozen=True):
    """A table; a cell is a text, a number, or None for no value."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Answer(msgspec.Struct, frozen=True):
    """The result of a study. `limits` are texts about what was not measured; `see` are commands."""

    statements: tuple[Statement, ...]
    tables: tuple[Grid, ...] = ()
    limits: tuple[str, ...] = ()
    see: tuple[Command, ...] = ()


def fact(claim: str, confirmed: bool, measured: str, **numbers: Cell) -> Statement:
    """A statement about an exact measurement without randomness: shown or contradicted."""
    verdict = Verdict.SHOWN if confirmed else Verdict.CONTRADICTED
    return Statement(claim, verdict, measured, numbers)
