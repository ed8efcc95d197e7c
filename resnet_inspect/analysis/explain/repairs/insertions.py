"""Inserts a layer in front of another: in a list, a chain of `add`, a functional or own model."""

from __future__ import annotations

import ast

from resnet_inspect.analysis.explain.explanation import Edit
from resnet_inspect.analysis.explain.repairs import idioms, places
from resnet_inspect.analysis.explain.repairs.edits import insert_before, line_before, raw, wrap


def inserted(made: places.Creation, name: str, arguments: str = "") -> tuple[Edit, ...]:
    """Return the edits that insert a layer in front of another, empty if it cannot be done."""
    file, call = made.file, made.call
    where = places.position(made)
    spelled, imports = idioms.layer(file, name, call.func)
    if name == "TimeDistributed" and arguments == "Flatten()":
        inner, more = idioms.layer(file, "Flatten", call.func)
        arguments, imports = f"{inner}()", (*imports, *more)
    new = f"{spelled}({arguments})"
    parent = file.parents.get(call)
    if where is places.Position.LIST:
        return (*imports, _in_list(made, parent, new))
    if where is places.Position.ADD and isinstance(parent, ast.Call):
        statement = file.enclosing_statement(call)
        if isinstance(statement, ast.Expr):
            return (*imports, line_before(file, statement, f"{raw(file, parent.func)}({new})"))
    for applied in places.applications(made):
        if len(applied.args) == 1:
            kept = _kept(made, name, new)
            if kept is None:
                return (*imports, *_in_chain(made, applied, new))
            return (*imports, kept[1], *_in_chain(made, applied, kept[0]))
    return ()


def _kept(made: places.Creation, name: str, new: str) -> tuple[str, Edit] | None:
    """Return a name for a layer of a model of the user, and the edit that creates it there."""
    statement = made.file.parents.get(made.call)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Attribute):
        return None
    attribute = f"{ast.unparse(statement.targets[0].value)}.{name.lower()}"
    if attribute in made.file.text:
        attribute += "_2"
    return attribute, line_before(made.file, statement, f"{attribute} = {new}")


def _in_list(made: places.Creation, parent: ast.AST | None, new: str) -> Edit:
    """Return the edit of a list of layers; on a line of its own if the others have one."""
    file, call = made.file, made.call
    line = file.lines[call.lineno - 1]
    prefix = line.encode()[: call.col_offset].decode()
    ending = f",\n{prefix}" if not prefix.strip() else ", "
    return insert_before(file, call, f"{new}{ending}")


def _in_chain(made: places.Creation, applied: ast.Call, new: str) -> tuple[Edit, ...]:
    """Return the edits of `h = Dense(3)(h)`: a line before it, else around its argument."""
    file, given = made.file, applied.args[0]
    statement = file.enclosing_statement(applied)
    alone = isinstance(statement, ast.Assign) and statement.value is applied
    if alone and isinstance(given, ast.Name) and isinstance(statement, ast.Assign):
        target = ast.unparse(statement.targets[0])
        later = any(
            isinstance(node, ast.Name) and node.id == given.id and node.lineno > applied.lineno
            for node in ast.walk(file.scope(applied.lineno))
        )
        if target == given.id or not later:
            return (line_before(file, statement, f"{given.id} = {new}({given.id})"),)
    return wrap(file, given, f"{new}(", ")")
