"""Findings that only one of two runs has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from resnet_inspect.analysis.diff.differences import Finding, FindingsDiff


def compare_findings(
    a: Sequence[Finding], b: Sequence[Finding], layers: Mapping[str, str]
) -> FindingsDiff:
    """Findings of a rule at a place that the other run lacks; `layers` are those of A in B, other
    places keep their names.

    A rule that finds a layer more often in one run leaves the last ones of it.
    """
    told = [(one.rule, layers.get(str(one.place), str(one.place))) for one in a]
    return FindingsDiff(
        only_a=_without(told, a, _keys(b)),
        only_b=_without(_keys(b), b, told),
    )


def _keys(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(one.rule, str(one.place)) for one in findings]


def _without(
    keys: Sequence[tuple[str, str]],
    findings: Sequence[Finding],
    others: Sequence[tuple[str, str]],
) -> tuple[Finding, ...]:
    left = Counter(others)
    kept = []
    for key, finding in zip(keys, findings, strict=True):
        left[key] -= 1
        if left[key] < 0:
            kept.append(finding)
    return tuple(kept)
