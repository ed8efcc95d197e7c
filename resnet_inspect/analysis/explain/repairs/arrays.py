"""Writes changes of the shape of data: reshape, a new axis, one axis less, another order."""

from __future__ import annotations

import ast
from typing import NamedTuple

from resnet_inspect.analysis.explain.explanation import Edit
from resnet_inspect.analysis.explain.repairs import idioms
from resnet_inspect.analysis.explain.repairs.edits import primary, raw, replace
from resnet_inspect.analysis.explain.sources import SourceFile
from resnet_inspect.graph.crash import Value, ValueKind


class Array(NamedTuple):
    """An expression for an array or tensor, and what kind of object it is."""

    file: SourceFile
    node: ast.expr
    value: Value | None
    is_tensor: bool | None = None

    @property
    def symbolic(self) -> bool:
        """Whether it is a tensor of TensorFlow or Keras."""
        value = self.value
        if value is None or self.is_tensor is not None:
            return bool(self.is_tensor)
        return value.kind in (ValueKind.TENSOR, ValueKind.VARIABLE) or "Tensor" in value.type

    @property
    def text(self) -> str:
        """The expression for an object with the methods of an array."""
        text = primary(self.file, self.node)
        kind = self.value.type if self.value is not None else ""
        if kind in ("DataFrame", "Series"):
            return f"{text}.values"
        if kind in ("list", "tuple") or isinstance(self.node, ast.List | ast.Tuple):
            return f"{idioms.numpy(self.file) or 'np'}.array({raw(self.file, self.node)})"
        return text


def reshaped(array: Array, sizes: tuple[int | str, ...]) -> str:
    """Return the expression with another shape, such as `x.reshape(-1, 784)`."""
    listed = ", ".join(map(str, sizes))
    if array.symbolic:
        tensorflow = idioms.tensorflow(array.file)
        if tensorflow:
            return f"{tensorflow}.reshape({raw(array.file, array.node)}, [{listed}])"
        return f"{idioms.keras(array.file)}.ops.reshape({raw(array.file, array.node)}, ({listed}))"
    return f"{array.text}.reshape({listed})"


def expanded(array: Array, axis: int) -> str:
    """Return the expression with an axis of size 1: `x[None]`, `x[:, None]`, `x[..., None]`."""
    tensorflow = idioms.tensorflow(array.file) if array.symbolic else ""
    if tensorflow:
        return f"{tensorflow}.expand_dims({raw(array.file, array.node)}, {axis})"
    index = "..., None" if axis == -1 else ", ".join([":"] * axis + ["None"])
    return f"{array.text}[{index}]"


def squeezed(array: Array, axis: int, rank: int) -> str:
    """Return the expression without an axis of size 1."""
    if array.symbolic and idioms.tensorflow(array.file):
        return f"{idioms.tensorflow(array.file)}.squeeze({raw(array.file, array.node)}, {axis})"
    if axis == rank - 1:
        return f"{array.text}[..., 0]"
    return f"{array.text}[{', '.join([':'] * axis + ['0'])}]"


def transposed(array: Array, order: tuple[int, ...]) -> str:
    """Return the expression with its axes in another order."""
    listed = ", ".join(map(str, order))
    if array.symbolic and idioms.tensorflow(array.file):
        return (
            f"{idioms.tensorflow(array.file)}.transpose({raw(array.file, array.node)}, [{listed}])"
        )
    if order == (1, 0):
        return f"{array.text}.T"
    return f"{array.text}.transpose({listed})"


def edit(array: Array, new: str) -> Edit:
    """Return the edit that writes a new expression in place of the array's."""
    return replace(array.file, array.node, new)
