"""Question 8: how many pixels SAME pads at each convolution, and the sizes that VALID gives."""

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
    """Answer from the shapes of one forward trace and TensorFlow's rule, which must agree."""
    graph = runs[NAME][0].graph
    convolutions = {
        row.name: (row, row.window)
        for row in shape_table(graph, Depth.LAYER).rows
        if row.window is not None and row.inputs[0]
    }
    table = Grid(
        "Convolutions: heights in pixels; widths are equal to heights",
        ("layer", "input", "kernel", "stride", "SAME pads before", "after", "output",
         "VALID output", "VALID ignores"),
        tuple(_row(name, *convolution) for name, convolution in convolutions.items()),
    )  # fmt: skip
    return Answer(
        statements=(
            _agrees(convolutions),
            _strided(convolutions),
            _pointwise(convolutions),
            _all_valid(graph, convolutions),
        ),
        tables=(table,),
        limits=("The effect of padding on accuracy was not measured.",),
        see=(Command("shapes", (runs[NAME][0].file,)),),
    )


Convolutions = dict[str, tuple[ShapeRow, Window]]


def valid_size(size: int, kernel: int, stride: int) -> int:
    """The output size with VALID: the number of windows that are wholly inside."""
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
    measured = f"true for {right} of {len(convolutions)} convolutions of the traced graph"
    return fact(
        "The output size with SAME is size/stride, rounded up, with the least padding for that",
        right == len(convolutions),
        measured,
        agreeing=right,
        convolutions=len(convolutions),
    )


def _strided(convolutions: Convolutions) -> Statement:
    claim = "With stride 2 and a 3×3 kernel, SAME pads an even size by 0 before and 1 after"
    every = {
        name: same_padding(_height(row.inputs[0]), window.kernel[0], 2)
        for name, (row, window) in convolutions.items()
        if window.stride[0] == 2 and window.kernel[0] == 3 and _height(row.inputs[0]) % 2 == 0
    }
    if not every:
        return Statement(claim, Verdict.NOT_DECIDED, "the network has no such convolution")
    measured = ", ".join(
        f"{name} ({_height(convolutions[name][0].inputs[0])}): {before} before, {after} after"
        for name, (before, after) in every.items()
    )
    one_sided = all(pads == (0, 1) for pads in every.values())
    return fact(claim, one_sided, measured, convolutions=len(every))


def _pointwise(convolutions: Convolutions) -> Statement:
    claim = "The 1×1 projections with stride 2 need no padding and ignore three of four pixels"
    every = [
        (name, _height(row.inputs[0]), _height(row.shape))
        for name, (row, window) in convolutions.items()
        if window.kernel == (1, 1) and window.stride == (2, 2)
    ]
    if not every:
        return Statement(claim, Verdict.NOT_DECIDED, "the network has no such convolution")
    measured = ", ".join(f"{name} reads {out}² of {size}² pixels" for name, size, out in every)
    return fact(claim, all(4 * out * out == size * size for _, size, out in every), measured)


def _all_valid(graph: Graph, convolutions: Convolutions) -> Statement:
    """Computes heights with every convolution VALID, up to the first addition that would fail."""
    claim = "With VALID everywhere a residual addition would fail"
    sizes: dict[TensorRef, int] = {}
    for layer in graph.layers:
        shape = graph.spec(layer.inputs[0]).shape if layer.inputs else None
        heights = [sizes.get(ref, _height(graph.spec(ref).shape)) for ref in layer.inputs]
        if layer.name in convolutions:
            window = convolutions[layer.name][1]
            heights = [valid_size(heights[0], window.kernel[0], window.stride[0])]
        elif layer.type == "AddV2" and len(set(heights)) > 1:
            text = f"{layer.name} would get heights {heights[0]} (shortcut) and {heights[1]}"
            same = _height(shape)
            return fact(claim, True, f"{text}; with SAME both are {same}", at=layer.name)
        if heights and layer.output in graph.consumers:
            sizes[layer.output] = heights[0]
    return fact(claim, False, "all additions would work")


STUDY = Study(
    "padding",
    8,
    "What do SAME and VALID padding do here: how many pixels are padded, and where?",
    (Variant(NAME, trained=False),),
    answer,
)
