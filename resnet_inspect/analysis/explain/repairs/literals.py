"""Changes the expression that sets one of the two sizes, so that it gives the other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import StrEnum

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.layer_origins import SizeOrigin
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.repairs import places
from resnet_inspect.analysis.explain.repairs.building import Sides, Sized, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import replace
from resnet_inspect.analysis.explain.sources import SourceFile, evaluated, names_in
from resnet_inspect.graph.crash import NodeKind, Shape

# Problems whose two numbers are sizes of an axis; others count axes, elements or examples.
RULES = (
    "input-axis",
    "loss-shape",
    "sparse-labels",
    "loss-rank",
    "matmul",
    "broadcast",
    "concat",
    "conv-channels",
    "feed",
    "array-broadcast",
    "array-product",
    "weights",
    "op",
)
ELEMENTWISE = ("AddV2", "Add", "BiasAdd", "Sub", "Mul", "Relu", "Sigmoid", "Tanh", "Identity")


class Role(StrEnum):
    """What a size belongs to. Data are given; layers and variables are adapted to them."""

    DATA = "data"
    LAYER = "layer"
    WEIGHT = "weight"
    PLACEHOLDER = "placeholder"
    OTHER = "other"


COSTS = {
    Role.LAYER: 1.0,
    Role.WEIGHT: 1.1,
    Role.PLACEHOLDER: 1.5,
    Role.OTHER: 2.2,
    Role.DATA: 7.0,
}


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield the changes of one size into the other."""
    if problem.rule not in RULES or len(sides) != 2:
        return
    if any(sized.side.rank for sized in sides):
        return
    for at, sized in enumerate(sides):
        other = sides[1 - at]
        weight = sized.side.operand.weight or places.is_weight(case, sized.side.operand)
        if sized.side.axis == 0 and sized.origin.layer >= 0 and not weight:
            continue  # the batch, which no argument of a layer sets
        role = role_of(case, sized)
        edits, title = [], ""
        for origin in equal_origins(case, sized):
            node = origin.node
            if node is None or (role is Role.DATA and _reshapes(case, origin)):
                continue
            file = case.sources[origin.file]
            new = written(case, file, node, other)
            edits.append(replace(file, node, new))
            title = title or changed(file, node, new)
        if not edits or any(edit.line == 0 for edit in edits):
            continue
        cost = COSTS[role] + _preference(problem, at, role) + 0.1 * (len(edits) - 1)
        if sized.side.operand.argument == "input":
            cost += 0.05  # a model may be shared, so that another caller needs its input
        reason = f"{sized.size.of} has to be {other.side.size}"
        yield repair(case, "change-size", title, edits, cost, reason)
        yield from _use(case, sized, other, cost)


def role_of(case: Case, sized: Sized) -> Role:
    """Return what a size belongs to."""
    operand, origin = sized.side.operand, sized.origin
    if origin.layer >= 0:
        return Role.LAYER
    node = case.crash.nodes[operand.node] if operand.node >= 0 else None
    if node is not None and node.kind is NodeKind.PLACEHOLDER:
        return Role.PLACEHOLDER
    if node is not None and _variable(case, operand.node):
        return Role.WEIGHT
    if operand.argument or (operand.expression and operand.frame >= 0) or _is_data(case, origin):
        return Role.DATA
    if node is not None and origin.node is not None:
        return Role.WEIGHT
    return Role.OTHER


def _variable(case: Case, number: int) -> bool:
    node = case.crash.nodes[number]
    while (
        node.type in ("ReadVariableOp", "Identity", "Cast")
        and node.inputs[:1]
        and node.inputs[0] >= 0
    ):
        node = case.crash.nodes[node.inputs[0]]
    return node.kind is NodeKind.VARIABLE


def _reshapes(case: Case, origin: SizeOrigin) -> bool:
    """Return whether a size is in the target of a reshape, whose total is fixed."""
    call = origin.call
    return call is not None and ast.unparse(call.func).rpartition(".")[2] == "reshape"


def _is_data(case: Case, origin: SizeOrigin) -> bool:
    """Return whether a size is set in, or passed to, a call that makes or loads arrays."""
    nodes = [(origin.file, origin.node)] if origin.node is not None else []
    return any(_in_data_call(case.sources[name], node) for name, node in (*nodes, *origin.uses))


def _in_data_call(file: SourceFile, expression: ast.expr) -> bool:
    node: ast.AST | None = expression
    while node is not None and not isinstance(node, ast.stmt):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.startswith(("np.", "numpy.", "pd.", "random.", "rng.")):
                return True
        node = file.parents.get(node)
    return False


def equal_origins(case: Case, sized: Sized) -> list[SizeOrigin]:
    """Return all places that set a size, such as those of a weight and of its bias."""
    first = sized.origin
    origins = [first] if _sets(first, sized.side.size) else []
    if origins and first.layer < 0 and sized.side.axis is not None:
        for origin in _others(case, sized.side.operand, sized.side.axis, sized.side.size, 0):
            if _sets(origin, sized.side.size) and all(b.node is not origin.node for b in origins):
                origins.append(origin)
    return origins


