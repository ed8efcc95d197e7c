"""The page's panels of ops and variables: a row each, with numbers that stand for what repeats.

An op is [name, inputs, layer, lines, outputs, axes]: inputs as pairs (op, output) in one list, the
numbers of its layer (-1: none), of its lines in `lines` and of its outputs in `specs`, and for
each output its axes, or 0 where they are left out. A variable is [name, shape, kept, layer, lines,
readers, axes].
"""

from __future__ import annotations

from typing import Any

from resnet_inspect.analysis.page.report import OpReport, Report, VariableReport
from resnet_inspect.graph import Source, TensorSpec
from resnet_inspect.render import spelling
from resnet_inspect.render.report.whys import Whys

NONE = -1


class Ops:
    """All ops and variables of a run, and what they share."""

    def __init__(self, found: Report, whys: Whys) -> None:
        self.lines: list[list[str]] = []
        self.specs: list[str] = []
        self._lines_at: dict[tuple[Source, ...], int] = {}
        self._spec_at: dict[TensorSpec, int] = {}
        self._whys = whys
        self._op_at = {one.op.name: at for at, one in enumerate(found.ops)}
        self._layer_at = {one.layer.name: at for at, one in enumerate(found.layers)}
        self.rows = [self._op(one) for one in found.ops]
        self.variables = [self._variable(one) for one in found.variables]

    def _op(self, one: OpReport) -> list[Any]:
        inputs: list[int] = []
        for ref in one.op.inputs:
            inputs += self._op_at[ref.op], ref.index
        axes = [
            0 if found is None else self._whys.axes(found, named)
            for found, named in zip(one.outputs, one.meanings, strict=True)
        ]
        layer = self._layer_at.get(one.layer, NONE)
        outputs = [self._spec(spec) for spec in one.op.outputs]
        return [one.op.name, inputs, layer, self._source(one.op.source), outputs, axes]

    def _variable(self, one: VariableReport) -> list[Any]:
        variable = one.variable
        return [
            variable.name,
            f"{spelling.shape(variable.spec.shape)} {variable.spec.dtype}",
            "trained" if variable.trainable else "not trained",
            self._layer_at.get(one.layer, NONE),
            self._source(variable.source),
            [self._op_at[name] for name in variable.readers if name in self._op_at],
            self._whys.axes(one.axes, ()),
        ]

    def _spec(self, spec: TensorSpec) -> int:
        if spec not in self._spec_at:
            self._spec_at[spec] = len(self.specs)
            self.specs.append(f"{spelling.shape(spec.shape)} {spec.dtype}")
        return self._spec_at[spec]

    def _source(self, source: tuple[Source, ...]) -> int:
        if source not in self._lines_at:
            self._lines_at[source] = len(self.lines)
            self.lines.append(
                [
                    text
                    for place in source
                    for text in (
                        f"{spelling.path(place.file)}:{place.line} in {place.function}",
                        place.text,
                    )
                ]
            )
        return self._lines_at[source]
