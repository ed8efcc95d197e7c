"""Chooses which tensors of a traced step are summarized, from what the settings ask for.

`layers` are the outputs of layers and the cross entropies of the examples; `ops` every output of
the forward pass beside them; `all` every output; any other text is a pattern, or several with
commas between, of names of layers, ops and variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from resnet_inspect.graph import Phase
from resnet_inspect.stats import Tap
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, LayerCall, Tensor

# Ops that make nothing of their own.
GIVEN = ("Placeholder", "Const", "ReadVariableOp", "NoOp")
# Outputs that hold no numbers to look at: an op's notes for its gradient, in a form of its own, and
# what is left empty, whose rank is not even what the graph says.
RESERVED = {("FusedBatchNormV3", 5), ("FusedBatchNormGradV3", 3), ("FusedBatchNormGradV3", 4)}

UNREADABLE = ("int2", "uint2", "int4", "uint4")  # TensorFlow itself cannot cast these


@dataclass(frozen=True)
class Point:
    """A tensor to summarize. `channels`: count where each channel is above 0 (outputs of ReLUs)."""

    tap: Tap
    tensor: Tensor
    channels: bool = False


@dataclass(frozen=True)
class Watched:
    """What there is to choose from, beside the ops: `end` is where the user's own end.

    `parts` are parts of the loss by name, `values` the variables' values before the step,
    `gradients` theirs, and `output_gradients` those of the layers' outputs (None without any).
    """

    made: Construction
    end: int
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    values: Mapping[str, Tensor] = field(default_factory=dict)
    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    output_gradients: Mapping[str, Tensor] = field(default_factory=dict)


def choose(watched: Watched, wanted: str) -> list[Point]:
    """The points that `wanted` asks for, each tensor of a layer once for each kind."""
    if wanted == "layers":
        return list(_of_layers(watched))
    if wanted in ("ops", "all"):
        phases = (Phase.FORWARD,) if wanted == "ops" else tuple(Phase)
        return [*_of_layers(watched), *_of_ops(watched, phases)]
    patterns = wanted.split(",")
    every = [*_of_layers(watched), *_of_ops(watched, tuple(Phase))]
    return [point for point in every if _matches(point.tap, patterns)]


def matches(tap: Tap, wanted: str) -> bool:
    """Whether `wanted` asks for a tensor of a layer."""
    return wanted in ("layers", "ops", "all") or _matches(tap, wanted.split(","))


def _matches(tap: Tap, patterns: list[str]) -> bool:
    names = (tap.layer, tap.tensor, tap.tensor.rpartition(":")[0])
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _of_layers(watched: Watched) -> Iterator[Point]:
    calls = watched.made.calls
    for call in calls:
        if not is_told(call.output.dtype):
            continue  # such as a TensorList, a variant
        name = call.output.name
        yield Point(Tap(call.name, "activation", name), call.output, call.output.op.type == "Relu")
    for name, part in watched.parts.items():
        yield Point(Tap(name, "activation", part.name), part)
    for call in calls:
        gradient = watched.output_gradients.get(call.name)
        if gradient is not None:
            yield Point(Tap(call.name, "gradient", call.output.name), gradient)
    owners = {variable: call.name for call in reversed(calls) for variable in call.variables}
    for name, value in watched.values.items():
        yield Point(Tap(owners.get(name, name), "weight", name, output=False), value)
    for name, gradient in watched.gradients.items():
        if gradient is not None:
            yield Point(Tap(owners.get(name, name), "gradient", name, output=False), gradient)


def _of_ops(watched: Watched, phases: tuple[Phase, ...]) -> Iterator[Point]:
    """Outputs of ops that no layer hands on. Those of no layer are told by their op's name."""
    made = watched.made
    outputs = {call.output.name for call in made.calls}
    for position, op in enumerate(made.graph.get_operations()[: watched.end]):
        if op.type in GIVEN or made.phase_at(position) not in phases:
            continue
        call = _call_at(made.calls, position)
        for tensor in op.outputs:
            if is_number(tensor) and tensor.name not in outputs:
                tap = Tap(call.name if call else op.name, "activation", tensor.name, call is None)
                yield Point(tap, tensor)


def is_number(tensor: Any) -> bool:
    """Whether a tensor holds floats, integers or truth values that mean something."""
    op = tensor.op
    if op.type == "FusedBatchNormV3" and tensor.value_index > 2 and not op.get_attr("is_training"):
        return False  # notes for a gradient that nobody asks for: the memory is left as it was
    return is_told(tensor.dtype) and (op.type, tensor.value_index) not in RESERVED


def is_told(kind: Any) -> bool:
    """Whether tensors of a type can be summarized."""
    held = kind.is_floating or kind.is_integer or kind.is_bool
    return bool(held and kind.name not in UNREADABLE)


def _call_at(calls: list[LayerCall], position: int) -> LayerCall | None:
    return next((call for call in calls if call.holds(position)), None)
