"""Ops of nested functions in the whole graph, on a graph made by hand."""

from __future__ import annotations

from resnet_inspect.analysis.sizes.names import find, graph_with
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, TensorSpec, Variable, inlined

SPEC = (TensorSpec((4,), "float32"),)
HANDLE = (TensorSpec((), "resource"),)


def op(name: str, kind: str, *inputs: str, **attrs: str) -> Op:
    """Return an op with one output."""
    refs = tuple(TensorRef(given) for given in inputs)
    outputs = HANDLE if "handle" in name else SPEC
    return Op(name, kind, Phase.FORWARD, inputs=refs, outputs=outputs, attrs=dict(attrs))


def looping() -> Graph:
    """A loop whose body calls a function that reads a variable."""
    inner = Graph(
        ops=(op("handle_in", "Placeholder"), op("read", "ReadVariableOp", "handle_in")),
        inputs={"handle_in": TensorRef("handle_in")},
        outputs=(TensorRef("read"),),
    )
    body = Graph(
        ops=(
            op("a", "Placeholder"),
            op("handle_b", "Placeholder"),
            op("layer/loop/call", "PartitionedCall", "handle_b", f="inner"),
            op("layer/loop/add", "AddV2", "a", "layer/loop/call"),
        ),
        inputs={"a": TensorRef("a"), "handle_b": TensorRef("handle_b")},
        outputs=(TensorRef("layer/loop/add"), TensorRef("handle_b")),
    )
    ops = (
        op("x", "Placeholder"),
        op("handle", "Placeholder"),
        op("layer/loop", "While", "x", "handle", body="body"),
    )
    output = TensorRef("layer/loop")
    layer = Layer("layer", "RNN", (), "layer/loop", ("layer/loop",), (TensorRef("x"),), output)
    variable = Variable("w", SPEC[0], True, ("handle",), ("layer/loop",))
    functions = {"body": body, "inner": inner}
    return Graph(ops, (variable,), (layer,), functions=functions)


def test_ops_of_functions_are_named_below_the_calling_op() -> None:
    graph = looping().whole
    assert [made.name for made in graph.ops] == [
        *("x", "handle", "layer/loop/body/a", "layer/loop/body/handle_b"),
        *("layer/loop/body/call/f/handle_in", "layer/loop/body/call/f/read"),
        *("layer/loop/body/call", "layer/loop/body/add", "layer/loop"),
    ]
    add = graph.op_by_name["layer/loop/body/add"]
    assert add.inputs == (TensorRef("layer/loop/body/a"), TensorRef("layer/loop/body/call"))
    assert {graph.layer_of_op[made.name].name for made in graph.ops[2:]} == {"layer"}


def test_arguments_and_results_lead_out_of_functions() -> None:
    network = inlined(looping())
    assert network.arguments == {
        "layer/loop/body/a": TensorRef("x"),
        "layer/loop/body/handle_b": TensorRef("handle"),
        "layer/loop/body/call/f/handle_in": TensorRef("layer/loop/body/handle_b"),
    }
    assert network.results == {
        TensorRef("layer/loop"): (TensorRef("layer/loop/body/add"),),
        TensorRef("layer/loop", 1): (TensorRef("layer/loop/body/handle_b"),),
        TensorRef("layer/loop/body/call"): (TensorRef("layer/loop/body/call/f/read"),),
    }


def test_variables_are_read_inside_functions() -> None:
    (variable,) = looping().whole.variables
    assert variable.handles == (
        "handle",
        "layer/loop/body/handle_b",
        "layer/loop/body/call/f/handle_in",
    )
    assert "layer/loop/body/call/f/read" in variable.readers


def test_a_graph_without_functions_is_unchanged() -> None:
    graph = Graph((op("x", "Placeholder"),))
    assert graph.whole is graph


def test_a_function_that_calls_itself_is_expanded_a_few_times() -> None:
    inside = Graph((op("again", "PartitionedCall", f="f"),))
    graph = Graph((op("call", "PartitionedCall", f="f"),), functions={"f": inside})
    assert len(graph.whole.ops) == 9


def test_an_op_of_a_function_is_found_by_its_name() -> None:
    graph = looping()
    assert graph_with(graph, "layer/loop/body/add:0") is graph.whole
    for text in ("layer/loop", "layer/loop/body", "nothing", "x:0"):
        assert graph_with(graph, text) is graph
    target, axes = find(graph_with(graph, "layer/loop/body/add:0"), "layer/loop/body/add:0")
    assert (target.name, axes) == ("layer/loop/body/add:0", (0,))
