"""Recorded distributions of tensors over the steps of a run, and their selection by name.

Callers pass the recorded data. This module reads no run file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import reduce
from operator import add

from resnet_inspect.commands import Command
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Graph
from resnet_inspect.stats import (
    ChannelActivity,
    Normalization,
    NotFinite,
    Tap,
    TensorSummary,
    Update,
)

KINDS = ("activation", "gradient", "weight")


@dataclass(frozen=True)
class Series:
    """Summaries of one tensor at each recorded step, in order of steps.

    Attributes:
        tap: the recorded tensor.
        course: summaries by step. They may be of a sample of the elements.
        elements: number of elements of the whole tensor, None if unknown.
        not_finite: counts of NaN and inf, only for steps with any.
        channels: activity of channels, only for outputs of ReLUs.
        updates: only for variables.
        normalizations: only for layers that normalize.
    """

    tap: Tap
    course: Mapping[int, TensorSummary]
    elements: int | None = None
    not_finite: Mapping[int, NotFinite] = field(default_factory=dict)
    channels: Mapping[int, ChannelActivity] = field(default_factory=dict)
    updates: Mapping[int, Update] = field(default_factory=dict)
    normalizations: Mapping[int, Normalization] = field(default_factory=dict)

    @property
    def activity(self) -> ChannelActivity | None:
        """Activity of channels over all recorded steps, or None where it was not recorded."""
        return reduce(add, self.channels.values()) if self.channels else None


def choose(
    graph: Graph, taps: Sequence[Tap], names: Sequence[str], kinds: Sequence[str] = ()
) -> list[Tap]:
    """Return the taps that `names` select, in that order. Without names, return layer outputs.

    A name is that of a layer, group, tensor, op or variable, the beginning of a layer's name, or a
    pattern with * and ?. `kinds` are activation, gradient and weight. Without kinds, a variable
    selects its weights, and any other name its activations.

    Raises:
        UsageError: no tensor has the name, or the kind was not recorded for it.
    """
    if not names:
        wanted = kinds or KINDS[:1]
        outputs = [tap for tap in taps if tap.kind in wanted and (tap.output or "weight" in wanted)]
        if not outputs:
            raise _not_recorded("any layer", wanted, taps)
        return outputs
    chosen: list[Tap] = []
    for name in names:
        matching = _named(graph, taps, name)
        own = "weight" if all(_is_variable(graph, tap) for tap in matching) else "activation"
        of_kind = [tap for tap in matching if tap.kind in (kinds or (own,))]
        if not of_kind:
            raise _not_recorded(f"'{name}'", kinds or (own,), matching)
        chosen += [tap for tap in of_kind if tap not in chosen]
    return chosen


def _named(graph: Graph, taps: Sequence[Tap], name: str) -> list[Tap]:
    """Return taps by exact name, else by pattern, else by beginning.

    A layer or a group means its output.
    """
    outputs = [tap for tap in taps if tap.output and tap.layer == name]
    if outputs:
        return outputs
    group = graph.group_by_path.get(tuple(name.split("/")))
    if group is not None:  # its output may be that of its last layer
        outputs = [tap for tap in taps if tap.output and tap.tensor == str(group.output)]
        if outputs:
            return outputs
    exact = [tap for tap in taps if name in (tap.tensor, tap.tensor.rpartition(":")[0])]
    if exact:
        return exact
    if any(sign in name for sign in "*?["):
        matching = [
            tap
            for tap in taps
            if (tap.output and fnmatchcase(tap.layer, name)) or fnmatchcase(tap.tensor, name)
        ]
        if matching:
            return matching
    begun = {tap.layer for tap in taps if tap.output and tap.layer.startswith(name)}
    if len(begun) == 1:
        return [tap for tap in taps if tap.output and tap.layer in begun]
    known = list(dict.fromkeys(name for tap in taps for name in (tap.layer, tap.tensor)))
    near = sorted(begun)[:5] or get_close_matches(name, known, n=3)
    exists = group is not None or name in graph.layer_by_name or name in graph.op_by_name
    raise UsageError(
        f"'{name}' was not recorded" if exists else f"no recorded tensor is named '{name}'",
        where="LAYER",
        expected="a layer, group, op, tensor or variable, or a pattern such as res2*",
        got=name,
        fix="record again with --taps ops, --taps all, or --taps PATTERN"
        if exists
        else f"did you mean {' or '.join(near)}?"
        if near
        else ("`", Command("shapes"), "` lists layers"),
    )


def _is_variable(graph: Graph, tap: Tap) -> bool:
    return tap.tensor in graph.variable_by_name


def _not_recorded(what: str, kinds: Sequence[str], taps: Sequence[Tap]) -> UsageError:
    recorded = sorted({tap.kind for tap in taps})
    return UsageError(
        f"no {' or '.join(kinds)} of {what} was recorded",
        where="--kind",
        expected="one of " + ", ".join(recorded) if recorded else "a run with recorded steps",
        got=", ".join(kinds),
        fix="record again. Gradients need training steps and --gradients. "
        "--taps selects tensors, --record and --every select steps",
    )


def beside_gradients(taps: Sequence[Tap], chosen: Sequence[Tap]) -> list[tuple[Tap, ...]]:
    """Return each chosen tap together with the tap of its gradient, if that was recorded."""
    by_key = {(tap.layer, tap.tensor): tap for tap in taps if tap.kind == "gradient"}
    groups: list[tuple[Tap, ...]] = []
    for tap in chosen:
        gradient = by_key.get((tap.layer, tap.tensor))
        groups.append((tap, gradient) if gradient is not None and gradient != tap else (tap,))
    return groups


def around_normalization(
    graph: Graph, taps: Sequence[Tap], chosen: Sequence[Tap]
) -> list[tuple[Tap, ...]]:
    """Return input and output taps of each normalization among the chosen taps.

    A chosen tap selects the normalization that it enters or leaves.

    Raises:
        UsageError: no chosen tap does.
    """
    by_tensor = {(tap.tensor, tap.kind): tap for tap in taps if tap.output}
    groups: list[tuple[Tap, ...]] = []
    for layer in graph.layers:
        if not (layer.normalizes and layer.inputs):
            continue
        tensors = str(layer.inputs[0]), str(layer.output)
        for kind in dict.fromkeys(tap.kind for tap in chosen):
            pair = tuple(by_tensor[name, kind] for name in tensors if (name, kind) in by_tensor)
            if len(pair) == 2 and any(tap in chosen for tap in pair):
                groups.append(pair)
    if not groups:
        raise UsageError(
            "none of the selected layers normalizes or is normalized",
            where="--pair bn",
            expected="a batch normalization, or the layer before it",
            got=", ".join(tap.layer for tap in chosen[:3]),
            fix=("choose a normalization from `", Command("shapes"), "`, such as bn00_branch2a"),
        )
    return groups
