"""Question 9: which variables are shared, and which ops read each."""

from __future__ import annotations

from collections import Counter

from resnet_inspect.analysis.sizes.sharing import shared_variables
from resnet_inspect.analysis.studies.answer import Answer, Grid, fact
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRuns
from resnet_inspect.commands import Command
from resnet_inspect.graph import Graph, Phase, TensorRef, Variable, spell_shape

NAME = "one training step"


def answer(runs: VariantRuns) -> Answer:
    """Answer from the graph of one training step."""
    graph = runs[NAME][0].graph
    network = [variable for variable in graph.variables if _layers(graph, variable)]
    shared = shared_variables(graph)
    by_layer = fact(
        "Each variable of the network belongs to one layer: the forward pass shares none",
        not shared,
        f"layers read {len(network)} variables; {len(shared)} of them are read by several layers",
        variables=len(network),
        shared=len(shared),
    )
    trained = [variable for variable in network if variable.trainable]
    users = {variable.name: _phases(graph, variable) for variable in trained}
    both = [name for name, phases in users.items() if phases[Phase.OTHER]]
    again = fact(
        "Every weight is also read by the loss (its L2 term) and by the optimizer",
        all(phases[Phase.OTHER] and phases[Phase.OPTIMIZER] for phases in users.values()),
        f"the loss uses {len(both)} of {len(trained)} weights, the optimizer uses"
        f" {sum(bool(p[Phase.OPTIMIZER]) for p in users.values())}",
        weights=len(trained),
    )
    moving = [_phases(graph, variable) for variable in network if not variable.trainable]
    by_updates = [phases for phases in moving if phases[Phase.OPTIMIZER]]
    averages = fact(
        "In training only the update ops use the moving averages",
        bool(moving) and all(set(phases) == {Phase.OPTIMIZER} for phases in moving),
        f"update ops use {len(by_updates)} of {len(moving)} averages, the forward pass uses"
        f" {sum(bool(phases[Phase.FORWARD]) for phases in moving)}",
        averages=len(moving),
    )
    columns = ("variable", "shape", "forward", "backward", "loss", "optimizer and update ops")
    rows = tuple(_row(graph, variable) for variable in graph.variables)
    return Answer(
        statements=(by_layer, again, averages),
        tables=(Grid("Variables and the ops that use their values", columns, rows),),
        limits=(
            "The step calls the network once. `reuse` matters for code that calls it again, for"
            " evaluation or on several GPUs. `trace FILE.py:CALLABLE --tf1` lists the variables"
            " that such code shares.",
        ),
        see=(Command("shapes", (runs[NAME][0].file,), ("--depth", "op")),),
    )


def users_of(graph: Graph, variable: Variable) -> list[str]:
    """The ops that use a variable's value or change it.

    An op that only reads the value is replaced by the ops that use its output.
    """
    users: list[str] = []
    for reader in variable.readers:
        if graph.op_by_name[reader].type == "ReadVariableOp":
            users += graph.consumers.get(TensorRef(reader), ()) or [reader]
        else:
            users.append(reader)
    return list(dict.fromkeys(users))


def _phases(graph: Graph, variable: Variable) -> Counter[Phase]:
    return Counter(graph.op_by_name[name].phase for name in users_of(graph, variable))


def _layers(graph: Graph, variable: Variable) -> set[str]:
    return {layer.name for layer in graph.layers if variable.name in layer.variables}


def _row(graph: Graph, variable: Variable) -> tuple[str | int, ...]:
    by_phase: dict[Phase, list[str]] = {phase: [] for phase in Phase}
    for name in users_of(graph, variable):
        by_phase[graph.op_by_name[name].phase].append(name)
    return (
        variable.name,
        spell_shape(variable.spec.shape),
        _listed(by_phase[Phase.FORWARD]),
        len(by_phase[Phase.BACKWARD]),
        _listed(by_phase[Phase.OTHER]),
        _listed(by_phase[Phase.OPTIMIZER]),
    )


def _listed(names: list[str]) -> str:
    """The last op, which depends on the others, and the number of the others."""
    if not names:
        return ""
    return names[-1] + f" and {len(names) - 1} more" * (len(names) > 1)


STUDY = Study(
    "reuse",
    9,
    "Which variables are shared (`reuse`), and which ops read each?",
    (Variant(NAME, {"steps": 1}, trained=False),),
    answer,
)
