"""What tensors held over the steps of a run: which ones are asked for, and what there is of each.

This room is handed what a run file holds; it reads none.
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
    """What one tensor held at each recorded step, in order of steps.

    `elements` is how many the whole tensor has, None if unknown; summaries may be of a sample.
    `channels` are told of ReLUs' outputs, `updates` of variables, `normalizations` of layers that
    normalize; `not_finite` only of steps at which something was not.
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
        """How often each channel was active over all recorded steps; None where it is not told."""
        return reduce(add, self.channels.values()) if self.channels else None


def choose(
    graph: Graph, taps: Sequence[Tap], names: Sequence[str], kinds: Sequence[str] = ()
) -> list[Tap]:
    """The taps that `names` ask for, in that order; without names the output of each layer.

    A name is that of a layer, a tensor, an op or a variable, the beginning of one, or a pattern
    with * and ?. `kinds` are activation, gradient, weight; left out, what the name itself is.
    Raises UsageError for a name that is not there, or of which that kind was not recorded.
    """
    if not names:
        wanted = kinds or KINDS[:1]
        found = [tap for tap in taps if tap.kind in wanted and (tap.output or "weight" in wanted)]
        if not found:
            raise _not_recorded("any layer", wanted, taps)
        return found
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
    """Taps by exact name, then by pattern, then by the beginning; a layer means its output."""
    outputs = [tap for tap in taps if tap.output and tap.layer == name]
    if outputs:
        return outputs
    exact = [tap for tap in taps if name in (tap.tensor, tap.tensor.rpartition(":")[0])]
    if exact:
        return exact
    if any(sign in name for sign in "*?["):
        found = [
            tap
            for tap in taps
            if (tap.output and fnmatchcase(tap.layer, name)) or fnmatchcase(tap.tensor, name)
        ]
        if found:
            return found
    begun = {tap.layer for tap in taps if tap.output and tap.layer.startswith(name)}
    if len(begun) == 1:
        return [tap for tap in taps if tap.output and tap.layer in begun]
    known = list(dict.fromkeys(name for tap in taps for name in (tap.layer, tap.tensor)))
    near = sorted(begun)[:5] or get_close_matches(name, known, n=3)
    there = name in graph.layer_by_name or name in graph.op_by_name
    raise UsageError(
        f"'{name}' was not recorded" if there else f"there is no '{name}' among what was recorded",
        where="LAYER",
        expected="a layer, op, tensor or variable, or a pattern such as res2*",
        got=name,
        fix="trace with --taps ops, all or a pattern that matches it"
        if there
        else f"did you mean {' or '.join(near)}?"
        if near
        else ("`", Command("shapes"), "` lists layers"),
    )


def _is_variable(graph: Graph, tap: Tap) -> bool:
    return tap.tensor in graph.variable_by_name


def _not_recorded(what: str, kinds: Sequence[str], there: Sequence[Tap]) -> UsageError:
    held = sorted({tap.kind for tap in there})
    return UsageError(
        f"no {' or '.join(kinds)} of {what} was recorded",
        where="--kind",
        expected="one of " + ", ".join(held) if held else "a run with recorded steps",
        got=", ".join(kinds),
        fix="gradients need training steps and --gradients; "
        "--taps decides which tensors, --record and --every at which steps",
    )


def beside_gradients(taps: Sequence[Tap], chosen: Sequence[Tap]) -> list[tuple[Tap, ...]]:
    """Each chosen tensor with its gradient, where that was recorded."""
    by_key = {(tap.layer, tap.tensor): tap for tap in taps if tap.kind == "gradient"}
    groups: list[tuple[Tap, ...]] = []
    for tap in chosen:
        gradient = by_key.get((tap.layer, tap.tensor))
        groups.append((tap, gradient) if gradient is not None and gradient != tap else (tap,))
    return groups


def around_normalization(
    graph: Graph, taps: Sequence[Tap], chosen: Sequence[Tap]
) -> list[tuple[Tap, ...]]:
    """For each chosen layer that normalizes or is normalized: what goes in, and what comes out.

    Raises UsageError where there is none.
    """
    by_tensor = {(tap.tensor, tap.kind): tap for tap in taps if tap.output}
    groups: list[tuple[Tap, ...]] = []
    for layer in graph.layers:
        if not (layer.normalizes and layer.inputs):
            continue
        tensors = str(layer.inputs[0]), str(layer.output)
        for kind in dict.fromkeys(tap.kind for tap in chosen):
            pair = tuple(by_tensor[one, kind] for one in tensors if (one, kind) in by_tensor)
            if len(pair) == 2 and any(tap in chosen for tap in pair):
                groups.append(pair)
    if not groups:
        raise UsageError(
            "nothing chosen is normalized, or normalizes",
            where="--pair bn",
            expected="a batch normalization, or a layer before one",
            got=", ".join(tap.layer for tap in chosen[:3]),
            fix=(
                "name such a layer, as `",
                Command("shapes"),
                "` lists them, such as bn00_branch2a",
            ),
        )
    return groups
