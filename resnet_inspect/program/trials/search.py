"""Searches repairs of a program: runs it until it fails, then with each repair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from resnet_inspect.analysis.explain.explanation import Explanation, Repair
from resnet_inspect.analysis.explain.proof import (
    MOST_OFFERED,
    REPAIRABLE,
    Attempt,
    FixReport,
    Outcome,
    Verdict,
    ranked,
)
from resnet_inspect.errors import PatchError
from resnet_inspect.graph.crash import Crash
from resnet_inspect.program.trials.helper import Limits
from resnet_inspect.program.trials.patched import PatchedProgram
from resnet_inspect.program.trials.request import Ending, Invocation
from resnet_inspect.program.trials.runner import Runner
from resnet_inspect.program.trials.verdicts import attempt_of, without_failure

MOST_TRIED = 12  # repairs of the first failure
MOST_CONTINUED = 3  # repairs that let the program fail later, and are combined with others
MOST_COMBINED = 4  # repairs that are tried on top of each of them
Explain = Callable[[Crash], Explanation]
Say = Callable[[str], None]


class Options(msgspec.Struct, frozen=True):
    """How to search.

    Attributes:
        steps: training steps that a trial runs past the failure.
        limits: of each run; trials also get the time of the first run.
        every: whether all repairs are tried, not only until enough pass.
    """

    steps: int
    limits: Limits
    every: bool = False


class Search:
    """A search for repairs of a program. `explain` returns the explanation of a crash."""

    def __init__(self, runner: Runner, options: Options, explain: Explain, say: Say) -> None:
        self._runner = runner
        self._options = options
        self._explain = explain
        self._say = say
        self._attempts: list[Attempt] = []

    def report(self, program: Invocation, folder: Path) -> FixReport:
        """Run the program, and its repairs if it fails."""
        name = f"-m {program.name}" if program.module else program.name
        self._say(f"running {name} ...")
        first = self._runner.first(self._options.limits)
        crash = first.result.crash
        steps = first.result.counts.steps
        if first.result.ending is not Ending.RAISED or crash is None:
            verdict, note = without_failure(first, self._options.limits)
            return FixReport(verdict, name, steps=steps, note=note)
        explanation = self._explain(crash)
        if not explanation.repairs:
            verdict = Verdict.UNREPAIRED if explanation.kind in REPAIRABLE else Verdict.OTHER
            return FixReport(verdict, name, explanation, steps=steps)
        limits = msgspec.structs.replace(
            self._options.limits, seconds=self._options.limits.seconds + first.seconds
        )
        original = PatchedProgram.unchanged(folder, crash, first.result.place)
        untried = self._search(original, explanation.repairs, limits)
        offered = ranked(self._attempts)
        others = [attempt for attempt in self._attempts if attempt not in offered]
        verdict = Verdict.REPAIRED if offered else Verdict.UNREPAIRED
        return FixReport(verdict, name, explanation, tuple(offered), tuple(others), untried, steps)

    def _search(self, original: PatchedProgram, repairs: Sequence[Repair], limits: Limits) -> int:
        """Try repairs, then combinations if none passes; returns how many were left out."""
        tried = repairs if self._options.every else repairs[:MOST_TRIED]
        further = list(self._try(original, tried, limits))
        if not self._passed:
            for program, crash in further[:MOST_CONTINUED]:
                combined = self._explain(crash).repairs[:MOST_COMBINED]
                for _ in self._try(program, combined, limits):
                    pass
        return len(repairs) - len(tried)

    @property
    def _passed(self) -> int:
        """How many repairs passed and keep the batch."""
        passed = [attempt for attempt in self._attempts if attempt.outcome is Outcome.PASSED]
        return sum(attempt.keeps_batch for attempt in passed)

    def _try(
        self, program: PatchedProgram, repairs: Sequence[Repair], limits: Limits
    ) -> Iterator[tuple[PatchedProgram, Crash]]:
        """Try repairs; yields the programs that then fail later, with their crash."""
        patched = self._usable(program, repairs)
        for candidate, run in self._runner.trials(patched, self._options.steps, limits):
            attempt = attempt_of(candidate, run, limits)
            self._attempts.append(attempt)
            self._say(f"{attempt.title}: {attempt.reason or 'passes'}")
            crash = run.result.crash
            if attempt.outcome is Outcome.FURTHER and crash is not None:
                yield candidate.failed_again(crash, run.result.place), crash

    def _usable(
        self, program: PatchedProgram, repairs: Sequence[Repair]
    ) -> Iterator[PatchedProgram]:
        """The programs with one of the repairs, until enough repairs passed."""
        known = {program.key}
        for repair in repairs:
            if not self._options.every and self._passed >= MOST_OFFERED:
                return
            try:
                candidate = program.with_repair(repair)
            except PatchError as error:
                combined = (*program.repairs, repair)
                reason = error.what if not error.got else f"{error.what}: {error.got}"
                self._attempts.append(Attempt(combined, Outcome.UNUSABLE, reason))
                continue
            if candidate.key not in known:
                known.add(candidate.key)
                yield candidate
