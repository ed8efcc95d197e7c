"""Combines links between axes with formulas from the source into one `Lineage`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from resnet_inspect.graph import Graph
from resnet_inspect.graph.lineage import Formula, FromLiteral, Lineage, Mismatch
from resnet_inspect.tracers.formulas import FormulaFinder
from resnet_inspect.tracers.tensorflow.capture.source_lines import located
from resnet_inspect.tracers.tensorflow.sizes.axis_links import trace_lineage


def lineage_with_formulas(
    graph: Graph, mismatch: Mismatch | None, values: dict[str, int]
) -> Lineage:
    """Return links and formulas. `values` maps names in the user's source to their values."""
    lineage = msgspec.structs.replace(trace_lineage(graph), mismatch=mismatch)
    return msgspec.structs.replace(lineage, formulas=dict(_formulas(graph, lineage, values)))


def _formulas(
    graph: Graph, lineage: Lineage, values: dict[str, int]
) -> Iterator[tuple[str, tuple[Formula, ...]]]:
    """Yield the formulas of literals that set a size, and of the axes of variables."""
    find = FormulaFinder(values, lambda file: Path(located(file)))
    literals = {
        link.origin
        for links in lineage.links.values()
        for link in links
        if isinstance(link.origin, FromLiteral)
    }
    if lineage.mismatch is not None:
        others = (remedy.other for remedy in lineage.mismatch.remedies)
        literals |= {origin for origin in others if isinstance(origin, FromLiteral)}
    for literal in sorted(literals, key=lambda literal: (literal.op, literal.element)):
        op = graph.whole.op_by_name[literal.op]
        value = op.attrs.get("value")
        number = value[literal.element] if isinstance(value, list) else value
        if isinstance(number, int) and (formulas := find(op.source, number)):
            yield f"{literal.op}/{literal.element}", formulas
    for variable in graph.variables:
        source = variable.source
        if variable.readers and not source:
            source = graph.op_by_name[variable.readers[0]].source
        for axis, size in enumerate(variable.spec.shape or ()):
            if size is not None and (formulas := find(source, size)):
                yield f"{variable.name}/{axis}", formulas
