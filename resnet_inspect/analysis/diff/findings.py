"""Findings that only one of two runs has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from resnet_inspect.analysis.diff.differences import Finding, FindingsDiff


def compare_findings(
    a: Sequence[Finding], b: Sequence[Finding], layers: Mapping[str, str]
) -> FindingsDiff:
    """Findings whose rule and place the other run lacks.

    `layers` maps layers of A to layers of B; other places keep their names. If a rule reports a
    place more often in one run, the last findings count as its own.
    """
    keys_a = [(row.rule, layers.get(str(row.place), str(row.place))) for row in a]
    return FindingsDiff(
        only_a=_without(keys_a, a, _keys(b)),
        only_b=_without(_keys(b), b, keys_a),
    )


def _keys(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(row.rule, str(row.place)) for row in findings]


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
