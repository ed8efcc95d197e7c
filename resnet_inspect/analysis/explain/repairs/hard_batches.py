"""Computes a batch size that is hard-coded: `tf.shape(x)[0]`, `-1`, `ones_like`, `None`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.repairs import idioms
from resnet_inspect.analysis.explain.repairs.building import Sides, Sized, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.analysis.explain.sources import SourceFile, argument, evaluated
from resnet_inspect.graph.crash import NodeKind, Site

LIKE = {"ones": "ones_like", "zeros": "zeros_like"}
PARAMETERS = ("self", "cls", "training", "mask")

# Rules whose sizes of axis 0 may be batch sizes, if both sides are of axis 0.
BATCHES = ("broadcast", "loss-shape", "sparse-labels", "feed", "op")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield computed batch sizes in place of numbers."""
    batch = all(sized.side.axis == 0 for sized in sides) and problem.rule in BATCHES
    for at, sized in enumerate(sides if batch or problem.rule == "batch-hard-coded" else ()):
        other = sides[1 - at] if len(sides) == 2 else None
        yield from _computed(case, problem, sized, other)
    if problem.rule == "feed":
        yield from _placeholders(case, problem, sides)


def _computed(case: Case, problem: Problem, sized: Sized, other: Sized | None) -> Iterator[Repair]:
    origin = sized.origin
    places = [*origin.uses, *([(origin.file, origin.node)] if origin.node is not None else [])]
    for name, node in places:
        file = case.sources[name]
        call = _shaping(file, node) if node in file.parents else None
        if call is not None:
            yield from _in_call(case, file, node, call, other)
            return


def _in_call(
    case: Case, file: SourceFile, node: ast.expr, call: ast.Call, other: Sized | None
) -> Iterator[Repair]:
    function = ast.unparse(call.func).rpartition(".")[2]
    reason = "batches can have other sizes"
    if function == "reshape" and "-1" not in [ast.unparse(item) for item in _elements(file, node)]:
        title = changed(file, node, "-1")
        yield repair(case, "computed-batch", title, [replace(file, node, "-1")], 0.8, reason)
    source = _tensor(case, file, call, other)
    tensorflow = idioms.tensorflow(file)
    if source and tensorflow:
        new = f"{tensorflow}.shape({source})[0]"
        title = changed(file, node, new)
        yield repair(case, "computed-batch", title, [replace(file, node, new)], 0.9, reason)
    yield from _like(file, case, call, function, other, reason)


def _like(
    file: SourceFile, case: Case, call: ast.Call, function: str, other: Sized | None, reason: str
) -> Iterator[Repair]:
    if function not in LIKE or other is None or not isinstance(call.func, ast.Attribute):
        return
    scope = file.scope(call.lineno)
    name = _known_before(case, file, scope, call.lineno, other)
    if name:
        new = f"{raw(file, call.func.value)}.{LIKE[function]}({name})"
        yield repair(
            case,
            "computed-batch",
            f"{raw(file, call)} → {new}",
            [replace(file, call, new)],
            1.0,
            reason,
        )


def _known_before(case: Case, file: SourceFile, scope: ast.AST, line: int, other: Sized) -> str:
    """Return a name set before a line in a function whose value has the shape of the other side."""
    for frame in case.crash.frames:
        if frame.site.file == file.name and frame.site.function == getattr(
            scope, "name", "<module>"
        ):
            for name, value in frame.values.items():
                if value.shape == other.side.operand.shape and name.isidentifier():
                    statements = [s for s, _ in file.assignments(name, line - 1)]
                    if statements:
                        return name
    return ""


def _shaping(file: SourceFile, node: ast.expr) -> ast.Call | None:
    """Return the call whose shape argument contains a node."""
    parent = file.parents.get(node)
    while isinstance(parent, ast.List | ast.Tuple | ast.keyword | ast.BinOp):
        parent = file.parents.get(parent)
    if isinstance(parent, ast.Call):
        name = ast.unparse(parent.func).rpartition(".")[2]
        known = ("reshape", "ones", "zeros", "normal", "uniform", "random_normal", "random_uniform")
        more = ("fill", "tile", "broadcast_to", "range", "truncated_normal", "eye", "zero_state")
        if name in (*known, *more):
            return parent
    return None


def _elements(file: SourceFile, node: ast.expr) -> list[ast.expr]:
    parent = file.parents.get(node)
    return parent.elts if isinstance(parent, ast.List | ast.Tuple) else []


def _tensor(case: Case, file: SourceFile, call: ast.Call, other: Sized | None) -> str:
    """Return a tensor with the batch axis that is known where a shape is written."""
    function = ast.unparse(call.func).rpartition(".")[2]
    if function == "reshape" and call.args:
        return raw(file, call.args[0])
    scope = file.scope(call.lineno)
    if isinstance(scope, ast.FunctionDef):
        for item in scope.args.args:
            if item.arg not in PARAMETERS and not item.arg.startswith("_"):
                return _first_tensor(file, scope, item.arg, call.lineno)
    placeholders = _placeholder_names(case, file, call.lineno)
    return placeholders[0] if placeholders else ""


def _first_tensor(file: SourceFile, scope: ast.FunctionDef, name: str, line: int) -> str:
    """Return a parameter, or the first name that it is unpacked into before a line."""
    for statement in scope.body:
        if (
            isinstance(statement, ast.Assign)
            and statement.lineno < line
            and isinstance(statement.value, ast.Name)
            and statement.value.id == name
            and isinstance(statement.targets[0], ast.Tuple)
        ):
            first = statement.targets[0].elts[0]
            return ast.unparse(first)
    return name


def _placeholder_names(case: Case, file: SourceFile, line: int) -> list[str]:
    """Return the names of placeholders that a module sets before a line."""
    names = []
    for statement in file.tree.body:
        if (
            isinstance(statement, ast.Assign)
            and statement.lineno < line
            and isinstance(statement.value, ast.Call)
            and ast.unparse(statement.value.func).endswith("placeholder")
            and isinstance(statement.targets[0], ast.Name)
        ):
            names.append(statement.targets[0].id)
    return names


def _placeholders(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield `None` for the batch size of placeholders that are fed other numbers of examples."""
    if len(sides) != 2 or sides[1].side.axis != 0:
        return
    shapes = [sized.side.operand.shape or () for sized in sides]
    rest = zip(shapes[0][1:], shapes[1][1:], strict=False)
    if any(a != b and None not in (a, b) for a, b in rest):
        return
    size = sides[1].side.size
    edits: list[Edit] = []
    title = ""
    for node in case.crash.nodes:
        if node.kind is not NodeKind.PLACEHOLDER or not node.sites:
            continue
        matched = _declared(case, node.sites[0], size)
        if matched is not None:
            file, item = matched
            if all((e.line, e.column) != (item.lineno, item.col_offset) for e in edits):
                edits.append(replace(file, item, "None"))
                title = title or changed(file, item, "None")
    if edits:
        reason = "batches have different numbers of examples"
        yield repair(case, "free-batch", title, edits, 1.0, reason)


def _declared(case: Case, site: Site, size: int) -> tuple[SourceFile, ast.expr] | None:
    """Return the first size in the shape of a placeholder, if it has a value."""
    file = case.sources[site.file]
    for call in file.calls_at(site):
        if ast.unparse(call.func).endswith("placeholder"):
            shape = argument(call, "shape", 1)
            if isinstance(shape, ast.List | ast.Tuple) and shape.elts:
                first = shape.elts[0]
                value = evaluated(first, case.origins.environments.at((site,)))
                if value == size:
                    return file, first
    return None
