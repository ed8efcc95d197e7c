"""How many explanations and repairs of a set of programs are right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from tests.explain.answers import Answer, answers
from tests.explain.failures import facts_of, failed
from tests.explain.proofs import Proof, is_equivalent
from tests.explain.scores import FINDING, LINE, NONE, PAIR, misses, named_lines, scores

Results = Iterator[bool]


class FitFailures(NamedTuple):
    """The number of programs that fail in `fit`, and in how many a line of the mistake is named.

    `named` counts explanations, `last` the last lines of the tracebacks of Python.
    """

    total: int
    named: int
    last: int


class Measure(NamedTuple):
    """A measure with its target for each set of programs, from 0 to 1."""

    title: str
    targets: Mapping[str, float]
    results: Callable[[str, Mapping[str, Proof]], Results]

    def figures(self, name: str, proofs: Mapping[str, Proof]) -> tuple[int, int]:
        """Return how many results of a set of programs are right, and their number."""
        results = list(self.results(name, proofs))
        return sum(results), len(results)

    def reached(self, name: str, proofs: Mapping[str, Proof]) -> bool:
        """Return whether a set of programs reaches the target."""
        right, total = self.figures(name, proofs)
        return right >= self.targets[name] * total


def programs(name: str) -> list[Answer]:
    """Return the programs of a set."""
    return [answer for key, answer in answers().items() if key.startswith(f"{name}/")]


def fit_failures() -> FitFailures:
    """Return the counts for all programs that fail in `fit` and are repaired at another line."""
    total = named = last = 0
    for key in failed():
        answer, facts = answers()[key], facts_of(key)
        crash, explanation = facts.failure.crash, facts.explanation
        if answer.when != "fit" or crash is None or explanation is None:
            continue
        call = crash.frames[crash.calls[0].frame].site.line
        lines = set(answer.fault_lines) - {call}
        if lines:
            total += 1
            named += bool(named_lines(explanation) & lines)
            last += answer.raised_line in lines
    return FitFailures(total, named, last)


def found(answer: Answer) -> dict[str, bool]:
    """Return what is right of a program: line and pair, if it has them.

    The line of a silent mistake is that of `check`. A right program has no line if it does not
    fail, which is right.
    """
    if answer.error is None:
        aspect = NONE if answer.kind == "none" else FINDING
        return {LINE: aspect not in misses().get(answer.key, {})}
    explanation = facts_of(answer.key).explanation
    results = scores(explanation, answer) if explanation is not None else {LINE: False}
    return {aspect: right for aspect, right in results.items() if aspect in (LINE, PAIR)}


def _lines(name: str, _: Mapping[str, Proof]) -> Results:
    for answer in programs(name):
        yield found(answer)[LINE]


def _pairs(name: str, _: Mapping[str, Proof]) -> Results:
    for answer in programs(name):
        if answer.error is not None and answer.sizes:
            yield found(answer).get(PAIR, False)


def _repairs(name: str, proofs: Mapping[str, Proof]) -> Results:
    for answer in programs(name):
        if answer.repairs:
            yield is_equivalent(answer, proofs[answer.key])


MEASURES = (
    Measure("line", {"own": 1.0, "threads": 0.9}, _lines),
    Measure("pair", {"own": 0.9, "threads": 0.75}, _pairs),
    Measure("repair", {"own": 0.7, "threads": 0.55}, _repairs),
)
