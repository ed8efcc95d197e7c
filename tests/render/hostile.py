"""A run with hostile names: HTML, markup, line breaks, right-to-left text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resnet_inspect.config import Settings
from resnet_inspect.graph import Graph, Layer, Note, Op, Phase, Source, TensorRef, TensorSpec
from resnet_inspect.stats import StepRecord, Tap, TensorSummary
from resnet_inspect.store.info import RunInfo, Status, Writer
from resnet_inspect.store.writer import RunWriter, now

NAMES = (
    "</script><script>window.owned=1</script>",
    '"><img src=x onerror=window.owned=1>',
    "[bold]not bold[/bold]",
    "both ' and \" quotes, & too",
    "two\nlines\tand a tab",
    "\u202eright to left\u202c",
    "a" * 300,
    "{{facts}}<!--]]>${x}`",
)
STEPS = 3
SHAPE = (4, 5)


def values(layer: int, step: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The output of a layer at a step."""
    return np.random.default_rng([layer, step]).normal(layer, 1 + step, SHAPE)


def write(file: Path) -> Path:
    """Write a run of a chain of layers with these names."""
    spec = TensorSpec(SHAPE, "float32")
    source = (Source("/x/<b>.py", 1, "<i>f</i>", "<u>y</u> = '</script>'"),)
    ops = [Op("images", "Placeholder", Phase.FORWARD, outputs=(spec,))]
    layers = []
    for at, name in enumerate(NAMES):
        taken = (TensorRef(ops[-1].name),)
        ops.append(
            Op(name, "<b>Relu</b>", Phase.FORWARD, inputs=taken, outputs=(spec,), source=source)
        )
        path = (f"<i>{NAMES[at // 4]}</i>",)
        layers.append(Layer(name, "<b>Relu</b>", path, name, (name,), taken, TensorRef(name)))
    graph = Graph(
        ops=tuple(ops),
        layers=tuple(layers),
        inputs={"images": TensorRef("images")},
        axes={"images": ("<batch>", "channel")},
        notes=(Note(NAMES[0], NAMES[1]),),
    )
    writer = RunWriter.create(
        file, RunInfo(NAMES[1], Settings(), NAMES[2], {NAMES[3]: NAMES[5]}, now(), Writer.current())
    )
    writer.graph(graph, 0.1)
    for step in range(STEPS):
        summaries = {
            Tap(name, "activation", f"{name}:0"): TensorSummary.of(values(at, step))
            for at, name in enumerate(NAMES)
        }
        writer.step(StepRecord(step, 0.1, {NAMES[1]: 1.0 / (step + 1)}, summaries))
    writer.finish(Status.INTERRUPTED, reason=NAMES[0])
    return file
