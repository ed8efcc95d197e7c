"""Judges runs: whether a repair passed, and how a program without an exception ended."""

from __future__ import annotations

import signal

from resnet_inspect.analysis.explain.proof import Attempt, Evidence, Outcome, Verdict
from resnet_inspect.graph.crash import Crash
from resnet_inspect.paths import printable
from resnet_inspect.program.trials.helper import Limits, Run
from resnet_inspect.program.trials.patched import PatchedProgram
from resnet_inspect.program.trials.request import Ending

GIGABYTE = 1_000_000_000
MOST_CAUSE = 200  # signs of the message of an exception
# Exceptions that depend on the machine, not on shapes: a missing file, package or input.
OF_ENVIRONMENT = {"OSError", "ImportError", "EOFError"}


def without_failure(run: Run, limits: Limits) -> tuple[Verdict, str]:
    """The verdict on a first run that raised no exception, and how it ended."""
    ending = run.result.ending
    if ending is Ending.ENDED:
        return Verdict.NOTHING, ""
    if ending is Ending.TIME:
        return Verdict.NOTHING, f"stopped after {limits.seconds:g} s"
    return Verdict.OTHER, _ended(run, limits)


def attempt_of(program: PatchedProgram, run: Run, limits: Limits) -> Attempt:
    """What a run says about the repairs in it."""
    result = run.result
    counts, crash = result.counts, result.crash
    outcome, reason, note = Outcome.PASSED, "", ""
    if result.ending is Ending.RAISED and crash is not None:
        raised = f"{_line(crash)} raises {crash.kind}: {_short(crash.cause)}"
        if not counts.passed:
            outcome, reason = Outcome.FAILED, raised
        elif OF_ENVIRONMENT & {crash.kind, *crash.bases}:
            note = f"{raised}, which is not a shape error"
        else:
            outcome, reason = Outcome.FURTHER, f"{program.failed_call} passes, then {raised}"
    elif result.ending is Ending.TIME and counts.passed:
        note = _ended(run, limits)
    elif result.ending not in (Ending.ENDED, Ending.ENOUGH):
        outcome, reason = Outcome.STOPPED, _ended(run, limits)
    evidence = Evidence(
        passed=program.failed_call,
        steps=counts.steps,
        first_loss=counts.first_loss,
        last_loss=counts.last_loss,
        finite=counts.finite,
        keeps_batch=counts.keeps_batch,
        ended=result.ending is Ending.ENDED,
        note=note,
    )
    changes = program.changes() if outcome is Outcome.PASSED else ()
    return Attempt(program.repairs, outcome, reason, evidence, changes, run.output)


def _ended(run: Run, limits: Limits) -> str:
    """How a run ended that raised no exception."""
    ending, code = run.result.ending, run.result.code
    if ending is Ending.TIME:
        return f"stopped after {limits.seconds:.0f} s"
    if ending is Ending.MEMORY:
        return f"stopped above {limits.memory / GIGABYTE:.1f} GB of memory"
    if ending is Ending.OUTPUT:
        return "stopped because it printed too much"
    last = f", last output: {_short(run.output[-1])}" if run.output else ""
    if ending is Ending.DIED:
        return f"ended by {signal.Signals(-code).name}{last}"
    return f"exited with code {code}{last}"


def _line(crash: Crash) -> str:
    """The user's line that raised an exception."""
    if not crash.frames:
        return "the program"
    site = crash.frames[-1].site
    same = site.file == crash.frames[0].site.file
    return f"line {site.line}" if same else f"{site.file}:{site.line}"


def _short(text: str) -> str:
    text = printable(" ".join(text.split()))
    return text if len(text) <= MOST_CAUSE else f"{text[:MOST_CAUSE]} …"
