"""Traces models that were not written for this program, and compares with what Keras says of them.

`python docs/models.py` writes docs/models.md. The functions are targets: docs/models.py:dense_net.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HEAD = """# Models that were traced

Made by `python docs/models.py`: models without trained weights, on small inputs, on two CPU cores.
*Layers that agree* have Keras' own output shape under Keras' own name; *parameters* are
`count_params()` and the trainable ones, which the program's totals are compared with. *Seconds* are
CPU time of the whole `trace`, settings tried for `why` included.

| model | ops | layers that agree | parameters, trainable | seconds | not observed |
|---|---|---|---|---|---|
"""
SIZE = (64, 64, 3)


def mobile_net_v2(classes: int = 10) -> Any:
    """MobileNetV2 for small pictures."""
    return _application("MobileNetV2", classes)


def dense_net(classes: int = 10) -> Any:
    """DenseNet121 for small pictures."""
    return _application("DenseNet121", classes)


def efficient_net_b0(classes: int = 10) -> Any:
    """EfficientNetB0 for small pictures, with its preprocessing."""
    return _application("EfficientNetB0", classes)


def conv_next_tiny(classes: int = 10) -> Any:
    """ConvNeXtTiny for small pictures, with its preprocessing."""
    return _application("ConvNeXtTiny", classes)


def _application(name: str, classes: int) -> Any:
    import keras

    return getattr(keras.applications, name)(weights=None, input_shape=SIZE, classes=classes)


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


MODELS: tuple[Callable[[], Any], ...] = (
    mobile_net_v2,
    dense_net,
    efficient_net_b0,
    conv_next_tiny,
    lstm,
    transformer_block,
    u_net,
)


def compared(name: str, model: Any, out: Path) -> str:
    """The row of the table for one model."""
    from resnet_inspect import api
    from resnet_inspect.config import Settings

    start = time.process_time()
    target = f"{Path(__file__).resolve()}:{name}"
    with api.open_run(api.record(Settings.of({"target": target}), out=out)) as run:
        seconds = time.process_time() - start
        table, graph = api.shapes(run), run.graph
    own = dict(_outputs(model))
    rows = [row for row in table.rows if own.get(row.name) == row.shape]
    trainable = sum(int(weight.shape.num_elements()) for weight in model.trainable_weights)
    totals = table.totals.params, table.totals.trainable_params
    if totals != (model.count_params(), trainable):
        raise SystemExit(f"{name}: {totals} parameters, Keras has {model.count_params()}")
    inner = sum(len(one.ops) for one in graph.functions.values())
    notes = [f"{len(graph.functions)} nested functions of {inner} ops"] if inner else []
    notes += [f"{one.subject}: {one.text}" for one in graph.notes if one.subject == "settings"]
    ops, params = f"{len(graph.ops):,}", f"{totals[0]:,}, {totals[1]:,}"
    agree = f"{len(rows)} of {len(table.rows)}"
    return f"| {name} | {ops} | {agree} | {params} | {seconds:.0f} | {'; '.join(notes) or '–'} |"


def _outputs(model: Any) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    """The shape of what each layer hands on, by its name; also of those in models within."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _outputs(layer)
        elif not isinstance(layer.output, list | tuple):
            yield layer.name, tuple(layer.output.shape)


def main() -> None:
    """Write docs/models.md."""
    import keras

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for make in MODELS:
            keras.backend.clear_session()
            model = make()
            keras.backend.clear_session()
            rows.append(compared(make.__name__, model, Path(folder) / f"{make.__name__}.db"))
            print(rows[-1])
    Path(__file__).with_name("models.md").write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


if __name__ == "__main__":
    main()
