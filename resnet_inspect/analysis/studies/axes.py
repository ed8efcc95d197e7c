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
    """From shapes and the refusal; of what is not refused from trainings."""
    right, height, mean = runs[RIGHT], runs[HEIGHT], runs[MEAN][0]
    ends = {name: [run.ending("cross_entropy") for run in runs[name]] for name in (RIGHT, HEIGHT)}
    steps = right[0].last_step + 1
    return Answer(
        statements=(
            _lost(right[0], mean),
            _refused(mean),
            _heights(right[0], height[0]),
            _silent(height),
            compared(
                f"After {steps} steps the cross entropy over axis 1 is another one",
                "mean of the last 5 steps",
                (HEIGHT, ends[HEIGHT]),
                (RIGHT, ends[RIGHT]),
                0,
            ),
        ),
        tables=(_tail(right[0], mean), _gammas(right[0], height[0])),
        limits=(f"{steps} steps do not tell which of both normalizations ends better",),
        see=(
            Command("why", ("Reshape:0", runs[MEAN][0].file)),
            Command("diff", (runs[RIGHT][0].file, runs[HEIGHT][0].file)),
            Command("check", (runs[HEIGHT][0].file,)),
        ),
    )


def shape_of(run: VariantRun, layer: str) -> str:
    """The shape of a layer's output; – where the network was not built so far."""
    found = run.graph.layer_by_name.get(layer)
    return "–" if found is None else spell_shape(run.graph.spec(found.output).shape)


def _batch(run: VariantRun, layer: str) -> int:
    found = run.graph.layer_by_name.get(layer)
    shape = run.graph.spec(found.output).shape if found is not None else None
    return (shape[0] or 0) if shape else 0


def _lost(right: VariantRun, mean: VariantRun) -> Statement:
    size = right.settings.tutorial.batch_size
    seen = _batch(mean, "Reshape")
    return fact(
        "The mean over [2, 3] keeps height and loses channels, and the reshape takes from the batch"
        " what it lacks",
        _batch(right, "Reshape") == size and 0 < seen < size,
        f"the reshape gives {shape_of(mean, 'Reshape')} where right axes give"
        f" {shape_of(right, 'Reshape')}: {size} pictures become {seen} rows",
        pictures=size,
        rows=seen,
    )


def _refused(mean: VariantRun) -> Statement:
    claim = "TensorFlow refuses the mean only at the loss, after the layers are all built"
    if mean.failure is None:
        return fact(claim, False, "it did not refuse it")
    message = " ".join(mean.failure.message.split())
    built = shape_of(mean, "dense1") != "–"
    measured = f"{'after' if built else 'before'} dense1 was built, {mean.failure.kind}: {message}"
    return fact(claim, built, measured)


def _sizes(run: VariantRun) -> Counter[int]:
    shapes = [one.spec.shape for one in run.graph.variables if one.name.endswith("/gamma")]
    return Counter(shape[0] or 0 for shape in shapes if shape)


def _spelled(sizes: Counter[int]) -> str:
    return ", ".join(f"{number} × {size}" for size, number in sizes.items())


def _heights(right: VariantRun, height: VariantRun) -> Statement:
    heights = {
        one.inputs[0]: height.graph.spec(one.inputs[0]).shape
        for one in height.graph.layers
        if one.normalizes
    }
    expected = Counter((shape[1] or 0) if shape else 0 for shape in heights.values())
    layers = sum(one.normalizes for one in height.graph.layers)
    found = _sizes(height)
    fits = {*found} == {*expected} and sum(found.values()) == layers
    return fact(
        "Over axis 1 there is a gamma for each row of pixels instead of each channel",
        fits and found != _sizes(right),
        f"sizes of gamma: {_spelled(found)}; with right axes {_spelled(_sizes(right))}",
        layers=layers,
    )


def _silent(height: Sequence[VariantRun]) -> Statement:
    built = [run for run in height if run.failure is None and run.last_step >= 0]
    return fact(
        "TensorFlow never complains of axis 1: the network is built and trained",
        len(built) == len(height),
        f"{len(built)} of {len(height)} runs came to their last step",
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
            here, there = (run.graph.variable_by_name[name].spec.shape for run in (right, height))
            taken = spell_shape(right.graph.spec(layer.inputs[0]).shape)
            rows.append((layer.name, taken, spell_shape(here), spell_shape(there)))
    return Grid("Elements of gamma", ("layer", "takes", RIGHT, HEIGHT), tuple(rows))


STUDY = Study(
    "axes",
    0,
    "What do the two axis mistakes do: the mean over [2, 3], batch normalization over axis 1?",
    (Variant(RIGHT), Variant(HEIGHT, {"bn_axis": 1}),
     Variant(MEAN, {"mean_axes": (2, 3)}, trained=False)),
    answer,
)  # fmt: skip
