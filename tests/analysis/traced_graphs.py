"""Graphs of one forward call of a model or a function."""

from __future__ import annotations

import gc
from typing import Any

from resnet_inspect.graph import Graph, Phase


def forward_graph(call: Any, *shapes: tuple[int | None, ...], dtype: str = "float32") -> Graph:
    """Return the captured graph of a call, with layers for a Keras model."""
    import keras
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.capture.construction import Construction
    from resnet_inspect.tracers.tensorflow.capture.graph_capture import capture
    from resnet_inspect.tracers.tensorflow.capture.keras_layers import note_variables, noted_layers

    graphs: list[Graph] = []

    def body(*inputs: Any) -> Any:
        made = Construction(0, {})
        with made.phase(Phase.FORWARD):
            if isinstance(call, keras.Model):
                with noted_layers(made, call):
                    returned = call(inputs[0] if len(inputs) == 1 else list(inputs))
                note_variables(made, call.weights)
            else:
                returned = call(*inputs)
        fed = {f"input{i}": tensor for i, tensor in enumerate(inputs)}
        graphs.append(capture(made, made.position(), fed))
        return returned

    gc.collect()  # TensorFlow may crash if a graph is freed while another one is traced
    specs = [tf.TensorSpec(shape, dtype) for shape in shapes]
    gc.disable()
    try:
        tf.function(body, autograph=False).get_concrete_function(*specs)
    finally:
        gc.enable()
    return graphs[-1]
