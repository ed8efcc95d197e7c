"""Where a stored run meets the rules: what is wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from functools import cache, reduce
from operator import add

import msgspec

from resnet_inspect.analysis.check import Evidence, Finding, rules
from resnet_inspect.analysis.check import check as judged
from resnet_inspect.commands import Command
from resnet_inspect.errors import UsageError
from resnet_inspect.store.run import Run


def check(run: Run, ignore: Collection[str] = ()) -> tuple[Finding, ...]:
    """What is wrong with a run, errors first; rules that `ignore` names are left out. Commands
    that show more name the run.

    Raises UsageError for a rule that there is not.
    """
    for name in ignore:
        known_rule(name, "flag --ignore")
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
        batches=run.batches(),
        gradient_norms=run.gradient_norms(),
    )
    return tuple(
        one
        if one.command is None
        else msgspec.structs.replace(one, command=one.command.of(run.path))
        for one in judged(evidence, ignore)
    )


def known_rule(name: str, where: str) -> str:
    """The name of a rule; raises UsageError where there is no such one."""
    known = rules()
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1)
    raise UsageError(
        f"there is no rule '{name}'",
        where=where,
        expected="one of " + ", ".join(known),
        got=name,
        fix=f"did you mean {near[0]}?"
        if near
        else ("`", Command("check", options=("--explain", "all")), "` tells what each is"),
    )
