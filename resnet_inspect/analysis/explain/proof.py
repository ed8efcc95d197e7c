"""Repairs that were tried, the evidence that they work, and their ranking."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resnet_inspect.analysis.explain.explanation import Explanation, Kind, Repair

MOST_OFFERED = 3
# Kinds of failures that an edit of the source can repair, also if no edit is known.
REPAIRABLE = (Kind.SHAPE, Kind.STRUCTURE)


class Outcome(StrEnum):
    """What a repair does. FURTHER: the program passes the failed line and fails later."""

    PASSED = "passed"
    FURTHER = "fails later"
    FAILED = "failed"
    STOPPED = "stopped"  # by a limit or a signal
    UNUSABLE = "not applicable"


class Verdict(StrEnum):
    """The result of the search for repairs."""

    NOTHING = "nothing to fix"
    REPAIRED = "repaired"
    UNREPAIRED = "not repaired"
    OTHER = "not a shape error"


class Evidence(msgspec.Struct, frozen=True):
    """What a program did with a repair.

    Attributes:
        passed: what failed before and passes now, such as `fit` or `line 16`.
        steps: training steps that it ran.
        first_loss, last_loss: the loss at these steps as Keras reports it; None if unknown.
        finite: whether no loss was NaN or infinite.
        keeps_batch: whether predictions have as many examples as labels; None if not measured.
        ended: whether the program ran to its end.
        note: how it ended otherwise, one sentence; empty if it was stopped after enough steps.
    """

    passed: str = ""
    steps: int = 0
    first_loss: float | None = None
    last_loss: float | None = None
    finite: bool = True
    keeps_batch: bool | None = None
    ended: bool = False
    note: str = ""

    @property
    def idle(self) -> bool:
        """Whether the loss was 0 at the first and the last step, so that nothing is learned."""
        return self.steps > 1 and self.first_loss == self.last_loss == 0.0


class FileChange(msgspec.Struct, frozen=True):
    """A changed file: its name, its path, and its bytes before and after."""

    name: str
    path: str
    before: bytes
    after: bytes


class Attempt(msgspec.Struct, frozen=True):
    """A repair, or several combined, and what the program did with it.

    Attributes:
        repairs: the repairs, in the order in which they were applied.
        outcome: what the program did.
        reason: how it failed, one sentence; empty if it passed.
        evidence: what it did, if it passed the failed line.
        changes: the changed files, if it passed.
        output: the last lines that the program printed.
    """

    repairs: tuple[Repair, ...]
    outcome: Outcome
    reason: str = ""
    evidence: Evidence = Evidence()
    changes: tuple[FileChange, ...] = ()
    output: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The titles of its repairs."""
        return ", then ".join(repair.title for repair in self.repairs)

    @property
    def keeps_batch(self) -> bool:
        """Whether axis 0 remains the batch: as measured, or else as the repairs claim."""
        measured = self.evidence.keeps_batch
        return all(repair.keeps_batch for repair in self.repairs) if measured is None else measured


class FixReport(msgspec.Struct, frozen=True):
    """The result of the search for repairs of a program.

    Attributes:
        verdict: the result.
        program: the name of the program.
        explanation: of its failure; None if it did not fail with an exception.
        offered: repairs that passed, the best first.
        others: repairs that were tried and are not offered.
        untried: the number of further repairs.
        steps: training steps before the failure, or of a program without failure.
        note: how the program ended, if it did not fail with an exception.
    """

    verdict: Verdict
    program: str
    explanation: Explanation | None = None
    offered: tuple[Attempt, ...] = ()
    others: tuple[Attempt, ...] = ()
    untried: int = 0
    steps: int = 0
    note: str = ""


def ranked(attempts: list[Attempt]) -> list[Attempt]:
    """The repairs to offer, the best first.

    Repairs that lose the batch axis are offered only if no other repair passed.
    """
    passed = [attempt for attempt in attempts if attempt.outcome is Outcome.PASSED]
    keeping = [attempt for attempt in passed if attempt.keeps_batch]
    return sorted(keeping or passed, key=_cost)


def _cost(attempt: Attempt) -> tuple[bool, int, float]:
    evidence = attempt.evidence
    cost = sum(repair.cost for repair in attempt.repairs)
    return evidence.idle or not evidence.finite, len(attempt.repairs), cost
