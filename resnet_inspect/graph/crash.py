"""What is known at the moment a program raises an exception: frames, values, layers and tensors.

A crash is recorded where the exception is still alive. It contains the text of the user's files, so
that it is explained without the program and on another machine.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

Shape = tuple[int | None, ...]
Setting = bool | int | float | str | tuple[int, ...]


class Site(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A place in the user's code.

    Attributes:
        file: its name, a key of `Crash.files` where the text is known.
        line: the first line of the statement or call, from 1.
        function: the name of the function, "<module>" at the top.
        end_line, column, end_column: the rest of the span as `ast` counts it; 0 if unknown.
        values: integers by the names in the code, such as `width`, `self.width`.
    """

    file: str
    line: int
    function: str = ""
    end_line: int = 0
    column: int = 0
    end_column: int = 0
    values: dict[str, int] = {}


class ValueKind(StrEnum):
    """The kind of a value. TENSOR is symbolic; ARRAY has elements; OBJECT is anything else."""

    TENSOR = "tensor"
    ARRAY = "array"
    VARIABLE = "variable"
    LAYER = "layer"
    DATASET = "dataset"
    NUMBER = "number"
    TEXT = "text"
    ITEMS = "items"  # of a tuple, list or dictionary
    NONE = "none"
    FUNCTION = "function"
    OBJECT = "object"


class Value(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A value in a frame or of an argument.

    Attributes:
        kind: its kind.
        type: the name of its class, such as `ndarray`, `Sequential`.
        shape: of a tensor, array or variable; None if it has none or its rank is unknown.
        dtype: the element type, such as `float32`.
        text: a number, a text or a small array as Python writes it; empty for larger values.
        low, high: the least and largest element of an integer array.
        node: the index in `Crash.nodes` of what made a tensor; -1 if unknown.
        layer: the index in `Crash.layers` of a layer or model; -1 for other values.
        items: the items of a tuple, list or dictionary by key or index, at most 16. Of a dataset:
            the specs of an element.
    """

    kind: ValueKind
    type: str = ""
    shape: Shape | None = None
    dtype: str = ""
    text: str = ""
    low: int | None = None
    high: int | None = None
    node: int = -1
    layer: int = -1
    items: dict[str, Value] = {}


class CrashFrame(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A frame of the user's code in the traceback.

    Attributes:
        site: the place that it executes, with the span of the failing expression.
        values: the values of the names and attributes that its code uses, such as `x` and
            `self.width`.
        parameters: the names of the parameters of its function.
    """

    site: Site
    values: dict[str, Value] = {}
    parameters: tuple[str, ...] = ()


class NodeKind(StrEnum):
    """What made a tensor. INPUT is an argument of a traced function or an `Input` of Keras."""

    OP = "op"
    LAYER = "layer"
    INPUT = "input"
    PLACEHOLDER = "placeholder"
    VARIABLE = "variable"
    CONSTANT = "constant"


class Node(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An op or a call of a layer on the way to a tensor of the failed call.

    Attributes:
        kind, name, type: such as OP, `dense/MatMul`, `MatMul`.
        inputs: indices of the nodes whose outputs it reads, in order; -1 beyond the recorded ones.
        shapes: the static shapes of its outputs; None for an unknown rank.
        dtype: of its first output.
        value: a small constant as Python writes it, such as `[16, 10, 6]`.
        settings: attributes of the op that determine shapes, such as `strides`, `transpose_b`.
        layer: the index in `Crash.layers` of the layer that contains the op; -1 without.
        sites: the user's lines that made it, innermost first.
    """

    kind: NodeKind
    name: str
    type: str
    inputs: tuple[int, ...] = ()
    shapes: tuple[Shape | None, ...] = ()
    dtype: str = ""
    value: str = ""
    settings: dict[str, Setting] = {}
    layer: int = -1
    sites: tuple[Site, ...] = ()


class CrashLayer(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A layer or model that takes part in the failure.

    Attributes:
        name, type: such as `dense_1`, `Dense`.
        settings: its arguments that determine shapes, such as `units`, `axis`, `padding`.
        weights: the shapes of its variables by their short names, such as `kernel`.
        weights_created: the user's lines that created variables, innermost first, by the same
            names; without the variables that a layer of Keras creates.
        built_for: the input shape for which it was built; None if not built or several.
        output: its latest known output shape.
        sublayers: indices in `Crash.layers` of the layers of a model, in order.
        own: whether its class, or the function of a Lambda layer, is the user's.
        created: the user's lines that created it, innermost first.
        loss: of a compiled model, the class or name of the loss.
    """

    name: str
    type: str
    settings: dict[str, Setting] = {}
    weights: dict[str, Shape] = {}
    weights_created: dict[str, tuple[Site, ...]] = {}
    built_for: Shape | None = None
    output: Shape | None = None
    sublayers: tuple[int, ...] = ()
    own: bool = False
    created: tuple[Site, ...] = ()
    loss: str = ""


class Call(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A call of a framework's function in the traceback.

    Attributes:
        function: its name as in the source: `matmul`, `+`, `Concatenate.call`, `Model.fit`.
        arguments: the values by parameter.
        layer: the index in `Crash.layers` of the layer that is called; -1 for functions.
        frame: the index in `Crash.frames` of the user's frame that makes the call.
    """

    function: str
    arguments: dict[str, Value] = {}
    layer: int = -1
    frame: int = -1


class Batch(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The batch that `fit`, `evaluate` or `predict` of Keras read when it failed.

    Attributes:
        spec: the shapes of a batch: inputs, targets and sample weights by index. Sizes that differ
            between batches are None. None if unknown.
        source: the adapter of Keras, such as `ArrayDataAdapter` or `GeneratorDataAdapter`.
        step: the number of the batch in its epoch, from 0; None before the first batch.
        batches: the number of batches in an epoch; None if unknown.
        examples: the number of examples in the batch; None if unknown.
    """

    spec: Value | None = None
    source: str = ""
    step: int | None = None
    batches: int | None = None
    examples: int | None = None


class Crash(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An exception and its circumstances.

    Of an exception that the program raised from one of a framework, it is the latter.

    Attributes:
        kind: the class of the exception; `bases` are the names of its base classes.
        message: the whole message without control codes; `cause` is its decisive line.
        during: the outermost entry of the framework: `fit`, `predict`, `evaluate`, `session`,
            `function`, or empty.
        step: the training step that failed, from 0; None outside a training. If several steps run
            in one execution, the first of them.
        frames: the user's frames, outermost first.
        calls: the calls of the framework's functions and layers, outermost first.
        op: the name of the op that failed when it ran; empty while a graph is built.
        op_node: the index of that op in `nodes`; -1 if unknown. Of a gradient op, that of the op
            that it differentiates.
        batch: the batch that Keras read; None outside its loops over batches.
        nodes: ops and layer calls, inputs before consumers.
        layers: layers and models.
        files: the texts of the user's files by name.
    """

    kind: str
    message: str
    cause: str
    bases: tuple[str, ...] = ()
    during: str = ""
    step: int | None = None
    frames: tuple[CrashFrame, ...] = ()
    calls: tuple[Call, ...] = ()
    op: str = ""
    op_node: int = -1
    batch: Batch | None = None
    nodes: tuple[Node, ...] = ()
    layers: tuple[CrashLayer, ...] = ()
    files: dict[str, str] = {}
