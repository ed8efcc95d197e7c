"""Names what a program did when it failed, for failures outside a recorded training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from resnet_inspect.graph.crash import Crash, NodeKind, Value, ValueKind

ENTRIES = {
    "fit": "running fit",
    "evaluate": "running evaluate",
    "predict": "running predict",
    "session": "running a session",
    "function": "running a tf.function",
}
SYMBOLIC = (NodeKind.LAYER, NodeKind.INPUT)


def action(crash: Crash | None) -> str:
    """Return what was done, such as "running predict" or "building the model"."""
    if crash is None:
        return "running the program"
    if crash.during:
        return ENTRIES[crash.during]
    read = set(_read(crash))
    if read and read <= {*SYMBOLIC}:
        return "building the model"
    if read:
        return "building the graph"
    if any(call.layer >= 0 for call in crash.calls):
        return "calling the model"
    return "running the program"


def has_tensors(crash: Crash) -> bool:
    """Return whether a call in the traceback has tensors as arguments."""
    return any(True for _ in _read(crash))


def _read(crash: Crash) -> Iterator[NodeKind]:
    """Yield the kinds of the nodes that made the tensors among the arguments of calls."""
    for call in crash.calls:
        for value in _flat(call.arguments.values()):
            if value.kind is ValueKind.TENSOR and value.node >= 0:
                yield crash.nodes[value.node].kind


def _flat(values: Iterable[Value]) -> Iterator[Value]:
    """Yield values and the items inside them."""
    for value in values:
        yield value
        yield from _flat(value.items.values())
