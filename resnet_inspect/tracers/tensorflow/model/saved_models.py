"""Loads SavedModels: one signature as a function whose ops are all in sight.

A loaded signature calls functions that call others; as it is, the whole model would be one op.
TensorFlow's own optimizer puts these calls in place, and what it made is imported where the model
is called.
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
PASSED_ON = "Func/"  # scope of the identities that stand where a call was


def load(target: str, wanted: str | None) -> Model:
    """The signature `wanted` of the SavedModel in a folder; raises UsageError."""
    folder = Path(target)
    if folder.name in SAVED_MODEL_FILES and folder.is_file():
        folder = folder.parent
    if not any((folder / name).is_file() for name in SAVED_MODEL_FILES):
        raise UsageError(
            "there is no SavedModel" if folder.exists() else "there is no such file or folder",
            where=f"target {target}",
            expected="a folder with saved_model.pb in it, FILE.py:CALLABLE or a .keras file",
            got=target,
            fix="check the path; it is taken from the current folder",
        )
    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:
        raise UsageError(
            "the SavedModel cannot be loaded",
            where=f"target {target}",
            expected="a whole folder, with saved_model.pb and variables/",
            got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            fix="save it again",
        ) from error
    name = _chosen(target, list(loaded.signatures), wanted)
    signature = loaded.signatures[name]
    specs = signature.structured_input_signature[1]
    order = [tensor.op.name for tensor in signature.inputs[: len(specs)]]
    arguments = sorted(specs, key=lambda one: _place(specs[one].name or one, order))
    inputs = flat_specs([specs[one] for one in arguments], arguments)
    graph = _inlined(signature)

    def call(*given: Any) -> Any:
        return _imported(signature, graph, given)

    # Its functions use the variables of what was loaded, which must not be collected.
    call.loaded = loaded  # type: ignore[attr-defined]
    return Model(
        call,
        inputs,
        variables=tuple(signature.variables),
        notes=(Note("signature", _told(name, list(loaded.signatures))),),
        imported=True,
    )


def _chosen(target: str, names: list[str], wanted: str | None) -> str:
    if wanted is None and (DEFAULT in names or len(names) == 1):
        return DEFAULT if DEFAULT in names else names[0]
    if wanted in names:
        return str(wanted)
    raise UsageError(
        "the SavedModel has no such signature" if names else "the SavedModel has no signatures",
        where=f"target {target}, setting 'signature'",
        expected="one of " + ", ".join(sorted(names)) if names else "a signature to call",
        got=wanted or "none",
        fix="add --signature NAME" if names else "save it with signatures=..., or model.export",
    )


def _told(name: str, names: list[str]) -> str:
    others = ", ".join(sorted(one for one in names if one != name))
    return f"{name} is traced" + (f"; there are also {others}" if others else ", the only one")


def _place(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else len(order)


def _inlined(signature: Any) -> Any:
    """The signature's graph with calls put in place and without the identities left for them."""
    with quiet_tensorflow():
        graph = _run_inline_graph_optimization(signature, False, True)
    for node in graph.node:  # where it was saved, and beside what, is not where it runs
        node.device = ""
        node.attr.pop("_class", None)
    passed = {
        node.name: node
        for node in graph.node
        if node.op == "Identity" and node.name.startswith(PASSED_ON)
    }

    def behind(name: str) -> tuple[str, list[str]]:
        """What an input stands for, and what was to be waited for on the way."""
        waited: list[str] = []
        while name in passed:
            name, *more = passed[name].input
            waited += more
        return name, waited

    given = {f"^{one.op.name}" for one in signature.inputs}
    kept = [node for node in graph.node if node.name not in passed and f"^{node.name}" not in given]
    for node in kept:
        found: list[str] = []
        waits: list[str] = []
        for name in node.input:
            source, more = behind(name.removeprefix("^"))
            waits += more
            if name.startswith("^"):
                waits.append(f"^{source.partition(':')[0]}")
            else:
                found.append(source)
        node.input[:] = [*found, *(one for one in dict.fromkeys(waits) if one not in given)]
    result = tf.compat.v1.GraphDef(versions=graph.versions, library=graph.library)
    result.node.extend(kept)
    return result


def _imported(signature: Any, graph: Any, given: tuple[Any, ...]) -> Any:
    """The signature's outputs, computed by ops in the graph that is being traced."""
    here = tf.compat.v1.get_default_graph()
    places = dict(zip((one.op.name for one in signature.inputs), given, strict=False))
    places |= {one.op.name: here.capture(outside) for outside, one in signature.graph.captures}
    read = {name.partition(":")[0] for node in graph.node for name in node.input}
    used = {f"{name}:0": tensor for name, tensor in places.items() if name in read}
    wanted = [tensor.name for tensor in signature.outputs]
    return tf.import_graph_def(graph, input_map=used, return_elements=wanted, name="")
