"""Converts a framework-free op back into TensorFlow's definition of a node, to rebuild the op."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, node_def_pb2, tensor_shape_pb2
from tensorflow.python.framework import op_def_registry

from resnet_inspect.graph import Op
from resnet_inspect.graph.nodes import Attr

AttrValue = attr_value_pb2.AttrValue


class UnknownOpError(ValueError):
    """TensorFlow does not know the type of an op, or an attribute of the op was not recorded."""


def node_definition(op: Op) -> Any:
    """Return a NodeDef with the type and the attributes of `op`, without name and inputs.

    Raises:
        UnknownOpError: TensorFlow does not know the type, or a required attribute is missing.
    """
    definition = op_def_registry.get(op.type)
    if definition is None:
        raise UnknownOpError(f"TensorFlow has no op type {op.type}")
    node = node_def_pb2.NodeDef(op=op.type)
    for attribute in definition.attr:
        value = op.attrs.get(attribute.name)
        if value is not None:
            _fill(node.attr[attribute.name], attribute.type, value)
        elif attribute.HasField("default_value"):
            node.attr[attribute.name].CopyFrom(attribute.default_value)
        elif attribute.type == "shape":  # only an unknown rank is not recorded
            node.attr[attribute.name].shape.unknown_rank = True
        elif attribute.type.startswith("list("):  # only an empty list is not recorded
            node.attr[attribute.name].list.SetInParent()
        else:
            raise UnknownOpError(f"attribute {attribute.name} was not recorded")
    return node


def _fill(target: Any, kind: str, value: Attr) -> None:
    """Set an attribute of the type `kind`, such as `int` or `list(type)`."""
    if kind.startswith("list("):
        kind = kind[5:-1]
        values = value if isinstance(value, list) else [value]
        fields = target.list
        for item in values:
            if kind == "func":
                fields.func.add(name=item)
            else:
                getattr(fields, FIELDS[kind]).append(_plain(kind, item))
    elif kind == "shape":
        sizes = value if isinstance(value, list) else [value]
        dims = [tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in sizes]
        target.shape.CopyFrom(tensor_shape_pb2.TensorShapeProto(dim=dims))
    elif kind == "func":
        target.func.name = str(value)
    elif kind == "tensor":
        raise UnknownOpError("a constant is rebuilt from its value")
    else:
        setattr(target, FIELDS[kind], _plain(kind, value))


FIELDS = {"int": "i", "float": "f", "bool": "b", "string": "s", "type": "type"}


def _plain(kind: str, value: Any) -> Any:
    if kind == "string":
        return str(value).encode()
    if kind == "type":
        return tf.as_dtype(value).as_datatype_enum
    return value
