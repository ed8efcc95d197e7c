"""What `check` says of recorded cases: found or missed, and alarms on healthy trainings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.verdicts.cache import Cache, Kept
from bench.verdicts.plan import Case, Fault, Healthy, half
from bench.verdicts.rules import INFORMING
from resnet_inspect.store.run import Run

ALARMS = ("warning", "error")


class Finding(Protocol):
    """What is read of a finding."""

    @property
    def rule(self) -> str:
        """Its slug."""

    @property
    def severity(self) -> str:
        """error, warning or info."""

    @property
    def place(self) -> object:
        """What it is about; written as a name, empty for the whole run."""

    @property
    def message(self) -> str:
        """In words."""


Check = Callable[[Run], Iterable[Finding]]


@dataclass(frozen=True)
class Verdict:
    """One judged run. `alarms` holds a text for each rule that warned, `informed` the rules that
    only informed; `failed` is what `check` itself raised.
    """

    case: Case
    kept: Kept
    alarms: dict[str, str]
    informed: frozenset[str] = frozenset()
    failed: str = ""

    @property
    def half(self) -> str:
        """tuning, held or fresh."""
        return half(self.case.kind, self.kept.seed)

    @property
    def found(self) -> bool:
        """Whether one of the fault's rules fired."""
        if not isinstance(self.case, Fault):
            return False
        told = set(self.alarms) | (self.informed & INFORMING)
        return not told.isdisjoint(self.case.rules)

    @property
    def alarmed(self) -> bool:
        """Whether any rule warned, or `check` broke."""
        return bool(self.alarms or self.failed)

    @property
    def strangers(self) -> tuple[str, ...]:
        """Rules that warned of a fault without being right or a consequence."""
        if not isinstance(self.case, Fault):
            return tuple(self.alarms)
        return tuple(r for r in self.alarms if r not in (*self.case.rules, *self.case.also))


@dataclass(frozen=True)
class Verdicts:
    """All that was judged; `unqualified` did not count, `missing` was not recorded."""

    judged: tuple[Verdict, ...]
    unqualified: tuple[tuple[Case, Kept], ...]
    missing: tuple[tuple[Case, int], ...]

    def faults(self, part: str) -> tuple[Verdict, ...]:
        """Judged faults of a part for which a rule is asked."""
        return tuple(
            one
            for one in self.judged
            if isinstance(one.case, Fault) and one.case.rules and one.half == part
        )

    @property
    def unasked(self) -> tuple[str, ...]:
        """Names of judged faults for which no rule is asked."""
        faults = (one.case for one in self.judged if isinstance(one.case, Fault))
        return tuple(dict.fromkeys(fault.name for fault in faults if not fault.rules))

    def healthy(self, part: str) -> tuple[Verdict, ...]:
        """Judged healthy trainings of a part."""
        return tuple(
            one for one in self.judged if isinstance(one.case, Healthy) and one.half == part
        )


def judge(
    cases: Sequence[Case],
    seeds: Sequence[int],
    cache: Cache,
    check: Check,
    part: str | None = None,
) -> Verdicts:
    """Have every recorded case checked, or those of one part. What `check` raises is kept as the
    verdict's `failed`.
    """
    judged: list[Verdict] = []
    unqualified: list[tuple[Case, Kept]] = []
    missing: list[tuple[Case, int]] = []
    for case in cases:
        for seed in seeds:
            if part not in (None, half(case.kind, seed)):
                continue
            kept = cache.find(case, seed)
            if kept is None:
                missing.append((case, seed))
            elif not kept.qualified(case):
                unqualified.append((case, kept))
            else:
                judged.append(_verdict(case, kept, cache, check))
    return Verdicts(tuple(judged), tuple(unqualified), tuple(missing))


def _verdict(case: Case, kept: Kept, cache: Cache, check: Check) -> Verdict:
    try:
        with Run.open(cache.run(case, kept.seed)) as run:
            findings = list(check(run))
    except Exception as error:  # a rule that breaks is a verdict, too
        return Verdict(case, kept, {}, failed=f"{type(error).__name__}: {error}")
    alarms: dict[str, str] = {}
    for one in findings:
        if one.severity in ALARMS:
            where = f"{one.place}: " if str(one.place) else ""
            alarms.setdefault(one.rule, f"{one.severity}: {where}{one.message}")
    informed = frozenset(one.rule for one in findings if one.severity not in ALARMS)
    return Verdict(case, kept, alarms, informed)
