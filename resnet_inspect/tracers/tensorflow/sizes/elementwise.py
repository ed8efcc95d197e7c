"""What the sizes of elementwise ops depend on: known from their type, without trying any.

Half of the ops of a training step are elementwise. Trying their sizes, as `axis_links` does, gives
the same answers (tests/tracers/tensorflow/sizes/test_elementwise.py) and takes most of its time.
"""

from __future__ import annotations

from itertools import zip_longest

from resnet_inspect.graph.lineage import Relation
from resnet_inspect.tracers.tensorflow.sizes.answers import Answer, Dependence, Spot
from resnet_inspect.tracers.tensorflow.sizes.shape_probe import Leaf, Probe

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
# Inputs have one shape, which the output has too.
MERGED = frozenset(
    ("AddN", "EluGrad", "LeakyReluGrad", "Relu6Grad", "ReluGrad", "SeluGrad", "SoftplusGrad")
)
# Inputs are broadcast to one shape.
BROADCAST = frozenset(
    (
        *("Add", "AddV2", "Div", "DivNoNan", "Equal", "FloorDiv", "Greater", "GreaterEqual"),
        *("Less", "LessEqual", "LogicalAnd", "LogicalOr", "Maximum", "Minimum", "Mul"),
        *("MulNoNan", "NotEqual", "Pow", "RealDiv", "SquaredDifference", "Sub", "Xlogy"),
    )
)


def elementwise(probe: Probe) -> Answer | None:
    """The answer for an elementwise op of tensors; None for others, and where sizes of 1 are
    broadcast or two sizes are not known to agree: these have to be tried.
    """
    leaves = probe.leaves
    if not probe.takes_tensors() or any(leaf.shape is None or 0 in leaf.sizes for leaf in leaves):
        return None
    if probe.type in UNARY or (len(leaves) == 1 and probe.type in MERGED | BROADCAST):
        return _following(leaves[0])
    if probe.type in MERGED:
        return _tied(leaves) if len({leaf.shape for leaf in leaves}) == 1 else None
    if probe.type in BROADCAST and len(leaves) == 2:
        return _broadcast(leaves[0], leaves[1])
    return None


def _following(leaf: Leaf) -> Answer:
    return _answer([((0, axis),) for axis in range(len(leaf.sizes))])


def _tied(leaves: list[Leaf]) -> Answer:
    """Each size of a leaf is that of the same axis of all others."""
    axes = range(len(leaves[0].sizes))
    ties = [tuple((number, axis) for number in range(len(leaves))) for axis in axes]
    return _answer(ties)


def _broadcast(first: Leaf, second: Leaf) -> Answer | None:
    ranks = len(first.shape or ()), len(second.shape or ())
    ties: list[tuple[Spot, ...]] = []
    pairs = zip_longest(reversed(first.shape or ()), reversed(second.shape or ()))
    for behind, (one, other) in enumerate(pairs, start=1):
        spots = [(number, rank - behind) for number, rank in enumerate(ranks) if behind <= rank]
        if len(spots) == 2 and (one != other or one == 1):
            return None
        ties.append(tuple(spots))
    return _answer(ties[::-1])


def _answer(ties: list[tuple[Spot, ...]]) -> Answer:
    """Of spots that change together, each group for one axis of the output."""
    found = [
        Dependence((0, axis), spot, Relation.SAME, tuple(one for one in spots if one != spot))
        for axis, spots in enumerate(ties)
        for spot in spots
    ]
    several = tuple(spots for spots in ties if len(spots) > 1)
    return Answer(tuple(sorted(found, key=lambda one: one.spot)), several, ())
