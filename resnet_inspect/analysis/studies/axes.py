"""The two axis mistakes: the final mean over [2, 3], and batch normalization over axis 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, fact
from resnet_inspect.analysis.studies.spread import compared
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command
from resnet_inspect.graph import spell_shape

RIGHT, HEIGHT, MEAN = "right axes", "BN over axis 1", "mean over axes 2,3"
TAIL = ("final_reduce_mean", "Reshape", "dense1")


def answer(runs: VariantRuns) -> Answer:
    """Answer from shapes, from TensorFlow's error, and from trainings that run without an error."""
    right, height, mean = runs[RIGHT], runs[HEIGHT], runs[MEAN][0]
    ends = {name: [run.ending("cross_entropy") for run in runs[name]] for name in (RIGHT, HEIGHT)}
    steps = right[0].last_step + 1
    return Answer(
        statements=(
            _lost(right[0], mean),
            _rejected(mean),
            _heights(right[0], height[0]),
            _silent(height),
            compared(
                f"After {steps} steps the cross entropy differs with BN over axis 1",
                "mean of the last 5 steps",
                (HEIGHT, ends[HEIGHT]),
                (RIGHT, ends[RIGHT]),
                0,
            ),
        ),
        tables=(_tail(right[0], mean), _gammas(right[0], height[0])),
        limits=(f"{steps} steps do not decide which normalization is better after long training.",),
        see=(
            Command("why", ("Reshape:0", runs[MEAN][0].file)),
            Command("diff", (runs[RIGHT][0].file, runs[HEIGHT][0].file)),
            Command("check", (runs[HEIGHT][0].file,)),
        ),
    )


def shape_of(run: VariantRun, layer: str) -> str:
    """The shape of a layer's output; – if construction failed before the layer."""
    found_layer = run.graph.layer_by_name.get(layer)
    return "–" if found_layer is None else spell_shape(run.graph.spec(found_layer.output).shape)


def _rows(run: VariantRun, layer: str) -> int:
    found_layer = run.graph.layer_by_name.get(layer)
    shape = run.graph.spec(found_layer.output).shape if found_layer is not None else None
    return (shape[0] or 0) if shape else 0


def _lost(right: VariantRun, mean: VariantRun) -> Statement:
    size = right.settings.tutorial.batch_size
    rows = _rows(mean, "Reshape")
    return fact(
        "The mean over [2, 3] removes channels instead of height, and the reshape takes the missing"
        " elements from the batch",
        _rows(right, "Reshape") == size and 0 < rows < size,
        f"the output of the reshape is {shape_of(mean, 'Reshape')}, with right axes"
        f" {shape_of(right, 'Reshape')}: {size} pictures become {rows} row{'s' * (rows != 1)}",
        pictures=size,
        rows=rows,
    )


def _rejected(mean: VariantRun) -> Statement:
    claim = "TensorFlow raises an error only at the loss, after all layers are built"
    if mean.failure is None:
        return fact(claim, False, "TensorFlow raised no error")
    message = " ".join(mean.failure.message.split())
    built = shape_of(mean, "dense1") != "–"
    measured = f"{'after' if built else 'before'} dense1 was built, {mean.failure.kind}: {message}"
    return fact(claim, built, measured)


def _sizes(run: VariantRun) -> Counter[int]:
    gammas = [variable for variable in run.graph.variables if variable.name.endswith("/gamma")]
    return Counter(shape[0] or 0 for gamma in gammas if (shape := gamma.spec.shape))


def _spelled(sizes: Counter[int]) -> str:
    return ", ".join(f"{number} × {size}" for size, number in sizes.items())


def _heights(right: VariantRun, height: VariantRun) -> Statement:
    normalizations = [layer for layer in height.graph.layers if layer.normalizes]
    inputs = {layer.inputs[0]: height.graph.spec(layer.inputs[0]).shape for layer in normalizations}
    expected = Counter((shape[1] or 0) if shape else 0 for shape in inputs.values())
    layers = len(normalizations)
    sizes = _sizes(height)
    fits = {*sizes} == {*expected} and sum(sizes.values()) == layers
    return fact(
        "Over axis 1 there is one gamma per row of pixels instead of one per channel",
        fits and sizes != _sizes(right),
        f"sizes of gamma: {_spelled(sizes)}; with right axes {_spelled(_sizes(right))}",
        layers=layers,
    )


def _silent(height: Sequence[VariantRun]) -> Statement:
    built = [run for run in height if run.failure is None and run.last_step >= 0]
    return fact(
        "TensorFlow raises no error for axis 1: the network is built and trained",
        len(built) == len(height),
        f"{len(built)} of {len(height)} runs reached their last step",
        trained=len(built),
    )


def _tail(right: VariantRun, mean: VariantRun) -> Grid:
    rows = tuple((layer, shape_of(right, layer), shape_of(mean, layer)) for layer in TAIL)
    return Grid("The end of the network", ("layer", RIGHT, MEAN), rows)


def _gammas(right: VariantRun, height: VariantRun) -> Grid:
    rows = []
    for layer in right.graph.layers:
        if layer.normalizes:
            name = f"{layer.name}/gamma"
            gammas = [run.graph.variable_by_name[name].spec.shape for run in (right, height)]
            input_shape = spell_shape(right.graph.spec(layer.inputs[0]).shape)
            rows.append((layer.name, input_shape, *map(spell_shape, gammas)))
    return Grid("Elements of gamma", ("layer", "input", RIGHT, HEIGHT), tuple(rows))


STUDY = Study(
    "axes",
    0,
    "What do the two axis mistakes do: the mean over [2, 3], batch normalization over axis 1?",
    (Variant(RIGHT), Variant(HEIGHT, {"bn_axis": 1}),
     Variant(MEAN, {"mean_axes": (2, 3)}, trained=False)),
    answer,
)  # fmt: skip
