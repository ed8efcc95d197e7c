"""Findings in a terminal: worst first, each with what was measured and what to do."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.text import Text

from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.analysis.check.finding import Measured
from resnet_inspect.commands import spelled
from resnet_inspect.paths import printable
from resnet_inspect.render import spelling
from resnet_inspect.render.screen import Screen, plain

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold blue"}
MARKS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "i"}
INDENT = "   "
WIDEST = 100
SHORT = 2
UNASKED = "no step was recorded: rules about numbers could not be asked"
# What each rule's text tells after its first paragraph.
PARTS = re.compile(r" (?=(?:Source|Threshold|Silent): )")


def findings_page(
    screen: Screen, findings: Sequence[Finding], network: str, status: str, steps: int
) -> None:
    """A paragraph a finding, and one line that counts them."""
    width = min(screen.width, WIDEST)
    for one in findings:
        for line in finding_lines(one, width, command=False):
            screen.line(line)
        if one.command is not None:
            screen.whole(plain(f"{INDENT}see: {spelled(one.command)}", "dim"))
        screen.line(plain(""))
    screen.line(plain(f"{network} ({status}, {steps} recorded steps): {counted(findings)}", "dim"))
    if not steps:
        screen.line(plain(UNASKED, "dim"))


def counted(findings: Sequence[Finding]) -> str:
    """Such as 1 error, 2 warnings."""
    found: Counter[str] = Counter(one.severity for one in findings)
    hints = [f"{found[Severity.INFO]} to know"] if found[Severity.INFO] else []
    return ", ".join(troubles(found) + hints) or "nothing found"


def troubles(found: Mapping[str, int]) -> list[str]:
    """Errors and warnings, each such as 2 warnings, of how many there are of each severity."""
    return [
        f"{found[level]} {level}" + ("s" if found[level] > 1 else "")
        for level in (Severity.ERROR, Severity.WARNING)
        if found.get(level)
    ]


def finding_lines(one: Finding, width: int, *, command: bool = True) -> list[Text]:
    """Severity, rule and place; then what is wrong, was measured, why it matters, what to try, and
    the `command` that shows it.
    """
    lines = [_head(one, width), *_wrapped(one.message, width)]
    if measured := told_evidence(one):
        lines += _wrapped(measured, width, "dim")
    lines += _wrapped(f"why: {one.why}", width)
    lines += _wrapped(f"try: {one.fix}", width)
    if command and one.command is not None:
        lines += _wrapped(f"see: {spelled(one.command)}", width, "dim")
    return lines


def told_evidence(one: Finding) -> str:
    """What was measured, in one line; empty if nothing was."""
    return "  ".join(f"{name} {_told(value)}" for name, value in one.evidence.items())


def short_lines(one: Finding, width: int) -> list[Text]:
    """Severity, rule and place; then what is wrong, in at most two lines."""
    told = _wrapped(one.message, width)
    if len(told) > SHORT:
        told[SHORT - 1].truncate(width - 2)
        told[SHORT - 1].append(" …")
    return [_head(one, width), *told[:SHORT]]


def place_of(one: Finding) -> str:
    """Where a finding is: a layer, a step, both; empty for the whole run."""
    name = str(one.place)
    step = [f"step {one.step}"] if one.step is not None else []
    return ", ".join([printable(name)] * bool(name) + step)


def _head(one: Finding, width: int) -> Text:
    head = Text(no_wrap=True)
    head.append(f"{MARKS[one.severity]} {one.severity}", STYLES[one.severity])
    head.append(f"  {one.rule}", "bold")
    if place := place_of(one):
        head.append(f"  {place}", "cyan")
    head.truncate(width, overflow="ellipsis")
    return head


def explanation_page(screen: Screen, texts: Mapping[str, str]) -> None:
    """Each rule's own words; Source, Threshold and Silent begin lines of their own."""
    for number, (name, text) in enumerate(texts.items()):
        if number:
            screen.line(plain(""))
        screen.line(plain(name, "bold"))
        for paragraph in text.split("\n\n"):
            for part in PARTS.split(" ".join(paragraph.split())):
                for line in _wrapped(part, min(screen.width, WIDEST)):
                    screen.line(line)


def _wrapped(text: str, width: int, style: str = "") -> list[Text]:
    room = max(20, width - len(INDENT))
    return [
        plain(INDENT + line, style) for line in textwrap.wrap(text, room, break_on_hyphens=False)
    ]


def _told(value: Measured) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return spelling.number(value) if isinstance(value, float) else str(value)
