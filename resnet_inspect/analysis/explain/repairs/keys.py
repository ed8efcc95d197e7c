"""Renames the keys of data after the inputs of the model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import get_close_matches

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.repairs import input_shapes, places
from resnet_inspect.analysis.explain.repairs.building import Sides, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.analysis.explain.sources import SourceFile


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield the name of the missing input for a key that no input has."""
    if problem.rule != "input-names":
        return
    got = _names(problem.facts.get("got"))
    want = _names(problem.facts.get("want"))
    missing = [name for name in want if name not in got]
    spare = [name for name in got if name not in want]
    for name in missing:
        close = get_close_matches(name, spare, 1, 0.5)
        choices = close or (spare if len(spare) == 1 or len(missing) == 1 else [])
        for key in choices[:2]:
            for file, node in _keys(case, key):
                quote = raw(file, node)[:1]
                edits = [replace(file, node, f"{quote}{name}{quote}")]
                title = f"{raw(file, node)} → {quote}{name}{quote}"
                reason = f"the model has no input '{key}'"
                yield repair(case, "rename-key", title, edits, 1.0, reason)
                for title_of_shape, edit in _input_shape(case, name, key):
                    both = f"{title}, {title_of_shape}"
                    yield repair(case, "rename-key", both, [*edits, edit], 0.9, reason)
            yield from _input_names(case, name, key)


def _input_shape(case: Case, name: str, key: str) -> Iterator[tuple[str, Edit]]:
    """Yield the change of an input's shape to that of the data under another key."""
    data = places.data(case, "x")
    value = data.value.items.get(key) if data is not None and data.value is not None else None
    for number, layer in enumerate(case.crash.layers):
        if layer.name != name or layer.output is None or value is None or value.shape is None:
            continue
        if len(layer.output) == len(value.shape) and layer.output[1:] != value.shape[1:]:
            for declared in input_shapes.declarations(case, number):
                new = input_shapes.written(declared, value.shape)
                if new is not None:
                    edit = replace(declared.file, declared.node, new)
                    yield changed(declared.file, declared.node, new), edit
                return


def _names(text: object) -> list[str]:
    try:
        value = ast.literal_eval(str(text))
    except (ValueError, SyntaxError):
        return []
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _keys(case: Case, key: str) -> Iterator[tuple[SourceFile, ast.Constant]]:
    """Yield the places that write a key of a dictionary of data."""
    data = places.data(case, "x")
    if data is not None:
        made = places.resolved(data.file, data.node)
        for node in ast.walk(made):
            if isinstance(node, ast.Dict):
                for item in node.keys:
                    if isinstance(item, ast.Constant) and item.value == key:
                        yield data.file, item
                        return
    for name in case.crash.files:
        file = case.sources[name]
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Dict):
                for item in node.keys:
                    if isinstance(item, ast.Constant) and item.value == key:
                        yield file, item
                        return


def _input_names(case: Case, name: str, key: str) -> Iterator[Repair]:
    """Yield the name of the `Input` layer, changed into that of the data."""
    for file_name in case.crash.files:
        file = case.sources[file_name]
        for call in file.calls:
            if ast.unparse(call.func).rpartition(".")[2] != "Input":
                continue
            for keyword in call.keywords:
                value = keyword.value
                if (
                    keyword.arg == "name"
                    and isinstance(value, ast.Constant)
                    and value.value == name
                ):
                    quote = raw(file, value)[:1]
                    new = f"{quote}{key}{quote}"
                    title = f"name={raw(file, value)} → name={new}"
                    yield repair(case, "rename-key", title, [replace(file, value, new)], 1.8)
