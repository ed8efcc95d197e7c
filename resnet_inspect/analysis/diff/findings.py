"""Findings that only one of two runs has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from resnet_inspect.analysis.diff.differences import Finding, FindingsDiff


def compare_findings(
    a: Sequence[Finding], b: Sequence[Finding], layers: Mapping[str, str]
) -> FindingsDiff:
    """Findings of a rule and a layer that the other run lacks; `layers` are those of A in B.

    A rule that finds a layer more often in one run leaves the last ones of it.
    """
    names = {finding.layer: _in_b(finding, layers) for finding in a}
    return FindingsDiff(
        only_a=_without([(one.rule, names[one.layer]) for one in a], a, _keys(b)),
        only_b=_without(_keys(b), b, [(one.rule, names[one.layer]) for one in a]),
    )


def _in_b(finding: Finding, layers: Mapping[str, str]) -> str | None:
    """The layer's name in B; an op, or a layer that B has not, keeps its own."""
    return layers.get(finding.layer, finding.layer) if finding.layer else finding.layer


def _keys(findings: Sequence[Finding]) -> list[tuple[str, str | None]]:
    return [(one.rule, one.layer) for one in findings]


def _without(
    keys: Sequence[tuple[str, str | None]],
    findings: Sequence[Finding],
    others: Sequence[tuple[str, str | None]],
) -> tuple[Finding, ...]:
    left = Counter(others)
    kept = []
    for key, finding in zip(keys, findings, strict=True):
        left[key] -= 1
        if left[key] < 0:
            kept.append(finding)
    return tuple(kept)
