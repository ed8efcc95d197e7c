"""Loads a signature of a SavedModel as a function with all its ops inlined.

A loaded signature calls nested functions, so the whole model would be one op. TensorFlow's graph
optimizer inlines these calls. The inlined graph is imported where the model is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import _run_inline_graph_optimization

from resnet_inspect.config.targets import SAVED_MODEL_FILES
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Note
from resnet_inspect.tracers.tensorflow.model.input_specs import flat_specs
from resnet_inspect.tracers.tensorflow.model.models import Model
from resnet_inspect.tracers.tensorflow.runtime import quiet_tensorflow

DEFAULT = "serving_default"
INLINED = "Func/"  # scope of the Identity ops that inlining puts in place of a call


def load(target: str, wanted: str | None) -> Model:
    """Return the signature `wanted` of the SavedModel in a folder.

    Raises UsageError if the SavedModel cannot be loaded or lacks this signature.
    """
    folder = Path(target)
    if folder.name in SAVED_MODEL_FILES and folder.is_file():
        folder = folder.parent
    if not any((folder / name).is_file() for name in SAVED_MODEL_FILES):
        raise UsageError(
            "there is no SavedModel" if folder.exists() else "there is no such file or folder",
            where=f"target {target}",
            expected="a folder that contains saved_model.pb, FILE.py:CALLABLE or a .keras file",
            got=target,
            fix="check the path, which is relative to the current folder",
        )
    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:
        raise UsageError(
            "the SavedModel cannot be loaded",
            where=f"target {target}",
            expected="a complete folder, with saved_model.pb and variables/",
            got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            fix="save the model again",
        ) from error
    name = _signature_name(target, list(loaded.signatures), wanted)
    signature = loaded.signatures[name]
    specs = signature.structured_input_signature[1]
    order = [tensor.op.name for tensor in signature.inputs[: len(specs)]]
    arguments = sorted(specs, key=lambda name: _place(specs[name].name or name, order))
    inputs = flat_specs([specs[name] for name in arguments], arguments)
    graph = _inlined(signature)

    def call(*tensors: Any) -> Any:
        return _imported(signature, graph, tensors)

    # The functions use the variables of the loaded object, which must not be garbage collected.
    call.loaded = loaded  # type: ignore[attr-defined]
    return Model(
        call,
        inputs,
        variables=tuple(signature.variables),
        notes=(Note("signature", _signature_note(name, list(loaded.signatures))),),
        imported=True,
    )


def _signature_name(target: str, names: list[str], wanted: str | None) -> str:
    if wanted is None and (DEFAULT in names or len(names) == 1):
        return DEFAULT if DEFAULT in names else names[0]
    if wanted in names:
        return str(wanted)
    raise UsageError(
        "the SavedModel has no such signature" if names else "the SavedModel has no signatures",
        where=f"target {target}, setting 'signature'",
        expected="one of " + ", ".join(sorted(names)) if names else "a signature to call",
        got=wanted or "none",
        fix="choose a signature with --signature NAME"
        if names
        else "save the model with signatures=..., or with model.export",
    )


def _signature_note(name: str, names: list[str]) -> str:
    others = ", ".join(sorted(other for other in names if other != name))
    if not others:
        return f"{name} was traced, the only signature"
    return f"{name} was traced. Choose another with --signature: {others}"


def _place(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else len(order)


def _inlined(signature: Any) -> Any:
    """Return the signature's graph with all calls inlined, without the Identity ops they leave."""
    with quiet_tensorflow():
        graph = _run_inline_graph_optimization(signature, False, True)
    for node in graph.node:  # drop device and colocation, which are those of the saving machine
        node.device = ""
        node.attr.pop("_class", None)
    identities = {
        node.name: node
        for node in graph.node
        if node.op == "Identity" and node.name.startswith(INLINED)
    }

    def resolved(name: str) -> tuple[str, list[str]]:
        """Return the input behind Identity ops, and the control inputs of these ops."""
        controls: list[str] = []
        while name in identities:
            name, *more = identities[name].input
            controls += more
        return name, controls

    inputs = {f"^{tensor.op.name}" for tensor in signature.inputs}
    kept = [
        node for node in graph.node if node.name not in identities and f"^{node.name}" not in inputs
    ]
    for node in kept:
        tensors: list[str] = []
        controls: list[str] = []
        for name in node.input:
            source, more = resolved(name.removeprefix("^"))
            controls += more
            if name.startswith("^"):
                controls.append(f"^{source.partition(':')[0]}")
            else:
                tensors.append(source)
        node.input[:] = [
            *tensors,
            *(name for name in dict.fromkeys(controls) if name not in inputs),
        ]
    result = tf.compat.v1.GraphDef(versions=graph.versions, library=graph.library)
    result.node.extend(kept)
    return result


def _imported(signature: Any, graph: Any, tensors: tuple[Any, ...]) -> Any:
    """Import `graph` into the traced graph and return the signature's outputs there."""
    traced = tf.compat.v1.get_default_graph()
    inputs = dict(zip((tensor.op.name for tensor in signature.inputs), tensors, strict=False))
    inputs |= {inside.op.name: traced.capture(outer) for outer, inside in signature.graph.captures}
    read = {name.partition(":")[0] for node in graph.node for name in node.input}
    used = {f"{name}:0": tensor for name, tensor in inputs.items() if name in read}
    outputs = [tensor.name for tensor in signature.outputs]
    return tf.import_graph_def(graph, input_map=used, return_elements=outputs, name="")
