"""Repairs of a program: the verdict, then a diff and the evidence of each repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich.text import Text

from resnet_inspect.analysis.explain.patches import difference
from resnet_inspect.analysis.explain.proof import (
    MOST_OFFERED,
    Attempt,
    Evidence,
    FixReport,
    Verdict,
)
from resnet_inspect.commands import Command, spelled
from resnet_inspect.render.labels import wrapped
from resnet_inspect.render.screen import Screen, plain

STYLES = {"+": "green", "-": "red", "@": "cyan"}
INDENT = "   "
LOST_BATCH = "axis 0 of predictions is no longer the batch"
NOT_SHAPE = "not a shape error"
TAB = "\t"


def fix_page(
    screen: Screen, report: FixReport, *, every: bool = False, apply: Command | None = None
) -> None:
    """Print the verdict, then the repairs that passed with their diffs.

    With `every` all repairs that passed are shown, and how each of the others failed. `apply` is
    the command that writes the first repair.
    """
    first, *rest = headlines(report)
    for line in wrapped(first, screen.width):
        screen.line(plain(line, "bold"))
    for text in rest:
        for line in wrapped(text, screen.width):
            screen.line(plain(line))
    shown = report.offered if every else report.offered[:MOST_OFFERED]
    for number, attempt in enumerate(shown, 1):
        screen.line(plain(""))
        _print_repair(screen, number, attempt)
    others = report.others if every or not report.offered else ()
    if others:
        screen.line(plain(""))
        screen.line(plain("Repairs that are not offered", "bold"))
    for attempt in others:
        for line in wrapped(f"{attempt.title}: {attempt.reason or LOST_BATCH}", screen.width):
            screen.line(plain(line))
    remarks = list(_remarks(report, len(shown), every=every))
    if remarks or (shown and apply is not None):
        screen.line(plain(""))
    for line in remarks:
        screen.line(plain(line, "dim"))
    if shown and apply is not None:
        screen.whole(plain(f"write the first repair: {spelled(apply)}", "dim"))


def headlines(report: FixReport) -> list[str]:
    """The verdict, then what failed and why."""
    explanation = report.explanation
    if explanation is None:
        return [_verdict(report)]
    if report.verdict is Verdict.OTHER:
        known = explanation.verdict.startswith(NOT_SHAPE)
        return [explanation.verdict if known else f"{NOT_SHAPE}: {explanation.verdict}"]
    return [_verdict(report), explanation.verdict]


def _verdict(report: FixReport) -> str:
    name = report.program
    if report.verdict is Verdict.NOTHING:
        steps = f"ran {_count(report.steps, 'training step')}" if report.steps else "ran"
        return f"nothing to fix: {name} {steps} without an error{_because(report.note)}"
    if report.verdict is Verdict.REPAIRED:
        passed = _count(len(report.offered), "repair")
        return f"{passed} of {name} {'passes' if len(report.offered) == 1 else 'pass'}"
    if report.verdict is Verdict.UNREPAIRED:
        tried = len(report.others)
        if not tried:
            return f"no repair of {name} is known"
        return f"no repair of {name} passes; {_count(tried, 'repair')} tried"
    return f"{NOT_SHAPE}: {name} {report.note}"


def evidence_text(evidence: Evidence) -> str:
    """What a program did with a repair, such as "3 steps run, loss 2.31 → 2.05"."""
    return ", ".join(_evidence(evidence))


def warnings_of(attempt: Attempt) -> Iterator[str]:
    """What the user must know before applying a repair that passed."""
    evidence = attempt.evidence
    if not attempt.keeps_batch:
        yield LOST_BATCH
    if not evidence.finite:
        yield "the loss is NaN or infinite"
    if evidence.idle:
        yield "the loss is 0 from the first step, so nothing is learned"
    if evidence.note:
        yield evidence.note


def repair_fields(attempt: Attempt) -> dict[str, Any]:
    """The JSON fields of a repair."""
    return {
        "title": attempt.title,
        "rules": [repair.rule for repair in attempt.repairs],
        "lines": [repair.line for repair in attempt.repairs],
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "evidence": attempt.evidence,
        "keeps_batch": attempt.keeps_batch,
        "warnings": list(warnings_of(attempt)),
        "diff": diff_text(attempt),
        "output": attempt.output,
    }


def fix_fields(report: FixReport) -> dict[str, Any]:
    """The JSON fields of a search for repairs."""
    fields = msgspec.structs.asdict(report)
    return fields | {
        "offered": [repair_fields(attempt) for attempt in report.offered],
        "others": [repair_fields(attempt) for attempt in report.others],
    }


def diff_text(attempt: Attempt) -> str:
    """The unified diff of all changed files."""
    changes = (difference(item.name, item.before, item.after) for item in attempt.changes)
    return "".join(changes)


def _print_repair(screen: Screen, number: int, attempt: Attempt) -> None:
    screen.line(plain(f"{number}. {attempt.title}", "bold"))
    for repair in attempt.repairs:
        for line in wrapped(repair.reason, screen.width - len(INDENT)) if repair.reason else ():
            screen.line(plain(f"{INDENT}{line}"))
    for line in diff_text(attempt).split("\n")[:-1]:
        screen.whole(_shown(line.removesuffix("\r")))
    screen.line(plain(f"{INDENT}{evidence_text(attempt.evidence)}"))
    for warning in warnings_of(attempt):
        for line in wrapped(f"warning: {warning}", screen.width - len(INDENT)):
            screen.line(plain(f"{INDENT}{line}", "yellow"))


def _shown(line: str) -> Text:
    """A line of a diff. Tabs remain."""
    parts = [plain(part) for part in line.split(TAB)]
    text = Text(TAB, style=STYLES.get(line[:1], "")).join(parts)
    text.stylize(STYLES.get(line[:1], ""))
    return text


def _evidence(evidence: Evidence) -> Iterator[str]:
    if evidence.passed != "fit" or not evidence.steps:
        yield f"{evidence.passed} passes"
    if evidence.steps:
        yield f"{_count(evidence.steps, 'training step')} run"
    if evidence.ended:
        yield "the script ends without an error"
    if evidence.first_loss is not None and evidence.last_loss is not None:
        first, last = (f"{loss:.4g}" for loss in (evidence.first_loss, evidence.last_loss))
        yield f"loss {first} → {last}" if evidence.steps > 1 else f"loss {last}"
    if evidence.keeps_batch:
        yield "batch axis kept"


def _remarks(report: FixReport, shown: int, *, every: bool) -> Iterator[str]:
    hidden: Sequence[str] = ()
    if report.offered and not every:
        others = len(report.others) + len(report.offered) - shown
        hidden = [f"{_count(others, 'more repair')} tried; show them with --all"] if others else []
    yield from hidden
    if report.untried:
        yield f"{_count(report.untried, 'repair')} not tried; try them with --all"


def _because(note: str) -> str:
    return f" ({note})" if note else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
