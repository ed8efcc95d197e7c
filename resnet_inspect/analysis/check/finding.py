"""A problem of a run, with its evidence."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resnet_inspect.commands import Command
from resnet_inspect.graph import Place

Measured = bool | int | float | str


class Severity(StrEnum):
    """How serious a finding is.

    ERROR: the computation is not the intended one, or training cannot work. WARNING: training
    works badly. INFO: worth knowing, often intended.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(msgspec.Struct, frozen=True):
    """A problem that a rule detected.

    `message` is the verdict, `evidence` the measured values by name, `why` the consequence, `fix`
    the remedy and `command` the command that shows more. `place` is the affected part of the
    network, or the whole run. `step` is the step of the problem, None for all steps. `check` sets
    `rule`.
    """

    severity: Severity
    message: str
    evidence: dict[str, Measured]
    why: str
    fix: str
    place: Place = Place()
    step: int | None = None
    command: Command | None = None
    rule: str = ""


def rounded(value: float) -> float:
    """`value` with one significant digit, for texts that give an order of magnitude."""
    return float(f"{value:.1g}")
