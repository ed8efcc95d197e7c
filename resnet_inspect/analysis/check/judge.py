"""Applies every rule to a run and orders the findings.

A rule is a module of `rules` with a function `find`. The module's name, with hyphens, is the name
of the rule. The docstring is the rule's documentation for users: what the rule measures, its
threshold, its background and what it does not report.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Collection
from importlib import import_module
from types import ModuleType

import msgspec

from resnet_inspect.analysis.check import rules as folder
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity

ORDER = list(Severity)
FORMER_NAMES = {"refused": "run-failed"}


def rules() -> dict[str, ModuleType]:
    """Return all rules by name, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    return {name.replace("_", "-"): import_module(f"{folder.__name__}.{name}") for name in names}


def check(evidence: Evidence, ignore: Collection[str] = ()) -> tuple[Finding, ...]:
    """Return the findings of all rules except `ignore`: errors first, then in graph order."""
    findings = [
        msgspec.structs.replace(finding, rule=name)
        for name, rule in rules().items()
        if name not in ignore
        for finding in rule.find(evidence)
    ]
    places = {layer.name: at for at, layer in enumerate(evidence.graph.layers)}

    def rank(finding: Finding) -> tuple[int, int]:
        return ORDER.index(finding.severity), places.get(str(finding.place), -1)

    return tuple(sorted(findings, key=rank))


def explain(rule: str) -> str:
    """Return the documentation of a rule. Raises KeyError for an unknown name."""
    return inspect.cleandoc(rules()[rule].__doc__ or "")
