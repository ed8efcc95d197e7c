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
    """From the graph of one training step."""
    graph = runs[NAME][0].graph
    network = [one for one in graph.variables if _layers(graph, one)]
    shared = shared_variables(graph)
    by_layer = fact(
        "Each variable of the network belongs to one layer: none is shared on the way forward",
        not shared,
        f"{len(network)} variables are read by layers, {len(shared)} of them by more than one",
        variables=len(network),
        shared=len(shared),
    )
    trained = [one for one in network if one.trainable]
    users = {one.name: _phases(graph, one) for one in trained}
    both = [name for name, phases in users.items() if phases[Phase.OTHER]]
    again = fact(
        "Every weight is read outside its layer too: by the loss (its L2 term) and the optimizer",
        all(phases[Phase.OTHER] and phases[Phase.OPTIMIZER] for phases in users.values()),
        f"{len(both)} of {len(trained)} weights are used by ops of the loss,"
        f" {sum(bool(p[Phase.OPTIMIZER]) for p in users.values())} by ops of the optimizer",
        weights=len(trained),
    )
    moving = [one for one in network if not one.trainable]
    by_updates = [one for one in moving if _phases(graph, one)[Phase.OPTIMIZER]]
    averages = fact(
        "Moving averages are used only by their update ops while the network trains",
        bool(moving) and all(set(_phases(graph, one)) == {Phase.OPTIMIZER} for one in moving),
        f"{len(by_updates)} of {len(moving)} are used by update ops,"
        f" {sum(bool(_phases(graph, one)[Phase.FORWARD]) for one in moving)} on the way forward",
        averages=len(moving),
    )
    columns = ("variable", "shape", "forward", "backward", "loss", "optimizer and update ops")
    rows = tuple(_row(graph, one) for one in graph.variables)
    return Answer(
        statements=(by_layer, again, averages),
        tables=(Grid("Variables and the ops that use their values", columns, rows),),
        limits=(
            "the step calls the network once; `reuse` matters where code calls it again (for"
            " evaluation, or on each of several GPUs): `trace FILE.py:CALLABLE --tf1` lists what"
            " such code shares",
        ),
        see=(Command("shapes", (runs[NAME][0].file,), ("--depth", "op")),),
    )


def users_of(graph: Graph, variable: Variable) -> list[str]:
    """The ops that take a variable's value or change it; an op that only fetches the value stands
    for those that take it from there.
    """
    found: list[str] = []
    for reader in variable.readers:
        if graph.op_by_name[reader].type == "ReadVariableOp":
            found += graph.consumers.get(TensorRef(reader), ()) or [reader]
        else:
            found.append(reader)
    return list(dict.fromkeys(found))


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
    """The last of them, which is what the others lead to, and how many more."""
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
