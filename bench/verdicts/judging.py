"""Applies `check` to recorded cases: detected and missed faults, and false positives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.verdicts.cache import Cache, CaseResult
from bench.verdicts.plan import Case, Fault, Healthy, half
from bench.verdicts.rules import INFORMING
from resnet_inspect.store.run import Run

SEVERE = ("warning", "error")


class Finding(Protocol):
    """The fields of a finding that are used here."""

    @property
    def rule(self) -> str:
        """The slug of the rule."""

    @property
    def severity(self) -> str:
        """error, warning or info."""

    @property
    def place(self) -> object:
        """The affected place; its string is empty for the whole run."""

    @property
    def message(self) -> str:
        """The verdict of the rule."""


Check = Callable[[Run], Iterable[Finding]]


@dataclass(frozen=True)
class Verdict:
    """The verdict on one run.

    `warnings` has a text for each rule that reported a warning or an error, `informed` the rules
    that reported an info only. `failed` is the error that `check` raised.
    """

    case: Case
    result: CaseResult
    warnings: dict[str, str]
    informed: frozenset[str] = frozenset()
    failed: str = ""

    @property
    def half(self) -> str:
        """The part of the run, see `plan.half_of`."""
        return half(self.case.kind, self.result.seed)

    @property
    def detected(self) -> bool:
        """Whether one of the rules for the fault fired."""
        if not isinstance(self.case, Fault):
            return False
        fired = set(self.warnings) | (self.informed & INFORMING)
        return not fired.isdisjoint(self.case.rules)

    @property
    def warned(self) -> bool:
        """Whether any rule reported a warning or an error, or `check` failed."""
        return bool(self.warnings or self.failed)

    @property
    def unrelated(self) -> tuple[str, ...]:
        """Rules that fired but are neither correct for the fault nor a consequence of it."""
        if not isinstance(self.case, Fault):
            return tuple(self.warnings)
        return tuple(r for r in self.warnings if r not in (*self.case.rules, *self.case.also))


@dataclass(frozen=True)
class Verdicts:
    """All verdicts; `unqualified` runs do not count, `missing` runs are not recorded."""

    judged: tuple[Verdict, ...]
    unqualified: tuple[tuple[Case, CaseResult], ...]
    missing: tuple[tuple[Case, int], ...]

    def faults(self, part: str) -> tuple[Verdict, ...]:
        """Return the verdicts on faults of a part that a rule must detect."""
        return tuple(
            verdict
            for verdict in self.judged
            if isinstance(verdict.case, Fault) and verdict.case.rules and verdict.half == part
        )

    @property
    def unasked(self) -> tuple[str, ...]:
        """Names of faults that no rule must detect."""
        faults = (verdict.case for verdict in self.judged if isinstance(verdict.case, Fault))
        return tuple(dict.fromkeys(fault.name for fault in faults if not fault.rules))

    def healthy(self, part: str) -> tuple[Verdict, ...]:
        """Return the verdicts on healthy trainings of a part."""
        return tuple(
            verdict
            for verdict in self.judged
            if isinstance(verdict.case, Healthy) and verdict.half == part
        )


def judge(
    cases: Sequence[Case],
    seeds: Sequence[int],
    cache: Cache,
    check: Check,
    part: str | None = None,
) -> Verdicts:
    """Apply `check` to every recorded case, or to those of one part.

    An exception of `check` becomes `failed` of the verdict.
    """
    judged: list[Verdict] = []
    unqualified: list[tuple[Case, CaseResult]] = []
    missing: list[tuple[Case, int]] = []
    for case in cases:
        for seed in seeds:
            if part not in (None, half(case.kind, seed)):
                continue
            result = cache.find(case, seed)
            if result is None:
                missing.append((case, seed))
            elif not result.qualified(case):
                unqualified.append((case, result))
            else:
                judged.append(_verdict(case, result, cache, check))
    return Verdicts(tuple(judged), tuple(unqualified), tuple(missing))


def _verdict(case: Case, result: CaseResult, cache: Cache, check: Check) -> Verdict:
    try:
        with Run.open(cache.run(case, result.seed)) as run:
            findings = list(check(run))
    except Exception as error:  # a rule that raises is a verdict, too
        return Verdict(case, result, {}, failed=f"{type(error).__name__}: {error}")
    warnings: dict[str, str] = {}
    for finding in findings:
        if finding.severity in SEVERE:
            where = f"{finding.place}: " if str(finding.place) else ""
            warnings.setdefault(finding.rule, f"{finding.severity}: {where}{finding.message}")
    informed = frozenset(finding.rule for finding in findings if finding.severity not in SEVERE)
    return Verdict(case, result, warnings, informed)
