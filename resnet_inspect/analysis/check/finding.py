"""One thing that is wrong, with what was measured."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resnet_inspect.commands import Command
from resnet_inspect.graph import Place

Measured = bool | int | float | str


class Severity(StrEnum):
    """ERROR: what is computed is not what was meant, or training cannot work; WARNING: it hardly
    works as it is; INFO: worth knowing, often on purpose.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(msgspec.Struct, frozen=True):
    """What a rule found.

    `message` says what is wrong, `evidence` what was measured, `why` why it matters, `fix` what to
    try, `command` what shows it. `place` is the part of the network, or the whole run;
    `step` the step at which it showed, None for all. `rule` is filled in by `check`.
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
