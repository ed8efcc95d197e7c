"""Applies the rules to a stored run."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from functools import cache, reduce
from operator import add

import msgspec

from resnet_inspect.analysis.check import Evidence, Finding, rules
from resnet_inspect.analysis.check import check as apply_rules
from resnet_inspect.analysis.check.judge import FORMER_NAMES
from resnet_inspect.commands import Command
from resnet_inspect.errors import UsageError
from resnet_inspect.store.run import Run


def check(run: Run, ignore: Collection[str] = ()) -> tuple[Finding, ...]:
    """Return the findings of a run, errors first, without those of the rules in `ignore`.

    The commands of the findings include the path of the run.

    Raises UsageError for an unknown rule.
    """
    ignore = [known_rule(name, "flag --ignore") for name in ignore]
    evidence = Evidence(
        graph=run.graph,
        lineage=run.lineage,
        failure=run.info.failure,
        origin=run.origin,
        steps=run.steps(),
        recorded=run.recorded_steps(),
        scalars=run.scalars(),
        taps=run.taps(),
        course=cache(run.course),
        sizes=run.sizes(),
        not_finite=run.every_not_finite(),
        updates=run.updates(),
        activity={layer: reduce(add, every) for layer, every in run.activity().items()},
        normalizations=cache(run.normalizations),
        batches=run.batches() if run.info.settings.judges_inputs else {},
        gradient_norms=run.gradient_norms(),
    )
    return tuple(
        finding
        if finding.command is None
        else msgspec.structs.replace(finding, command=finding.command.of(run.path))
        for finding in apply_rules(evidence, ignore)
    )


def known_rule(name: str, where: str) -> str:
    """Return the present name of a rule; raises UsageError, which shows `where`, if unknown."""
    known = rules()
    name = FORMER_NAMES.get(name, name)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1)
    raise UsageError(
        f"unknown rule '{name}'",
        where=where,
        expected="one of " + ", ".join(known),
        got=name,
        fix=f"did you mean {near[0]}?"
        if near
        else (
            "`",
            Command("check", options=("--explain", "all")),
            "` lists and explains all rules",
        ),
    )
