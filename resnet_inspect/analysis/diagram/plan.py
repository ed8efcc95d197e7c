"""What of a graph is drawn: parts chosen, repeats folded, edges thinned, crowds joined."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from resnet_inspect.analysis.diagram.diagram import Box, Level, Options, Way
from resnet_inspect.analysis.diagram.marks import refusal
from resnet_inspect.analysis.diagram.repeats import Block, counterparts, repeats
from resnet_inspect.analysis.diagram.scope import between, named_ops
from resnet_inspect.analysis.diagram.units import Parts, Passage, Unit, gradients_of, parts
from resnet_inspect.analysis.sizes.why import Explanation
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Failure, Graph, Phase
from resnet_inspect.graph.lineage import Lineage

Run = tuple[Block, ...]
# A gradient that goes to more boxes than this is not drawn as edges.
FAN = 8
MOST_KEPT = 24


class Plan(msgspec.Struct):
    """A diagram in the making: what is drawn, and for each unit that is not, what stands for it."""

    parts: Parts
    stands: dict[str, str]
    runs: tuple[Run, ...]
    outside: frozenset[str]
    left_out: tuple[str, ...] = ()

    def unit(self, key: str | None) -> str | None:
        """The drawn unit for a unit; None where none stands for it."""
        found = self.stands.get(key, key) if key is not None else None
        return found if found in self.parts.units else None


def plan(
    graph: Graph,
    lineage: Lineage,
    level: Level,
    options: Options,
    scope: frozenset[str],
    explanations: Sequence[Explanation],
    failure: Failure | None,
) -> Plan:
    """Plan a diagram at one level; `scope` holds the ops that `options.scope` names."""
    steps = [step for one in explanations for step in (*one.chain, *one.inflow)]
    wanted = {step.variable for step in steps if step.variable}
    unit, flows, _ = refusal(graph, lineage.mismatch, failure, {})
    wanted |= {flow.variable for flow in flows if flow.variable}
    if lineage.mismatch is not None:
        wanted |= {name.rpartition(":")[0] for name in lineage.mismatch.tensors}
    found = parts(
        graph,
        level,
        variables=options.variables,
        backward=options.backward or _gradients_only(graph, scope),
        wanted=frozenset(wanted),
        scope=scope,
    )
    unit, flows, _ = refusal(graph, lineage.mismatch, failure, found.owner)
    if unit is not None:
        known = found.units | {unit.key: unit}
        flows = [flow for flow in flows if flow.tail in known]
        found = Parts(known, found.owner, (*found.passages, *flows))
    ends = _ends(graph, options, found)
    found, wide, left_out = _thinned(found, scoped=bool(scope))
    plan = Plan(found, {}, (), frozenset())
    whole = level == Level.STAGE or (level == Level.OP and options.backward)
    if not options.expand and not whole:
        plan = _folded(found, _foldable(graph, [scope, *ends]))
    if ends:
        starts, targets = ({plan.unit(found.owner[op]) for op in group} - {None} for group in ends)
        pairs = [(one.tail, one.head) for one in plan.parts.passages]
        kept = between(pairs, starts, targets, options.path or ("", ""))  # type: ignore[arg-type]
        plan = _only(plan, kept, frozenset())
    if scope:
        own = scope | gradients_of(graph, scope)
        inner = {plan.unit(found.owner[op]) for op in own if op in found.owner}
        if ends and not inner - {None}:
            start, end = options.path or ("", "")
            raise UsageError(
                f"nothing of '{options.scope}' lies on a way from '{start}' to '{end}'",
                where="--scope and --path",
                expected="a scope through which the path leads",
                got=f"--scope {options.scope} --path {start} {end}",
                fix="leave out --scope, or --path",
            )
        if not inner - {None}:
            raise UsageError(
                f"nothing in '{options.scope}' is drawn at this level",
                where="--scope",
                expected="a scope with more than constants and handles of variables",
                got=f"{len(scope)} ops of types {', '.join(sorted(_types(graph, scope)))}",
                fix="draw ops (--level op), or a wider scope",
            )
        read = {one.tail for one in plan.parts.passages if one.head in inner}
        inner |= {key for key in read if plan.parts.units[key].box == Box.VARIABLE}
        inner |= {f"gradient:{key}" for key in inner if f"gradient:{key}" in plan.parts.units}
        touching = [
            one
            for one in plan.parts.passages
            if one.head in inner or (one.tail in inner and one.way != Way.KEPT)
        ]
        around = {key for one in touching for key in (one.tail, one.head)} - inner
        plan = _only(plan, {key for key in inner if key} | around, frozenset(around))
        left_out += _before(graph, scope, found)
    plan.left_out = (*_fans(found, plan, wide), *left_out)
    return plan


def _gradients_only(graph: Graph, scope: frozenset[str]) -> bool:
    return bool(scope) and {graph.op_by_name[op].phase for op in scope} == {Phase.BACKWARD}


def _before(graph: Graph, scope: frozenset[str], found: Parts) -> tuple[str, ...]:
    """A note on what a scope of another phase takes or waits for that has no box."""
    if all(graph.op_by_name[op].phase == Phase.FORWARD for op in scope):
        return ()
    ops = [graph.op_by_name[op] for op in scope if op in found.owner]
    names = {name for op in ops for name in (*(ref.op for ref in op.inputs), *op.control_inputs)}
    handles = {handle for one in graph.variables for handle in one.handles}
    missing = sorted(names - found.owner.keys() - handles - scope)
    if not missing:
        return ()
    count = f"{len(missing)} ops" if len(missing) > 1 else "an op"
    return (f"not drawn: {count} outside that this takes from or waits for, such as {missing[0]}",)


def _types(graph: Graph, scope: Collection[str]) -> set[str]:
    return {graph.op_by_name[op].type for op in scope}


def _thinned(found: Parts, *, scoped: bool) -> tuple[Parts, dict[str, set[str]], tuple[str, ...]]:
    """Without edges that would hide all others: of a gradient that goes everywhere, such as that of
    a weight decay, which are given apart, and in a whole network those of outputs that gradients
    need.
    """
    fans: dict[str, set[str]] = {}
    for one in found.passages:
        if one.way == Way.GRADIENT and not one.tail.startswith("gradient:layer:"):
            fans.setdefault(one.tail, set()).add(one.head)
    kept = {(one.tail, one.head) for one in found.passages if one.way == Way.KEPT}
    wide = {tail: heads for tail, heads in fans.items() if len(heads) > FAN}
    many = len(kept) > MOST_KEPT and not scoped
    passages = tuple(
        one for one in found.passages if one.tail not in wide and not (many and one.way == Way.KEPT)
    )
    text = "not drawn: what gradients take from the forward pass; --scope NAME draws it"
    return Parts(found.units, found.owner, passages), wide, (text,) if many else ()


def _fans(found: Parts, plan: Plan, wide: dict[str, set[str]]) -> Iterator[str]:
    """Notes on the gradients that go to too many boxes, as far as these are drawn."""
    for tail, heads in wide.items():
        count = len({plan.unit(head) for head in heads} - {None})
        if count:
            boxes = f"{count} of these boxes" if count > 1 else "one of these boxes"
            yield f"not drawn: the gradient of {found.units[tail].name} goes to {boxes}"


def _ends(graph: Graph, options: Options, found: Parts) -> list[frozenset[str]]:
    """The ops at both ends of the path that is asked for."""
    if options.path is None:
        return []
    groups = []
    for name in options.path:
        ops = named_ops(graph, name)
        drawn = frozenset(op for op in ops if op in found.owner)
        if not drawn:
            later = any(graph.op_by_name[op].phase == Phase.BACKWARD for op in ops)
            raise UsageError(
                f"'{name}' has no box in this diagram",
                where="--path",
                expected="two parts of the network that are drawn",
                got=f"{len(ops)} ops of types {', '.join(sorted(_types(graph, ops)))}",
                fix="--backward draws gradients" if later else "name layers, as `shapes` does",
            )
        groups.append(drawn)
    return groups


def _foldable(graph: Graph, asked: Sequence[frozenset[str]]) -> list[Run]:
    """Runs of which nothing in particular was asked for, or all."""
    kept = []
    for run in repeats(graph):
        ops = {op for block in run for layer in block for op in layer.ops}
        if all(not ops & one or ops <= one for one in asked):
            kept.append(run)
    return kept


def _folded(found: Parts, runs: Sequence[Run]) -> Plan:
    """Only the first block of each run."""
    stands: dict[str, str] = {}
    copies: dict[str, tuple[int, int]] = {}
    for number, run in enumerate(runs):
        ops, variables = counterparts(run)
        for op, (first, at) in ops.items():
            if op in found.owner and first in found.owner:
                stands[found.owner[op]] = found.owner[first]
                copies[found.owner[op]] = (number, at)
                stands[f"gradient:{found.owner[op]}"] = f"gradient:{found.owner[first]}"
                copies[f"gradient:{found.owner[op]}"] = (number, at)
        for name, first in variables.items():
            stands[f"variable:{name}"] = f"variable:{first}"
    for one in found.passages:
        if one.tail.startswith("variable:") and one.head in copies:
            copies.setdefault(one.tail, copies[one.head])
    passages: dict[Passage, None] = {}
    for one in found.passages:
        a, b = copies.get(one.tail), copies.get(one.head)
        if a and b and a[0] == b[0] and (a[1] != b[1] or a[1] > 0):
            continue
        tail, head = stands.get(one.tail, one.tail), stands.get(one.head, one.head)
        if tail != head:
            passages[msgspec.structs.replace(one, tail=tail, head=head)] = None
    merged: dict[str, Unit] = {}
    for key, unit in found.units.items():
        model = stands.get(key, key)
        if model in merged:
            layers = (*merged[model].layers, *unit.layers)
            merged[model] = msgspec.structs.replace(merged[model], layers=layers)
        else:
            base = found.units.get(model, unit)
            merged[model] = msgspec.structs.replace(base, layers=unit.layers)
    return Plan(Parts(merged, found.owner, tuple(passages)), stands, tuple(runs), frozenset())


def _only(plan: Plan, kept: set[str], outside: frozenset[str] | set[str]) -> Plan:
    units = {key: one for key, one in plan.parts.units.items() if key in kept}
    passages = tuple(
        one
        for one in plan.parts.passages
        if one.tail in kept
        and one.head in kept
        and not (one.tail in outside and one.head in outside)
    )
    return Plan(
        Parts(units, plan.parts.owner, passages), plan.stands, plan.runs, frozenset(outside)
    )


def crowded(plan: Plan, limit: int) -> Plan:
    """Neighbours joined in even groups, where no level has few enough boxes."""
    keys = list(plan.parts.units)
    size = -(-len(keys) // max(1, limit))
    units: dict[str, Unit] = {}
    joined: dict[str, str] = {}
    for start in range(0, len(keys), size):
        group = [plan.parts.units[key] for key in keys[start : start + size]]
        key = f"rest:{start}"
        layers = tuple(name for unit in group for name in unit.layers)
        ops = tuple(name for unit in group for name in unit.ops)
        name = group[0].name if len(group) == 1 else f"{group[0].name} … {group[-1].name}"
        units[key] = Unit(key, Box.REST, name, f"{len(group)} in a row", (), ops, layers)
        joined.update(dict.fromkeys(keys[start : start + size], key))
    passages: dict[Passage, None] = {}
    for one in plan.parts.passages:
        tail, head = joined[one.tail], joined[one.head]
        if tail != head:
            passages[msgspec.structs.replace(one, tail=tail, head=head)] = None
    stands = {key: joined.get(model, model) for key, model in plan.stands.items()} | joined
    return Plan(Parts(units, plan.parts.owner, tuple(passages)), stands, (), frozenset())
