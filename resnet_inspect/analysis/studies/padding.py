"""Question 8: what SAME pads at each convolution, and what VALID would come to."""

from __future__ import annotations

from resnet_inspect.analysis.sizes.geometry import Window, same_padding
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow
from resnet_inspect.analysis.sizes.shapes import shapes as shape_table
from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, Verdict, fact
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRuns
from resnet_inspect.commands import Command
from resnet_inspect.graph import Graph, TensorRef

NAME = "tutorial"


def answer(runs: VariantRuns) -> Answer:
    """From the shapes of one forward trace and TensorFlow's rule, which must agree."""
    graph = runs[NAME][0].graph
    rows = {row.name: row for row in shape_table(graph, Depth.LAYER).rows}
    found = {n: (row, row.window) for n, row in rows.items() if row.window and row.inputs[0]}
    convolutions = {n: (row, window) for n, (row, window) in found.items() if window is not None}
    table = Grid(
        "Convolutions, by height; the pictures are as wide as they are high",
        ("layer", "takes", "kernel", "stride", "SAME pads before", "after", "gives", "VALID gives",
         "VALID leaves over"),
        tuple(_row(name, *one) for name, one in convolutions.items()),
    )  # fmt: skip
    return Answer(
        statements=(
            _agrees(convolutions),
            _strided(convolutions),
            _pointwise(convolutions),
            _all_valid(graph, convolutions),
        ),
        tables=(table,),
        limits=("that padding has an effect on accuracy was not measured",),
        see=(Command("shapes", (runs[NAME][0].file,)),),
    )


Convolutions = dict[str, tuple[ShapeRow, Window]]


def valid_size(size: int, kernel: int, stride: int) -> int:
    """What VALID gives: as many windows as lie wholly inside; 0 where none does."""
    return max(0, (size - kernel) // stride + 1)


def _height(shape: tuple[int | None, ...] | None) -> int:
    height = shape[1] if shape is not None and len(shape) == 4 else None
    return height or 0


def _row(name: str, row: ShapeRow, window: Window) -> tuple[str | int, ...]:
    size, kernel, stride = _height(row.inputs[0]), window.kernel[0], window.stride[0]
    before, after = same_padding(size, kernel, stride)
    valid = valid_size(size, kernel, stride)
    unread = size - ((valid - 1) * stride + kernel) if valid else size
    return name, size, kernel, stride, before, after, _height(row.shape), valid, unread


def _agrees(convolutions: Convolutions) -> Statement:
    right = 0
    for row, window in convolutions.values():
        size, stride = _height(row.inputs[0]), window.stride[0]
        padded = size + sum(same_padding(size, window.kernel[0], stride))
        whole = valid_size(padded, window.kernel[0], stride) == _height(row.shape)
        right += whole and _height(row.shape) == -(-size // stride)
    measured = f"so for {right} of {len(convolutions)} convolutions of the traced graph"
    return fact(
        "SAME gives size/stride, rounded up, and pads just what that takes",
        right == len(convolutions),
        measured,
        agreeing=right,
        convolutions=len(convolutions),
    )


def _strided(convolutions: Convolutions) -> Statement:
    claim = (
        "With stride 2 a 3×3 kernel pads an even size by 0 before and 1 after, not alike on both"
        " sides"
    )
    every = {
        name: same_padding(_height(row.inputs[0]), window.kernel[0], 2)
        for name, (row, window) in convolutions.items()
        if window.stride[0] == 2 and window.kernel[0] == 3 and _height(row.inputs[0]) % 2 == 0
    }
    if not every:
        return Statement(claim, Verdict.NOT_DECIDED, "there is no such convolution")
    told = ", ".join(
        f"{name} ({_height(convolutions[name][0].inputs[0])}): {before} before, {after} after"
        for name, (before, after) in every.items()
    )
    one_sided = all(pads == (0, 1) for pads in every.values())
    return fact(claim, one_sided, told, convolutions=len(every))


def _pointwise(convolutions: Convolutions) -> Statement:
    claim = "The 1×1 projections with stride 2 pad nothing and never read three of four pixels"
    every = [
        (name, _height(row.inputs[0]), _height(row.shape))
        for name, (row, window) in convolutions.items()
        if window.kernel == (1, 1) and window.stride == (2, 2)
    ]
    if not every:
        return Statement(claim, Verdict.NOT_DECIDED, "there is no such convolution")
    told = ", ".join(f"{name} reads {out}² of {size}² pixels" for name, size, out in every)
    return fact(claim, all(4 * out * out == size * size for _, size, out in every), told)


def _all_valid(graph: Graph, convolutions: Convolutions) -> Statement:
    """Follow heights through the network with every convolution VALID, up to what refuses."""
    claim = "With VALID everywhere the residual additions would not fit"
    sizes: dict[TensorRef, int] = {}
    for layer in graph.layers:
        shape = graph.spec(layer.inputs[0]).shape if layer.inputs else None
        taken = [sizes.get(ref, _height(graph.spec(ref).shape)) for ref in layer.inputs]
        if layer.name in convolutions:
            window = convolutions[layer.name][1]
            taken = [valid_size(taken[0], window.kernel[0], window.stride[0])]
        elif layer.type == "AddV2" and len(set(taken)) > 1:
            text = f"{layer.name} would be given heights {taken[0]} (shortcut) and {taken[1]}"
            same = _height(shape)
            return fact(claim, True, f"{text}, where SAME gives {same} on both", at=layer.name)
        if taken and layer.output in graph.consumers:
            sizes[layer.output] = taken[0]
    return fact(claim, False, "all of them would")


STUDY = Study(
    "padding",
    8,
    "What do SAME and VALID padding do here: how many pixels are padded, and where?",
    (Variant(NAME, trained=False),),
    answer,
)
