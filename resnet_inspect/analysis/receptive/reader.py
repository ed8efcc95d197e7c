"""Follows the axes of the network's inputs through ops, with the intervals that positions read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from resnet_inspect.analysis.costs.constants import Constants
from resnet_inspect.analysis.costs.dimensions import CALLS
from resnet_inspect.analysis.receptive.axis_changes import CHANGES, GraphValues
from resnet_inspect.analysis.receptive.reach import (
    InputAxis,
    Located,
    Reach,
    Reaches,
    Unlocated,
    Whole,
    all_joined,
)
from resnet_inspect.analysis.receptive.windows import KERNELS, TRANSPOSED, AxisWindow, axis_windows
from resnet_inspect.graph import Graph, Op, Phase, TensorRef

# Each element of the output reads the same place of the inputs.
ELEMENTWISE = frozenset((
    "Abs", "Add", "AddN", "AddV2", "BiasAdd", "Cast", "Ceil", "CheckNumerics", "ClipByValue",
    "Cos", "Div", "DivNoNan", "Elu", "EnsureShape", "Equal", "Erf", "Exp", "Expm1",
    "FakeQuantWithMinMaxVars", "Floor", "FloorDiv", "FusedBatchNorm", "FusedBatchNormV2",
    "FusedBatchNormV3", "Greater", "GreaterEqual", "Identity", "IdentityN", "IsFinite", "IsNan",
    "LRN", "LeakyRelu", "Less", "LessEqual", "Log", "Log1p", "LogicalAnd", "LogicalNot",
    "LogicalOr", "Maximum", "Minimum", "Mod", "Mul", "MulNoNan", "Neg", "NotEqual", "OnesLike",
    "Pow", "PreventGradient", "RealDiv", "Reciprocal", "Relu", "Relu6", "Round", "Rsqrt",
    "Select", "SelectV2", "Selu", "Sigmoid", "Sign", "Sin", "Snapshot", "Softplus", "Softsign",
    "Sqrt", "Square", "SquaredDifference", "StopGradient", "Sub", "Tan", "Tanh", "Xdivy",
    "Xlogy", "ZerosLike",
))  # fmt: skip
SHAPES = ("Shape", "ShapeN", "Size", "Rank")
JOINING = ("ConcatV2", "Pack")
# Layers that change images at random while the network trains. Their output has the positions of
# their input.
AUGMENTATIONS = frozenset((
    "RandomBrightness", "RandomContrast", "RandomElasticTransform", "RandomErasing", "RandomFlip",
    "RandomGaussianBlur", "RandomHue", "RandomPerspective", "RandomRotation", "RandomSaturation",
    "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom",
))  # fmt: skip
LOOKUPS = ("GatherV2", "ResourceGather")
PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")


class Reader:
    """Computes what the tensors of a graph or a function read.

    Attributes:
        reaches: what each tensor reads.
        moved: the input axes along which an op moves a window, or may do so.
        channels: the input axes that an op reads as channels.
    """

    def __init__(
        self,
        graph: Graph,
        functions: Mapping[str, Graph],
        given: Mapping[TensorRef, Reaches],
        constants: Constants,
    ) -> None:
        self._graph, self._functions = graph, functions
        self._values = GraphValues(graph, constants)
        self.reaches: dict[TensorRef, Reaches] = dict(given)
        self.moved: set[InputAxis] = set()
        self.channels: set[InputAxis] = set()
        augmented = {
            layer.output: layer.inputs[0]
            for layer in graph.layers
            if layer.type in AUGMENTATIONS and layer.inputs
        }
        for op in graph.ops:
            if op.phase in (Phase.BACKWARD, Phase.OPTIMIZER) or op.type in SHAPES:
                continue
            inputs = [self.reaches.get(ref, {}) for ref in op.inputs]
            if any(inputs):
                for index, reaches in enumerate(self._outputs(op, inputs)):
                    ref = TensorRef(op.name, index)
                    before = augmented.get(ref)
                    self.reaches[ref] = self.reaches.get(before, {}) if before else reaches

    def _outputs(self, op: Op, inputs: list[Reaches]) -> list[Reaches]:
        if op.type in CALLS and str(op.attrs.get("f")) in self._functions:
            return self._called(op, inputs)
        return [self._output(op, inputs)] * len(op.outputs)

    def _called(self, op: Op, inputs: list[Reaches]) -> list[Reaches]:
        function = self._functions[str(op.attrs["f"])]
        arguments = list(function.inputs.values())
        values = Constants(
            function,
            {
                inside: self._values.constants.of(outside)
                for inside, outside in zip(arguments, op.inputs, strict=False)
            },
        )
        given = dict(zip(arguments, inputs, strict=False))
        inner = Reader(function, self._functions, given, values)
        self.moved |= inner.moved
        self.channels |= inner.channels
        return [inner.reaches.get(ref, {}) for ref in function.outputs]

    def _output(self, op: Op, inputs: list[Reaches]) -> Reaches:
        """Return what the first output of an op reads."""
        if op.type in KERNELS:
            return self._windowed(op, inputs[-1] if op.type in TRANSPOSED else inputs[0])
        if op.type in ELEMENTWISE:
            parts = [self._aligned(op, *pair) for pair in enumerate(inputs)]
        elif op.type in PRODUCTS:
            parts = [self._multiplied(op, side, inputs[side]) for side in (0, 1)]
        elif op.type == "Einsum":
            parts = self._einsum(op, inputs)
        elif op.type in LOOKUPS:
            parts = [_each(op, inputs[0], _unlocated), self._looked_up(op, inputs[1])]
        elif op.type in CHANGES:
            change = partial(CHANGES[op.type], self._values)
            data = (
                inputs if op.type in JOINING else inputs[-1:] if op.type == "Split" else inputs[:1]
            )
            parts = [_each(op, part, change) for part in data]
        else:
            parts = [_each(op, part, _unlocated) for part in inputs]
        return all_joined(parts, op.type)

    def _windowed(self, op: Op, data: Reaches) -> Reaches:
        located = [reach for reach in data.values() if isinstance(reach, Located)]
        blocks = max((reach.blocks for reach in located), default=1)
        windows = {window.axis: window for window in axis_windows(self._graph, op, blocks)}
        result: Reaches = {}
        for axis, reach in data.items():
            if not isinstance(reach, Located):
                result[axis] = reach
                if isinstance(reach, Unlocated):
                    self.moved.add(axis)
            elif reach.axis in windows:
                self.moved.add(axis)
                result[axis] = self._moved(op, reach, windows[reach.axis])
            else:
                self.channels.add(axis)
                result[axis] = Whole()
        return result

    def _moved(self, op: Op, reach: Located, window: AxisWindow) -> Reach:
        reach, size = reach.spread(), self._values.size(op, window.axis)
        if window.before is None or reach.inner != 1 or (reach.blocks > 1 and window.stride > 1):
            return Unlocated(op.type)
        settings = window.reach, window.stride, window.before
        transposed = op.type in TRANSPOSED
        field = reach.field.transposed(*settings) if transposed else reach.field.window(*settings)
        return Unlocated(op.type) if field is None else reach._replace(field=field, size=size)

    def _aligned(self, op: Op, place: int, reaches: Reaches) -> Reaches:
        """Return what an input of an elementwise op reads, with the axes of the output."""
        output = op.outputs[0].shape
        missing = len(output or ()) - self._values.rank(op, place) if op.type != "BiasAdd" else 0

        def move(op: Op, reach: Located) -> Reach:
            axis = reach.axis + missing
            stretched = reach.size == 1 and output and axis < len(output) and output[axis] != 1
            return Unlocated(op.type) if stretched else reach._replace(axis=axis)

        return _each(op, reaches, move)

    def _multiplied(self, op: Op, side: int, reaches: Reaches) -> Reaches:
        """Return what a product reads of one side: rows and columns are kept, sums read all."""
        rank = self._values.rank(op, side)
        old, new = (("transpose_a", "adj_x"), ("transpose_b", "adj_y"))[side]
        flipped = bool(op.attrs.get(old) or op.attrs.get(new))
        contracted = rank - 1 if (side == 0) != flipped else rank - 2
        rows = len(op.outputs[0].shape or ())

        def move(_: Op, reach: Located) -> Reach:
            if reach.axis == contracted:
                return Whole()
            if reach.axis >= rank - 2:
                return reach._replace(axis=rows - 2 + side)
            return reach._replace(axis=reach.axis + rows - rank)

        return _each(op, reaches, move)

    def _looked_up(self, op: Op, reaches: Reaches) -> Reaches:
        """Return what the indices of a look-up read. Their axes replace one of the table."""
        places = self._values.numbers(op.inputs[2]) if len(op.inputs) > 2 else [0]

        def move(op: Op, reach: Located) -> Reach:
            if places is None or places[0] < 0 or op.attrs.get("batch_dims"):
                return Unlocated(op.type)
            return reach._replace(axis=reach.axis + places[0])

        return _each(op, reaches, move)

    def _einsum(self, op: Op, inputs: list[Reaches]) -> list[Reaches]:
        terms, _, result = str(op.attrs["equation"]).partition("->")

        def moved(term: str) -> Callable[[Op, Located], Reach]:
            def move(op: Op, reach: Located) -> Reach:
                if "." in term:
                    return Unlocated(op.type)
                letter = term[reach.axis]
                place = result.find(letter)
                return reach._replace(axis=place) if place >= 0 else Whole()

            return move

        pairs = zip(terms.split(","), inputs, strict=False)
        return [_each(op, part, moved(term)) for term, part in pairs]


def _each(op: Op, reaches: Reaches, change: Callable[[Op, Located], Reach | None]) -> Reaches:
    """Return reaches after a change of those with a known place. A change may remove them."""
    changed = {
        axis: change(op, reach) if isinstance(reach, Located) else reach
        for axis, reach in reaches.items()
    }
    return {axis: reach for axis, reach in changed.items() if reach is not None}


def _unlocated(op: Op, _: Located) -> Reach:
    return Unlocated(op.type)