def _sets(origin: SizeOrigin, size: int) -> bool:
    return origin.node is not None and evaluated(origin.node, origin.values) == size


def _others(case: Case, operand: Operand, axis: int, size: int, depth: int) -> Iterator[SizeOrigin]:
    if operand.node < 0 or depth > 8:
        return
    node = case.crash.nodes[operand.node]
    if node.layer >= 0 or node.type not in (*ELEMENTWISE, "MatMul", "Conv2D"):
        return
    for source, where in case.origins.sources_of(operand.node, axis, size):
        if source < 0 or case.origins.shape(source) is None:
            continue
        inner = case.operands.of_node(source)
        if _variable(case, source):
            yield case.origins.of(inner, where, size)
        elif node.type in ELEMENTWISE:
            yield from _others(case, inner, where, size, depth + 1)


def written(case: Case, file: SourceFile, node: ast.expr, other: Sized) -> str:
    """Return the text of the other size in the style of a node."""
    size = other.side.size
    if isinstance(node, ast.BinOp):
        factors = _flattened(case, other.side.operand, size)
        if factors:
            return " * ".join(map(str, factors))
        expression = other.origin.node
        if isinstance(expression, ast.BinOp) and visible(file, expression, node):
            return ast.unparse(expression)
    return str(size)


def visible(file: SourceFile, expression: ast.expr, at: ast.expr) -> bool:
    """Return whether the names of an expression are set at module level before a node."""
    for name in names_in(expression):
        statements = [s for s, _ in file.assignments(name, at.lineno)]
        module = [s for s in file.tree.body if s in statements or _assigns(s, name)]
        if not any(s.lineno < at.lineno for s in module):
            return False
    return True


def _assigns(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.Assign) and any(
        ast.unparse(target) == name for target in statement.targets
    )


def _flattened(case: Case, operand: Operand, size: int) -> Shape | None:
    """Return the sizes that a reshape made one of."""
    number = operand.node
    while number >= 0:
        node = case.crash.nodes[number]
        if node.type == "Reshape" and node.inputs and node.inputs[0] >= 0:
            shape = case.origins.shape(node.inputs[0])
            if shape is not None and len(shape) > 2 and None not in shape[1:]:
                total = 1
                for axis in shape[1:]:
                    total *= axis or 1
                return shape[1:] if total == size else None
            return None
        if node.type not in ELEMENTWISE or not node.inputs:
            return None
        number = node.inputs[0]
    return None


def _others_differ(problem: Problem) -> bool:
    """Return whether labels and output differ in other axes too, so that one size is no remedy."""
    shapes = [side.operand.shape or () for side in problem.sides]
    axes = [side.axis for side in problem.sides]
    if problem.rule != "loss-shape" or len(shapes[0]) != len(shapes[1]) or axes[0] != axes[1]:
        return False
    return any(
        a != b and None not in (a, b)
        for axis, (a, b) in enumerate(zip(*shapes, strict=True))
        if axis != axes[0]
    )


def _preference(problem: Problem, at: int, role: Role) -> float:
    """Return what it costs to change this side instead of the other."""
    if _others_differ(problem):
        return 3.0
    if problem.rule in ("matmul", "conv-channels"):
        return 0.0 if at == 1 else 0.6  # the consumer's weight follows what it receives
    if problem.rule == "broadcast" and role is Role.WEIGHT:
        rank = len(problem.sides[at].operand.shape or ())
        return 0.0 if rank == 1 else 0.5
    return 0.0


def _use(case: Case, sized: Sized, other: Sized, cost: float) -> Iterator[Repair]:
    """Yield the change of the place that uses a name, if the size comes from a name."""
    for name, use in sized.origin.uses:
        file = case.sources[name]
        if use not in file.parents:
            continue
        named = _name_for(file, use, other)
        new = named or str(other.side.size)
        count = _count(file, ast.unparse(use))
        extra = -0.1 if named else 0.3 + 0.3 * (count > 1)
        reason = f"{ast.unparse(use)} is used in {count} places" if count > 1 else ""
        edits = [replace(file, use, new)]
        yield repair(case, "change-use", changed(file, use, new), edits, cost + extra, reason)


def _count(file: SourceFile, name: str) -> int:
    """Return how often a file reads a name."""
    return sum(
        isinstance(node, ast.Name | ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and ast.unparse(node) == name
        for node in ast.walk(file.tree)
    )


def _name_for(file: SourceFile, use: ast.expr, other: Sized) -> str:
    """Return the module's name of the other size, if it has one."""
    node = other.origin.node
    if node is None or other.origin.file != file.name:
        return ""
    statement = file.parents.get(node)
    if isinstance(statement, ast.Assign) and statement in file.tree.body:
        target = statement.targets[0]
        if isinstance(target, ast.Name) and statement.lineno < use.lineno:
            return target.id
    return ""
