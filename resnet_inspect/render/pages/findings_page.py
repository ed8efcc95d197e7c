"""Findings in a terminal: worst first, each with its evidence and its fix."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.text import Text

from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.analysis.check.finding import Measured
from resnet_inspect.analysis.page.failure import FailureFacts
from resnet_inspect.commands import spelled
from resnet_inspect.paths import printable
from resnet_inspect.render import spelling
from resnet_inspect.render.labels import wrapped
from resnet_inspect.render.pages.explanation_page import explanation_lines, print_lines
from resnet_inspect.render.screen import Screen, plain

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold blue"}
MARKS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "i"}
INDENT = "   "
WIDEST = 100
SHORT = 2
NO_STEPS = "no step was recorded: rules on recorded values were skipped"
# The labels of the parts of a rule's text.
PARTS = re.compile(r" (?=(?:Background|Threshold|Not reported): )")


def findings_page(
    screen: Screen,
    findings: Sequence[Finding],
    network: str,
    status: str,
    steps: int,
    failure: FailureFacts | None = None,
) -> None:
    """Print a paragraph for each finding, and a line with their number.

    Below the findings is the explanation of the `failure` that ended the run.
    """
    width = min(screen.width, WIDEST)
    for finding in findings:
        for line in finding_lines(finding, width, command=False):
            screen.line(line)
        if finding.command is not None:
            screen.whole(plain(f"{INDENT}see: {spelled(finding.command)}", "dim"))
        screen.line(plain(""))
    lines = explanation_lines(failure) if failure is not None else ()
    if lines:
        screen.line(plain("Why it failed", "bold"))
        print_lines(screen, lines)
        screen.line(plain(""))
    screen.line(
        plain(f"{network} ({status}, {steps} recorded steps): {findings_count(findings)}", "dim")
    )
    if not steps:
        screen.line(plain(NO_STEPS, "dim"))


def findings_count(findings: Sequence[Finding]) -> str:
    """The number of findings by severity, such as "1 error, 2 warnings"."""
    counts: Counter[str] = Counter(finding.severity for finding in findings)
    infos = [f"{counts[Severity.INFO]} info"] if counts[Severity.INFO] else []
    return ", ".join(troubles(counts) + infos) or "no findings"


def troubles(counts: Mapping[str, int]) -> list[str]:
    """The numbers of errors and of warnings as texts, such as "2 warnings"."""
    return [
        f"{counts[level]} {level}" + ("s" if counts[level] > 1 else "")
        for level in (Severity.ERROR, Severity.WARNING)
        if counts.get(level)
    ]


def finding_lines(finding: Finding, width: int, *, command: bool = True) -> list[Text]:
    """Severity, rule and place; then the message, the evidence, the reason and the fix.

    With `command` the last line is the command that shows the evidence.
    """
    lines = [_head(finding, width), *_wrapped(finding.message, width)]
    if measured := evidence_text(finding):
        lines += _wrapped(f"measured: {measured}", width, "dim")
    lines += _wrapped(f"why: {finding.why}", width)
    lines += _wrapped(f"try: {finding.fix}", width)
    if command and finding.command is not None:
        lines += _wrapped(f"see: {spelled(finding.command)}", width, "dim")
    return lines


def evidence_text(finding: Finding) -> str:
    """The measured values of a finding in one line; empty if there are none."""
    values = ((name.replace("_", " "), _spelled(value)) for name, value in finding.evidence.items())
    return "; ".join(f"{name} {value}" for name, value in values)


def short_lines(finding: Finding, width: int) -> list[Text]:
    """Severity, rule and place; then the message in at most two lines."""
    message = _wrapped(finding.message, width)
    if len(message) > SHORT:
        message[SHORT - 1].truncate(width - 2)
        message[SHORT - 1].append(" …")
    return [_head(finding, width), *message[:SHORT]]


def place_of(finding: Finding) -> str:
    """The layer and the step of a finding, if any; empty for a finding on the whole run."""
    name = str(finding.place)
    step = [f"step {finding.step}"] if finding.step is not None else []
    return ", ".join([printable(name)] * bool(name) + step)


def _head(finding: Finding, width: int) -> Text:
    head = Text(no_wrap=True)
    head.append(f"{MARKS[finding.severity]} {finding.severity}", STYLES[finding.severity])
    head.append(f"  {finding.rule}", "bold")
    if place := place_of(finding):
        head.append(f"  {place}", "cyan")
    head.truncate(width, overflow="ellipsis")
    return head


def explanation_page(screen: Screen, texts: Mapping[str, str]) -> None:
    """Print the text of each rule; Threshold, Background and Not reported start new lines."""
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
    return [plain(INDENT + line, style) for line in wrapped(text, room)]


def _spelled(value: Measured) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return spelling.number(value) if isinstance(value, float) else str(value)
