"""The content of op and variable panels: one row each, with positions of repeated texts.

An op is [name, inputs, layer, lines, outputs, axes]. `inputs` is a flat list of pairs (op, output).
`layer` is the position of its layer, -1 for none. `lines` and `outputs` are positions in `lines`
and `specs`. `axes` contains the axes of each output, or 0 if these are left out. A variable is
[name, shape, kept, layer, lines, readers, axes], where `kept` is trained or not trained.
"""

from __future__ import annotations

from typing import Any

from resnet_inspect.analysis.page.report import OpReport, Report, VariableReport
from resnet_inspect.graph import Source, TensorSpec
from resnet_inspect.render import spelling
from resnet_inspect.render.report.whys import SharedExplanations

NONE = -1


class Ops:
    """All ops and variables of a run, and the texts that they share."""

    def __init__(self, report: Report, explanations: SharedExplanations) -> None:
        self.lines: list[list[str]] = []
        self.specs: list[str] = []
        self._lines_at: dict[tuple[Source, ...], int] = {}
        self._spec_at: dict[TensorSpec, int] = {}
        self._explanations = explanations
        self._op_at = {row.op.name: at for at, row in enumerate(report.ops)}
        self._layer_at = {row.layer.name: at for at, row in enumerate(report.layers)}
        self.rows = [self._op(row) for row in report.ops]
        self.variables = [self._variable(row) for row in report.variables]

    def _op(self, report: OpReport) -> list[Any]:
        inputs: list[int] = []
        for ref in report.op.inputs:
            inputs += self._op_at[ref.op], ref.index
        axes = [
            0 if axes is None else self._explanations.axes(axes, meanings)
            for axes, meanings in zip(report.outputs, report.meanings, strict=True)
        ]
        layer = self._layer_at.get(report.layer, NONE)
        outputs = [self._spec(spec) for spec in report.op.outputs]
        return [report.op.name, inputs, layer, self._source(report.op.source), outputs, axes]

    def _variable(self, report: VariableReport) -> list[Any]:
        variable = report.variable
        return [
            variable.name,
            f"{spelling.shape(variable.spec.shape)} {variable.spec.dtype}",
            "trained" if variable.trainable else "not trained",
            self._layer_at.get(report.layer, NONE),
            self._source(variable.source),
            [self._op_at[name] for name in variable.readers if name in self._op_at],
            self._explanations.axes(report.axes, ()),
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
