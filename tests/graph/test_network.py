"""Graphs: JSON round trips, and look-ups that agree with the ops."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.graph import (
    Failure,
    Graph,
    Layer,
    Note,
    Op,
    Phase,
    Source,
    TensorRef,
    TensorSpec,
    Variable,
)

words = st.text('aé×/: "\n', max_size=5)
sizes = st.none() | st.integers(0, 2**40)
specs = st.builds(
    TensorSpec, st.none() | st.lists(sizes, max_size=4).map(tuple), st.sampled_from(["int8", "x"])
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
plain = st.booleans() | st.integers(-(2**63), 2**63 - 1) | numbers | words
attrs = st.dictionaries(words, plain | st.lists(plain, max_size=3), max_size=3)
sources = st.builds(Source, words, st.integers(1, 9999), words, words)


@st.composite
def graphs(draw: st.DrawFn, nested: bool = True) -> Graph:
    """Small graphs: each op reads outputs of earlier ops; each op is in at most one layer."""
    ops: list[Op] = []
    known: list[TensorRef] = []
    for number in range(draw(st.integers(0, 5))):
        inputs = draw(st.lists(st.sampled_from(known), max_size=3)) if known else []
        op = Op(
            name=f"{draw(words)}/op{number}",
            type=draw(words),
            phase=draw(st.sampled_from(Phase)),
            inputs=tuple(inputs),
            control_inputs=tuple(op.name for op in ops[:1]),
            outputs=tuple(draw(st.lists(specs, max_size=2))),
            attrs=draw(attrs),
            source=tuple(draw(st.lists(sources, max_size=1))),
        )
        ops.append(op)
        known.extend(TensorRef(op.name, index) for index in range(len(op.outputs)))
    names = [op.name for op in ops]
    cut = draw(st.integers(0, len(ops)))
    parts = [part for part in (names[:cut], names[cut:]) if part]
    layers = [
        Layer(f"layer{k}", "Any", ("a", "b")[:k], part[-1], tuple(part), (), TensorRef(part[-1]))
        for k, part in enumerate(parts)
    ]
    return Graph(
        ops=tuple(ops),
        variables=tuple(Variable(f"v{name}", draw(specs), True, (name,)) for name in names[:1]),
        layers=tuple(layers),
        inputs={"images": known[0]} if known else {},
        functions=draw(st.dictionaries(words, graphs(nested=False), max_size=1)) if nested else {},
        notes=(Note(draw(words), draw(words)),),
    )


@settings(deadline=None)
@given(graphs())
def test_survives_json(graph: Graph) -> None:
    assert msgspec.json.decode(msgspec.json.encode(graph), type=Graph) == graph


@pytest.mark.parametrize("value", [math.inf, -math.inf, [1.0, math.inf], math.nan])
def test_attributes_that_are_not_finite_survive(
    value: float | list[bool | int | float | str],
) -> None:
    # Constants of -inf are common: maxima and masks begin with them.
    graph = Graph((Op("lowest", "Const", attrs={"value": value}),))
    decoded = msgspec.msgpack.decode(msgspec.msgpack.encode(graph), type=Graph)
    assert repr(decoded.ops[0].attrs["value"]) == repr(value)


@settings(deadline=None)
@given(graphs())
def test_look_ups_agree_with_the_ops(graph: Graph) -> None:
    assert [graph.op_by_name[op.name] for op in graph.ops] == list(graph.ops)
    assert len(graph.op_by_name) == len(graph.ops)
    assert list(graph.layer_by_name.values()) == list(graph.layers)
    assert list(graph.variable_by_name.values()) == list(graph.variables)
    assert set(graph.layer_of_op) == set(graph.op_by_name)
    assert all(name in layer.ops for name, layer in graph.layer_of_op.items())


@settings(deadline=None)
@given(graphs())
def test_consumers_mirror_inputs(graph: Graph) -> None:
    pairs = [(ref, name) for ref, names in graph.consumers.items() for name in names]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == {(ref, op.name) for op in graph.ops for ref in op.inputs}
    order = list(graph.op_by_name)
    for names in graph.consumers.values():
        assert list(names) == sorted(names, key=order.index)
    for ref in graph.consumers:
        assert graph.spec(ref) == graph.op_by_name[ref.op].outputs[ref.index]


PAIR = Graph(
    (
        Op("a", "Split", outputs=(TensorSpec((2,), "int8"), TensorSpec((3,), "int8"))),
        Op("scope/inner/b", "Add", inputs=(TensorRef("a", 1), TensorRef("a", 1))),
    )
)


def test_spec_of_a_known_tensor() -> None:
    assert PAIR.spec(TensorRef("a", 1)).shape == (3,)
    assert PAIR.consumers == {TensorRef("a", 1): ("scope/inner/b",)}


def test_spec_of_an_unknown_tensor() -> None:
    with pytest.raises(KeyError, match="missing"):
        PAIR.spec(TensorRef("missing"))
    for ref in (TensorRef("a", 2), TensorRef("scope/inner/b", 0)):
        with pytest.raises(IndexError):
            PAIR.spec(ref)


def test_an_output_before_the_first_does_not_exist() -> None:
    with pytest.raises(IndexError):
        PAIR.spec(TensorRef("a", -1))


def test_scopes_and_sources_are_spelled() -> None:
    assert [op.scope for op in PAIR.ops] == ["", "scope/inner"]
    assert str(Source("net.py", 12, "build", "x = conv(x)")) == "net.py:12"


def test_failure_survives_json() -> None:
    failure = Failure("ValueError", "bad", "build", "a", (Source("net.py", 1, "f", "x"),))
    assert msgspec.json.decode(msgspec.json.encode(failure), type=Failure) == failure
