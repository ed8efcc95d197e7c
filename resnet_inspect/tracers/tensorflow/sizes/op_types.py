"""What is known of types of ops without trying sizes."""

from __future__ import annotations

from resnet_inspect.graph.inlining import FUNCTIONS

# The output has the shape of the input.
UNARY = frozenset(
    (
        *("Abs", "Cast", "Ceil", "Cos", "Elu", "Erf", "Exp", "Expm1", "Floor", "Identity"),
        *("IsFinite", "IsInf", "IsNan", "LeakyRelu", "Log", "Log1p", "LogicalNot", "Neg"),
        *("OnesLike", "Reciprocal", "Relu", "Relu6", "Rint", "Round", "Rsqrt", "Selu"),
        *("Sigmoid", "Sign", "Sin", "Softplus", "Softsign", "Sqrt", "Square", "StopGradient"),
        *("Tanh", "ZerosLike"),
    )
)
# All inputs and the output have the same shape.
MERGED = frozenset(
    ("AddN", "EluGrad", "LeakyReluGrad", "Relu6Grad", "ReluGrad", "SeluGrad", "SoftplusGrad")
)
# The inputs are broadcast to a common shape.
BROADCAST = frozenset(
    (
        *("Add", "AddV2", "Div", "DivNoNan", "Equal", "FloorDiv", "Greater", "GreaterEqual"),
        *("Less", "LessEqual", "LogicalAnd", "LogicalOr", "Maximum", "Minimum", "Mul"),
        *("MulNoNan", "NotEqual", "Pow", "RealDiv", "SquaredDifference", "Sub", "Xlogy"),
    )
)
ELEMENTWISE = UNARY | MERGED | BROADCAST
# The output has a fixed shape, and the op rejects inputs of other shapes.
FIXED = frozenset(("StatelessRandomGetKeyCounter",))
# Ops whose result depends only on the shape of their input.
SHAPE_READERS = ("Shape", "ShapeN", "Size", "Rank")
# Ops in which an integer is an amount, not a position of an axis or a flag.
ARITHMETIC = frozenset(
    ("Add", "AddV2", "Sub", "Mul", "FloorDiv", "RealDiv", "Div", "Maximum", "Minimum", "Range")
)
AMOUNTS = frozenset(("Pad", "PadV2", "MirrorPad", "Tile", "Slice", "StridedSlice"))
# Ops whose values are not known before the graph runs.
UNKNOWN_VALUES = frozenset(
    (*FUNCTIONS, "Placeholder", "IteratorGetNext", "TensorListGetItem", "TensorListLength")
)
# Inputs whose values set output sizes, by type of op. The values of other inputs do not. For types
# that are not listed, each small integer input may.
VALUES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(ELEMENTWISE, ()),
    **dict.fromkeys(("Pack", "Unpack", "Squeeze", "MatMul", "BatchMatMulV2", "Einsum"), ()),
    **dict.fromkeys(("Sum", "Prod", "Mean", "Max", "Min", "Any", "All", "ArgMax"), (1,)),
    **dict.fromkeys(("Transpose", "Tile", "Reshape", "ExpandDims", "OneHot"), (1,)),
    **dict.fromkeys(("Split", "Concat"), (0,)),
    "ConcatV2": (-1,),
    "GatherV2": (2,),
    "SplitV": (1, 2),
    "Slice": (1, 2),
    "StridedSlice": (1, 2, 3),
}
