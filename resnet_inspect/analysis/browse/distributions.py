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
from pathlib import Path

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
MOST_LISTED = 5


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
    graph: Graph,
    taps: Sequence[Tap],
    names: Sequence[str],
    kinds: Sequence[str] = (),
    *,
    file: Path,
) -> list[Tap]:
    """Return the taps that `names` select, in that order. Without names, return layer outputs.

    A name is that of a layer, group, tensor, op or variable, the beginning of a layer's name, or a
    pattern with * and ?. `kinds` are activation, gradient and weight. Without kinds, a variable
    selects its weights, and any other name its activations. With weight, a layer selects its
    weights. `file` is the run file that suggested commands read.

    Raises:
        UsageError: no tensor has the name, or the kind was not recorded for it.
    """
    if not names:
        wanted = kinds or KINDS[:1]
        outputs = [tap for tap in taps if tap.kind in wanted and (tap.output or "weight" in wanted)]
        if not outputs:
            raise _not_recorded("", wanted, graph, taps, file)
        return outputs
    by_layer = _taps_by_layer(graph, taps, kinds)
    chosen: list[Tap] = []
    for name in names:
        matching = _named(by_layer, graph, taps, name)
        if not matching:
            raise _unknown(name, by_layer, graph, taps, kinds, file)
        own = "weight" if all(_is_variable(graph, tap) for tap in matching) else "activation"
        of_kind = [tap for tap in matching if tap.kind in (kinds or (own,))]
        if not of_kind:
            raise _not_recorded(name, kinds or (own,), graph, matching, file)
        chosen += [tap for tap in of_kind if tap not in chosen]
    return chosen


def _taps_by_layer(graph: Graph, taps: Sequence[Tap], kinds: Sequence[str]) -> dict[str, list[Tap]]:
    """Return the taps that the name of a layer selects: its output, and its weights if wanted."""
    by_layer: dict[str, list[Tap]] = {}
    for tap in taps:
        if tap.output:
            by_layer.setdefault(tap.layer, []).append(tap)
    weights = {tap.tensor: tap for tap in taps if tap.kind == "weight" and "weight" in kinds}
    for layer in graph.layers:
        if own := [weights[name] for name in layer.variables if name in weights]:
            by_layer.setdefault(layer.name, []).extend(own)
    return by_layer


def _named(
    by_layer: Mapping[str, list[Tap]], graph: Graph, taps: Sequence[Tap], name: str
) -> list[Tap]:
    """Return taps by exact name, else by pattern, else by the beginning of one layer's name.

    A layer or a group means its output.
    """
    if name in by_layer:
        return by_layer[name]
    group = graph.group_by_path.get(tuple(name.split("/")))
    if group is not None:  # its output may be that of its last layer
        outputs = [tap for tap in taps if tap.output and tap.tensor == str(group.output)]
        if outputs:
            return outputs
    exact = [tap for tap in taps if name in (tap.tensor, tap.tensor.rpartition(":")[0])]
    if exact:
        return exact
    if any(sign in name for sign in "*?["):
        of_layers = {
            tap for layer, own in by_layer.items() if fnmatchcase(layer, name) for tap in own
        }
        return [tap for tap in taps if tap in of_layers or fnmatchcase(tap.tensor, name)]
    begun = [layer for layer in by_layer if layer.startswith(name)]
    return by_layer[begun[0]] if len(begun) == 1 else []


def _is_variable(graph: Graph, tap: Tap) -> bool:
    return tap.tensor in graph.variable_by_name


def _unknown(
    name: str,
    by_layer: Mapping[str, list[Tap]],
    graph: Graph,
    taps: Sequence[Tap],
    kinds: Sequence[str],
    file: Path,
) -> UsageError:
    """Return the error for a name without taps: what exists, and the command that shows it."""
    known = list(dict.fromkeys((*by_layer, *(tap.tensor for tap in taps))))
    begun = [layer for layer in by_layer if layer.startswith(name)]
    alike = begun or [other for other in known if name.lower() in other.lower()]
    near = alike if len(alike) == 1 else get_close_matches(name, known, n=3)

    def shown(selection: str) -> Command:
        return Command("hist", (selection, file), ("--kind", ",".join(kinds)) if kinds else ())

    what = f"no recorded tensor is named '{name}'"
    fix: tuple[str | Command, ...]
    is_group = tuple(name.split("/")) in graph.group_by_path
    if is_group or name in graph.layer_by_name or name in graph.op_by_name:
        what = f"'{name}' was not recorded"
        fix = ("record again with --taps ops, --taps all, or --taps PATTERN",)
    elif len(alike) > 1:
        how = "begin with" if begun else "contain"
        what = f"'{name}' is ambiguous: {len(alike)} names {how} it"
        fix = ("`", shown(f"{name}*" if begun else f"*{name}*"), "` shows all of them")
    elif near:
        fix = (f"did you mean {' or '.join(near)}? `", shown(near[0]), f"` shows {near[0]}")
    else:
        fix = ("`", Command("hist", (file,), ("--kind", "weight")), "` lists weights, `",
               Command("shapes", (file,)), "` lists layers")  # fmt: skip
    return UsageError(
        what,
        where="LAYER",
        expected=_listed(alike)
        if len(alike) > 1
        else "a layer, group, op, tensor or variable, or a pattern such as res2*",
        got=name,
        fix=fix,
    )


def _listed(names: Sequence[str]) -> str:
    return "one of " + ", ".join(names[:MOST_LISTED]) + ", …" * (len(names) > MOST_LISTED)


def _not_recorded(
    name: str, kinds: Sequence[str], graph: Graph, taps: Sequence[Tap], file: Path
) -> UsageError:
    """Return the error for kinds that the taps of a name lack. An empty name is all layers."""
    recorded = sorted({tap.kind for tap in taps})
    subject = f"'{name}'" if name else "any layer"
    what = f"no {' or '.join(kinds)} of {subject} was recorded"
    fix: tuple[str | Command, ...] = (
        "record again. Gradients need training steps and --gradients. "
        "--taps selects tensors, --record and --every select steps",
    )
    if recorded and name:
        command = Command("hist", (name, file), ("--kind", ",".join(recorded)))
        if set(kinds) == {_impossible(graph, taps)}:
            what = f"{subject} has no {kinds[0]}"
            fix = ("`", command, "` shows what was recorded")
        else:
            fix = ("`", command, "` shows what was recorded, or ", *fix)
    return UsageError(
        what,
        where="--kind",
        expected="one of " + ", ".join(recorded) if recorded else "a run with recorded steps",
        got=", ".join(kinds),
        fix=fix,
    )


def _impossible(graph: Graph, taps: Sequence[Tap]) -> str:
    """Return the kind that no tensor of this name can have, or an empty text."""
    if all(_is_variable(graph, tap) for tap in taps):
        return "activation"
    layers = (graph.layer_by_name.get(tap.layer) for tap in taps)
    return "" if any(layer is not None and layer.variables for layer in layers) else "weight"


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
