"""Selects what a diagram shows: the scope, one of equal blocks, edges, merged neighbours."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

import msgspec

from resnet_inspect.analysis.diagram.diagram import Box, EdgeKind, Level, Options
from resnet_inspect.analysis.diagram.gradients import gradients_of
from resnet_inspect.analysis.diagram.marks import rejected_call
from resnet_inspect.analysis.diagram.outline import Outline, Run, counterparts
from resnet_inspect.analysis.diagram.scope import between, named_ops
from resnet_inspect.analysis.diagram.units import Parts, Unit, UnitLink, parts
from resnet_inspect.analysis.sizes.why import Explanation
from resnet_inspect.commands import Command
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Failure, Graph, Phase
from resnet_inspect.graph.lineage import Lineage

# A gradient with edges to more boxes has a note instead of edges.
FAN = 8
MOST_KEPT = 24


class Plan(msgspec.Struct, dict=True):
    """The selected parts of a diagram, and for each hidden unit the unit that represents it."""

    parts: Parts
    substitutes: dict[str, str]
    runs: tuple[Run, ...]
    outside: frozenset[str]
    left_out: tuple[str, ...] = ()

    def unit(self, key: str | None) -> str | None:
        """Return the shown unit that represents a unit, or None."""
        shown = self.substitutes.get(key, key) if key is not None else None
        return shown if shown in self.parts.units else None

    def tensor(self, name: str) -> str:
        """Return the tensor of the first of equal blocks that represents a tensor."""
        op, _, index = name.rpartition(":")
        for ops in self._counterparts:
            op = ops[op][0] if op in ops else op
        return f"{op}:{index}"

    @cached_property
    def _counterparts(self) -> list[dict[str, tuple[str, int]]]:
        return [counterparts(run)[0] for run in self.runs]


def plan(
    graph: Graph,
    lineage: Lineage,
    network: Outline,
    level: Level,
    options: Options,
    scope: frozenset[str],
    explanations: Sequence[Explanation],
    failure: Failure | None,
) -> Plan:
    """Select what a diagram shows at one level. `scope` are the ops that `options.scope` names."""
    steps = [step for size in explanations for step in (*size.chain, *size.inflow)]
    wanted = {step.variable for step in steps if step.variable}
    unit, links, _ = rejected_call(graph, lineage.mismatch, failure, {})
    wanted |= {link.variable for link in links if link.variable}
    if lineage.mismatch is not None:
        wanted |= {name.rpartition(":")[0] for name in lineage.mismatch.tensors}
    whole = parts(
        graph,
        level,
        network,
        variables=options.variables,
        backward=options.backward or _gradients_only(graph, scope),
        wanted=frozenset(wanted),
        scope=scope,
    )
    unit, links, _ = rejected_call(graph, lineage.mismatch, failure, whole.owner)
    if unit is not None:
        known = whole.units | {unit.key: unit}
        links = [link for link in links if link.tail in known]
        whole = Parts(known, whole.owner, (*whole.links, *links))
    ends = _ends(graph, network, options, whole)
    whole, wide, left_out = _without_dense_links(whole, scoped=bool(scope))
    plan = Plan(whole, {}, (), frozenset())
    if not options.expand and not (level == Level.OP and options.backward):
        for run in _collapsible(network, [scope, *ends]):
            plan = _collapsed(plan, run)
    if ends:
        starts, targets = ({plan.unit(whole.owner[op]) for op in group} - {None} for group in ends)
        pairs = [(link.tail, link.head) for link in plan.parts.links]
        kept = between(pairs, starts, targets, options.path or ("", ""))  # type: ignore[arg-type]
        plan = _restricted(plan, kept, frozenset())
    if scope:
        own = scope | gradients_of(graph, scope)
        inner = {plan.unit(whole.owner[op]) for op in own if op in whole.owner}
        if ends and not inner - {None}:
            start, end = options.path or ("", "")
            raise UsageError(
                f"no part of '{options.scope}' is on a path from '{start}' to '{end}'",
                where="--scope and --path",
                expected="a scope on the path",
                got=f"--scope {options.scope} --path {start} {end}",
                fix="remove --scope or --path",
            )
        if not inner - {None}:
            raise UsageError(
                f"no part of '{options.scope}' is shown at this level",
                where="--scope",
                expected="a scope with other ops than constants and variable handles",
                got=f"{len(scope)} ops of types {', '.join(sorted(_types(graph, scope)))}",
                fix="use --level op, or a larger scope",
            )
        read = {link.tail for link in plan.parts.links if link.head in inner}
        inner |= {key for key in read if plan.parts.units[key].box == Box.VARIABLE}
        inner |= {f"gradient:{key}" for key in inner if f"gradient:{key}" in plan.parts.units}
        touching = [
            link
            for link in plan.parts.links
            if link.head in inner or (link.tail in inner and link.way != EdgeKind.KEPT)
        ]
        around = {key for link in touching for key in (link.tail, link.head)} - inner
        plan = _restricted(plan, {key for key in inner if key} | around, frozenset(around))
        left_out += _hidden_inputs(graph, scope, whole)
    plan.left_out = (*_wide_gradients(whole, plan, wide), *left_out)
    return plan


def _gradients_only(graph: Graph, scope: frozenset[str]) -> bool:
    return bool(scope) and {graph.op_by_name[op].phase for op in scope} == {Phase.BACKWARD}


def _hidden_inputs(graph: Graph, scope: frozenset[str], whole: Parts) -> tuple[str, ...]:
    """Return a note on inputs and earlier ops of a backward or optimizer scope without a box."""
    if all(graph.op_by_name[op].phase == Phase.FORWARD for op in scope):
        return ()
    ops = [graph.op_by_name[op] for op in scope if op in whole.owner]
    names = {name for op in ops for name in (*(ref.op for ref in op.inputs), *op.control_inputs)}
    handles = {handle for variable in graph.variables for handle in variable.handles}
    missing = sorted(names - whole.owner.keys() - handles - scope)
    if not missing:
        return ()
    count = f"{len(missing)} ops" if len(missing) > 1 else "an op"
    return (f"not shown: {count} outside that must run before this part, such as {missing[0]}",)


def _types(graph: Graph, scope: Collection[str]) -> set[str]:
    return {graph.op_by_name[op].type for op in scope}


def _without_dense_links(
    whole: Parts, *, scoped: bool
) -> tuple[Parts, dict[str, set[str]], tuple[str, ...]]:
    """Remove links that would hide all others. Return the rest, the wide gradients and notes.

    Wide gradients go to many boxes, such as those of a weight decay. In a whole network, links
    from forward outputs to gradients are removed too.
    """
    fans: dict[str, set[str]] = {}
    for link in whole.links:
        if link.way == EdgeKind.GRADIENT and not link.tail.startswith("gradient:layer:"):
            fans.setdefault(link.tail, set()).add(link.head)
    kept = {(link.tail, link.head) for link in whole.links if link.way == EdgeKind.KEPT}
    wide = {tail: heads for tail, heads in fans.items() if len(heads) > FAN}
    many = len(kept) > MOST_KEPT and not scoped
    links = tuple(
        link
        for link in whole.links
        if link.tail not in wide and not (many and link.way == EdgeKind.KEPT)
    )
    text = "not shown: edges from the forward pass to gradients; use --scope NAME to show them"
    return Parts(whole.units, whole.owner, links), wide, (text,) if many else ()


def _wide_gradients(whole: Parts, plan: Plan, wide: dict[str, set[str]]) -> Iterator[str]:
    """Yield notes on gradients that go to too many of the shown boxes."""
    for tail, heads in wide.items():
        count = len({plan.unit(head) for head in heads} - {None})
        if count:
            boxes = f"{count} boxes" if count > 1 else "1 box"
            yield f"not shown: edges from the gradient of {whole.units[tail].name} to {boxes}"


def _ends(graph: Graph, network: Outline, options: Options, whole: Parts) -> list[frozenset[str]]:
    """Return the ops at both ends of `options.path`, or an empty list without a path."""
    if options.path is None:
        return []
    groups = []
    for name in options.path:
        ops = named_ops(graph, name, network)
        shown = frozenset(op for op in ops if op in whole.owner)
        if not shown:
            later = any(graph.op_by_name[op].phase == Phase.BACKWARD for op in ops)
            raise UsageError(
                f"'{name}' has no box in this diagram",
                where="--path",
                expected="two names with a box in the diagram",
                got=f"{len(ops)} ops of types {', '.join(sorted(_types(graph, ops)))}",
                fix="use --backward to show gradients"
                if later
                else ("use names of layers from `", Command("shapes"), "`"),
            )
        groups.append(shown)
    return groups


def _collapsible(network: Outline, selections: Sequence[frozenset[str]]) -> list[Run]:
    """Return the runs of equal blocks that each selection contains completely or not at all."""
    kept = []
    for run in network.runs:
        ops = {op for block in run.blocks for item in block for op in item.ops}
        if all(not ops & selected or ops <= selected for selected in selections):
            kept.append(run)
    return kept


def _collapsed(plan: Plan, run: Run) -> Plan:
    """Keep only the first block of a run. Runs in other blocks than the first are gone already."""
    whole = plan.parts
    ops, variables = counterparts(run)
    owner = whole.owner
    pairs = [(owner[op], owner[first], at) for op, (first, at) in ops.items() if op in owner]
    if any(unit not in whole.units for unit, _, _ in pairs) or all(a == b for a, b, _ in pairs):
        return plan
    substitutes: dict[str, str] = {}
    copies: dict[str, int] = {}
    for unit, model, at in pairs:
        substitutes |= {unit: model, f"gradient:{unit}": f"gradient:{model}"}
        copies |= {unit: at, f"gradient:{unit}": at}
    drawn = {f"variable:{a}": f"variable:{b}" for a, b in variables.items()}
    substitutes |= {a: b for a, b in drawn.items() if b in whole.units}
    alone: dict[str, tuple[str, ...]] = {}
    for link in whole.links:
        if link.tail.startswith("variable:") and link.head in copies:
            if drawn.get(link.tail, link.tail) in whole.units:
                copies.setdefault(link.tail, copies[link.head])
            else:  # the path of a size ends at a variable of another block than the first
                alone[link.tail] = whole.units[substitutes[link.head]].path
    links: dict[UnitLink, None] = {}
    for link in whole.links:
        a, b = copies.get(link.tail), copies.get(link.head)
        if a is not None and b is not None and (a != b or a > 0):
            continue
        tail, head = substitutes.get(link.tail, link.tail), substitutes.get(link.head, link.head)
        if tail != head:
            links[msgspec.structs.replace(link, tail=tail, head=head)] = None
    merged: dict[str, Unit] = {}
    for key, member in whole.units.items():
        shown = substitutes.get(key, key)
        if shown in merged:
            layers = (*merged[shown].layers, *member.layers)
            merged[shown] = msgspec.structs.replace(merged[shown], layers=layers)
        else:
            base = whole.units.get(shown, member)
            path = alone.get(key, base.path)
            merged[shown] = msgspec.structs.replace(base, layers=member.layers, path=path)
    known = {key: substitutes.get(model, model) for key, model in plan.substitutes.items()}
    parts = Parts(merged, whole.owner, tuple(links))
    return Plan(parts, substitutes | known, (*plan.runs, run), frozenset())


def _restricted(plan: Plan, kept: set[str], outside: frozenset[str] | set[str]) -> Plan:
    """Keep only some units. Links between two units `outside` are removed too."""
    units = {key: unit for key, unit in plan.parts.units.items() if key in kept}
    links = tuple(
        link
        for link in plan.parts.links
        if link.tail in kept
        and link.head in kept
        and not (link.tail in outside and link.head in outside)
    )
    return Plan(
        Parts(units, plan.parts.owner, links), plan.substitutes, plan.runs, frozenset(outside)
    )


def merged_neighbours(plan: Plan, limit: int) -> Plan:
    """Merge neighbouring units into at most `limit` groups of equal size."""
    keys = list(plan.parts.units)
    size = -(-len(keys) // max(1, limit))
    units: dict[str, Unit] = {}
    group_of: dict[str, str] = {}
    for start in range(0, len(keys), size):
        group = [plan.parts.units[key] for key in keys[start : start + size]]
        key = f"rest:{start}"
        layers = tuple(name for unit in group for name in unit.layers)
        ops = tuple(name for unit in group for name in unit.ops)
        name = group[0].name if len(group) == 1 else f"{group[0].name} … {group[-1].name}"
        units[key] = Unit(key, Box.REST, name, f"{len(group)} merged", (), ops, layers)
        group_of.update(dict.fromkeys(keys[start : start + size], key))
    links: dict[UnitLink, None] = {}
    for link in plan.parts.links:
        tail, head = group_of[link.tail], group_of[link.head]
        if tail != head:
            links[msgspec.structs.replace(link, tail=tail, head=head)] = None
    substitutes = {key: group_of.get(unit, unit) for key, unit in plan.substitutes.items()}
    merged = Parts(units, plan.parts.owner, tuple(links))
    return Plan(merged, substitutes | group_of, (), frozenset())
