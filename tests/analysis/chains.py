"""Small graphs for tests of comparisons: layers of one op each, in a given order."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, TensorSpec, Variable

SPEC = TensorSpec((8, 4), "float32")
Row = tuple[str, str, Sequence[str]]


def network(*rows: Row, spec: TensorSpec = SPEC) -> Graph:
    """A network of rows (name, type, names that it takes); `x` is its input."""
    ops = [Op("x", "Placeholder", Phase.OTHER, outputs=(SPEC,))]
    layers = []
    for name, kind, takes in rows:
        inputs = tuple(TensorRef(name) for name in takes)
        ops.append(Op(name, kind, Phase.FORWARD, inputs=inputs, outputs=(spec,)))
        layers.append(Layer(name, kind, (), name, (name,), inputs, TensorRef(name)))
    return Graph(tuple(ops), layers=tuple(layers), inputs={"x": TensorRef("x")})


def chain(*named: str) -> Graph:
    """A chain of layers written as name:Type, each taking the one before it."""
    pairs = [text.split(":") for text in named]
    before = ["x", *(name for name, _ in pairs)]
    return network(
        *((name, kind, [taken]) for (name, kind), taken in zip(pairs, before, strict=False))
    )


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Networks of up to eight layers of a few types, which take outputs of any before them, with
    names of which some count, ops that lie in no layer, and variables.
    """
    ops = [Op("x", "Placeholder", Phase.OTHER, outputs=(SPEC,))]
    layers, variables = [], []
    taken = {"x"}
    for _ in range(draw(st.integers(0, 8))):
        name = draw(st.sampled_from("abcdef"))
        while name in taken:
            name += draw(st.sampled_from(["_1", "_2", "q"]))
        taken.add(name)
        known = st.sampled_from([op.name for op in ops])
        inputs = tuple(TensorRef(op) for op in draw(st.lists(known, max_size=2)))
        phase = draw(st.sampled_from([Phase.FORWARD, Phase.BACKWARD]))
        spec = TensorSpec(draw(st.sampled_from([(8, 4), (8, 2), None])), "float32")
        kind = draw(st.sampled_from(["Dense", "Relu"]))
        width = {"width": draw(st.integers(1, 2))}
        ops.append(Op(name, kind, phase, inputs=inputs, outputs=(spec,), attrs=dict(width)))
        if phase != Phase.FORWARD:
            continue
        owned = tuple(f"{name}/{part}" for part in draw(st.sampled_from([(), ("w",), ("w", "v")])))
        variables += [Variable(part, spec, draw(st.booleans()), (name,), (name,)) for part in owned]
        path = draw(st.sampled_from([(), ("block",)]))
        layers.append(Layer(name, kind, path, name, (name,), inputs, TensorRef(name), owned))
    return Graph(tuple(ops), tuple(variables), tuple(layers), {"x": TensorRef("x")})
