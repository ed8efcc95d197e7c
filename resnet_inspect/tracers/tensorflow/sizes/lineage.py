"""Draws together all that can be said of sizes: links, formulas in the source, re-traces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from resnet_inspect.graph import Graph
from resnet_inspect.graph.lineage import Formula, FromLiteral, Lineage, Mismatch
from resnet_inspect.tracers.formulas import FormulaFinder
from resnet_inspect.tracers.tensorflow.capture.source_lines import located
from resnet_inspect.tracers.tensorflow.sizes.axis_links import trace_lineage


def lineage_with_formulas(
    graph: Any, kept: Graph, mismatch: Mismatch | None, values: dict[str, int]
) -> Lineage:
    """Links and formulas; `values` are those of names that the user's source may use."""
    found = msgspec.structs.replace(trace_lineage(graph, kept), mismatch=mismatch)
    return msgspec.structs.replace(found, formulas=dict(_formulas(kept, found, values)))


def _formulas(
    kept: Graph, lineage: Lineage, values: dict[str, int]
) -> Iterator[tuple[str, tuple[Formula, ...]]]:
    """Formulas of the literals that decide a size, and of the axes of variables."""
    find = FormulaFinder(values, lambda file: Path(located(file)))
    literals = {
        link.origin
        for links in lineage.links.values()
        for link in links
        if isinstance(link.origin, FromLiteral)
    }
    if lineage.mismatch is not None:
        others = (remedy.other for remedy in lineage.mismatch.remedies)
        literals |= {one for one in others if isinstance(one, FromLiteral)}
    for literal in sorted(literals, key=lambda one: (one.op, one.element)):
        op = kept.op_by_name[literal.op]
        value = op.attrs.get("value")
        number = value[literal.element] if isinstance(value, list) else value
        if isinstance(number, int) and (found := find(op.source, number)):
            yield f"{literal.op}/{literal.element}", found
    for variable in kept.variables:
        source = variable.source
        if variable.readers and not source:
            source = kept.op_by_name[variable.readers[0]].source
        for axis, size in enumerate(variable.spec.shape or ()):
            if size is not None and (found := find(source, size)):
                yield f"{variable.name}/{axis}", found
