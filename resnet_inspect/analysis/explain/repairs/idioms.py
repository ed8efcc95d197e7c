"""How a file of the user names modules, layers and other values."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.explanation import Edit
from resnet_inspect.analysis.explain.repairs.edits import insert_after, line_before, raw
from resnet_inspect.analysis.explain.sources import SourceFile

Spelling = tuple[str, tuple[Edit, ...]]
TENSORFLOW = ("tensorflow", "tensorflow.compat.v1", "tensorflow.compat.v2")
KERAS = ("keras", "tensorflow.keras", "tf_keras", "tensorflow.python.keras")


def module(file: SourceFile, *names: str) -> str:
    """Return the name by which the file knows one of these modules, empty if it does not."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                if item.name in names:
                    if item.asname:
                        return item.asname
                    return item.name
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for item in node.names:
                if f"{node.module}.{item.name}" in names:
                    return item.asname or item.name
    return ""


def numpy(file: SourceFile) -> str:
    """Return the file's name of NumPy, empty without."""
    return module(file, "numpy")


def tensorflow(file: SourceFile) -> str:
    """Return the file's name of TensorFlow, empty without."""
    return module(file, *TENSORFLOW)


def keras(file: SourceFile) -> str:
    """Return the file's name of Keras, such as `keras` or `tf.keras`, empty without."""
    name = module(file, *KERAS)
    if name:
        return name
    parent = tensorflow(file)
    return f"{parent}.keras" if parent else ""


def layer(file: SourceFile, name: str, near: ast.expr | None = None) -> Spelling:
    """Return how the file would write a layer class, with an edit of its imports if needed.

    `near` is the class of another layer there, such as `layers.Dense`; the result resembles it.
    """
    return _like(file, near, name) or _any(file, name) or (f"keras.layers.{name}", ())


def _like(file: SourceFile, near: ast.expr | None, name: str) -> Spelling | None:
    if isinstance(near, ast.Attribute):
        return f"{raw(file, near.value)}.{name}", ()
    if isinstance(near, ast.Name):
        return imported(file, name, near.id)
    return None


def imported(file: SourceFile, name: str, beside: str) -> Spelling | None:
    """Return a name that is imported, or imported by an edit from where `beside` comes from."""
    if _knows(file, name):
        return name, ()
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        names = [item.asname or item.name for item in node.names]
        if beside in names or names == ["*"]:
            if names == ["*"]:
                if _keras_module(node.module or ""):
                    return name, ()
                continue
            if node.module and _keras_module(node.module):
                return name, (insert_after(file, node.names[-1], f", {name}"),)
    return None


def _any(file: SourceFile, name: str) -> Spelling | None:
    """Return a spelling from the file's imports of layers, or its name of Keras."""
    prefix = module(file, *(f"{root}.layers" for root in KERAS))
    if prefix:
        return f"{prefix}.{name}", ()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("layers"):
            result = imported(file, name, node.names[-1].asname or node.names[-1].name)
            if result is not None:
                return result
    root = keras(file)
    return (f"{root}.layers.{name}", ()) if root else None


def _knows(file: SourceFile, name: str) -> bool:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ImportFrom | ast.Import) and any(
            (item.asname or item.name) == name for item in node.names
        ):
            return True
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return True
    return False


def _keras_module(name: str) -> bool:
    return "keras" in name.split(".")


def to_categorical(file: SourceFile) -> Spelling:
    """Return how the file would write `to_categorical`, with an import if it has none."""
    return utility(file, "to_categorical")


def utility(file: SourceFile, name: str) -> Spelling:
    """Return how the file would write a function of `keras.utils`, with an edit of its imports."""
    for node in ast.walk(file.tree):
        named = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
        if isinstance(node, ast.Name | ast.Attribute) and named == name:
            return ast.unparse(node), ()
    if _knows(file, name):
        return name, ()
    prefix = module(file, *(f"{root}.utils" for root in KERAS))
    if prefix:
        return f"{prefix}.{name}", ()
    root = keras(file)
    if root:
        return f"{root}.utils.{name}", ()
    for node in _keras_imports(file):
        before, _, _ = (node.module or "").partition(".keras")
        package = f"{before}.keras" if ".keras" in (node.module or "") else "keras"
        return name, (line_before(file, node, f"from {package}.utils import {name}"),)
    return name, ()


def _keras_imports(file: SourceFile) -> Iterator[ast.ImportFrom]:
    for node in file.tree.body:
        if isinstance(node, ast.ImportFrom) and _keras_module(node.module or ""):
            yield node


def batch_size(file: SourceFile, before: int) -> str:
    """Return a name of the module for the batch size that is set before a line, or `32`."""
    for node in file.tree.body:
        if isinstance(node, ast.Assign) and node.lineno < before:
            for target in node.targets:
                if isinstance(target, ast.Name) and "batch" in target.id.lower():
                    value = node.value
                    if isinstance(value, ast.Constant) and type(value.value) is int:
                        return target.id
    return "32"
