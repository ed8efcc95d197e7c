"""Chooses the tensors of a traced step to summarize, from the setting `taps`.

`layers` selects outputs of layers, their gradients, and the cross-entropies of the examples. `ops`
adds every output of the forward pass, `all` every output. Any other text is a pattern, or several
patterns with commas, for names of layers, ops and variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from resnet_inspect.graph import Phase
from resnet_inspect.stats import Tap
from resnet_inspect.tracers.tensorflow.capture.construction import (
    Construction,
    GroupCall,
    LayerCall,
    Tensor,
)

# Ops that compute nothing.
GIVEN = ("Placeholder", "Const", "ReadVariableOp", "NoOp")
# Outputs without usable values: internal data of an op for its gradient, and empty outputs, whose
# rank differs from that in the graph.
RESERVED = {("FusedBatchNormV3", 5), ("FusedBatchNormGradV3", 3), ("FusedBatchNormGradV3", 4)}

UNREADABLE = ("int2", "uint2", "int4", "uint4")  # TensorFlow cannot cast these


@dataclass(frozen=True)
class Point:
    """A tensor to summarize. `channels`: count the positive values of each channel, for ReLUs."""

    tap: Tap
    tensor: Tensor
    channels: bool = False


@dataclass(frozen=True)
class TapContext:
    """The tensors of a step; ops from position `end` on are not the user's.

    `parts` are parts of the loss by name, `values` the values of variables before the step,
    `gradients` those of variables, and `output_gradients` those of the outputs of layers by name
    and of groups by tensor; a gradient may be None.
    """

    made: Construction
    end: int
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    values: Mapping[str, Tensor] = field(default_factory=dict)
    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    output_gradients: Mapping[str, Tensor] = field(default_factory=dict)


def choose(watched: TapContext, wanted: str) -> list[Point]:
    """The points for a setting `taps`; each tensor of a layer occurs once for each kind."""
    if wanted == "layers":
        return list(_of_layers(watched))
    if wanted in ("ops", "all"):
        phases = (Phase.FORWARD,) if wanted == "ops" else tuple(Phase)
        return [*_of_layers(watched), *_of_ops(watched, phases)]
    patterns = wanted.split(",")
    every = [*_of_layers(watched), *_of_ops(watched, tuple(Phase))]
    return [point for point in every if _matches(point.tap, patterns)]


def matches(tap: Tap, wanted: str) -> bool:
    """Whether a setting `taps` includes a tensor of a layer."""
    return wanted in ("layers", "ops", "all") or _matches(tap, wanted.split(","))


def _matches(tap: Tap, patterns: list[str]) -> bool:
    names = (tap.layer, tap.tensor, tap.tensor.rpartition(":")[0])
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _groups_with_own_output(made: Construction) -> list[GroupCall]:
    """Return the groups whose output is not that of a layer or of a group inside them."""
    known = {call.output.name for call in made.calls}
    groups = []
    for group in made.groups:  # inner groups come first
        if group.output.name not in known:
            known.add(group.output.name)
            groups.append(group)
    return groups


def _of_layers(watched: TapContext) -> Iterator[Point]:
    calls = watched.made.calls
    for call in calls:
        if not is_summarizable(call.output.dtype):
            continue  # for example a TensorList, a variant
        name = call.output.name
        yield Point(Tap(call.name, "activation", name), call.output, call.output.op.type == "Relu")
    groups = _groups_with_own_output(watched.made)
    for group in groups:
        if is_summarizable(group.output.dtype):
            relu = group.output.op.type == "Relu"
            tap = Tap(group.name, "activation", group.output.name)
            yield Point(tap, group.output, relu)
    for name, part in watched.parts.items():
        yield Point(Tap(name, "activation", part.name), part)
    for call in calls:
        gradient = watched.output_gradients.get(call.name)
        if gradient is not None:
            yield Point(Tap(call.name, "gradient", call.output.name), gradient)
    for group in groups:
        gradient = watched.output_gradients.get(group.output.name)
        if gradient is not None:
            yield Point(Tap(group.name, "gradient", group.output.name), gradient)
    owners = {variable: call.name for call in reversed(calls) for variable in call.variables}
    for name, value in watched.values.items():
        yield Point(Tap(owners.get(name, name), "weight", name, output=False), value)
    for name, gradient in watched.gradients.items():
        if gradient is not None:
            yield Point(Tap(owners.get(name, name), "gradient", name, output=False), gradient)


def _of_ops(watched: TapContext, phases: tuple[Phase, ...]) -> Iterator[Point]:
    """Outputs of ops that are not outputs of layers; an op outside of layers has its own name."""
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
    """Whether a tensor contains meaningful floats, integers or booleans."""
    op = tensor.op
    if op.type == "FusedBatchNormV3" and tensor.value_index > 2 and not op.get_attr("is_training"):
        return False  # data for a gradient that is not computed: uninitialized memory
    return is_summarizable(tensor.dtype) and (op.type, tensor.value_index) not in RESERVED


def is_summarizable(dtype: Any) -> bool:
    """Whether tensors of a type can be summarized."""
    is_numeric = dtype.is_floating or dtype.is_integer or dtype.is_bool
    return bool(is_numeric and dtype.name not in UNREADABLE)


def _call_at(calls: list[LayerCall], position: int) -> LayerCall | None:
    return next((call for call in calls if call.holds(position)), None)
