"""Puts every rule to a run and orders what they find.

A rule is a module of `rules` with a function `find`; its name, with hyphens, is the rule's. Its
docstring says where it comes from, its threshold with the reason, and where it stays silent.
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


def rules() -> dict[str, ModuleType]:
    """All rules by name, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    return {name.replace("_", "-"): import_module(f"{folder.__name__}.{name}") for name in names}


def check(evidence: Evidence, ignore: Collection[str] = ()) -> tuple[Finding, ...]:
    """What the rules find that are not ignored: errors first, then in the order of the graph."""
    found = [
        msgspec.structs.replace(one, rule=name)
        for name, rule in rules().items()
        if name not in ignore
        for one in rule.find(evidence)
    ]
    places = {layer.name: at for at, layer in enumerate(evidence.graph.layers)}
    return tuple(
        sorted(found, key=lambda one: (ORDER.index(one.severity), places.get(str(one.place), -1)))
    )


def explain(rule: str) -> str:
    """What a rule looks for, from its docstring. Raises KeyError for a name that no rule has."""
    return inspect.cleandoc(rules()[rule].__doc__ or "")
