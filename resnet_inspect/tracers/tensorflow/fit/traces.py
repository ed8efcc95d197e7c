"""Merges one trace of a step over all its replicas.

Merged summaries and counts are those of the global batch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any

import msgspec

from resnet_inspect.graph import Note
from resnet_inspect.stats import NotFinite, Tap
from resnet_inspect.tracers.tensorflow.capture.construction import Construction
from resnet_inspect.tracers.tensorflow.fit.observed_step import ObservedStep
from resnet_inspect.tracers.tensorflow.taps.readings import Readings

OF_REPLICA = re.compile(r"(^|(?<=/))replica_\d+/")


class Trace:
    """One trace of a step, in all its replicas by their numbers; `number` counts from 1."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.steps: dict[int, ObservedStep] = {}

    @property
    def first(self) -> ObservedStep:
        """The step of the first replica, whose layers and variables are recorded."""
        return self.steps[min(self.steps)]

    def takes(self, step: ObservedStep, number: int) -> bool:
        """Whether `step`, of the replica with that number, belongs to this trace."""
        return number not in self.steps and step.made.graph is self.first.made.graph

    def others(self) -> dict[str, Construction]:
        """The constructions of the other replicas, by the scope of their ops."""
        first = min(self.steps)
        return {f"replica_{n}": step.made for n, step in self.steps.items() if n != first}

    def notes(self) -> Iterator[Note]:
        """The notes of all replicas."""
        for step in self.steps.values():
            yield from step.notes
        count = len(self.steps)
        if count == 1:
            return
        yield Note(
            "replicas",
            f"the step has {count} replicas. Summaries are those of the global batch; batch_loss "
            "is the sum over the replicas",
        )
        hooks = self.first.hooks
        if hooks.gradients:
            if set(hooks.gradients) <= hooks.summed:
                text = "gradients of weights are summed over the replicas, as in the optimizer"
            else:
                text = "gradients of weights are those of each replica, merged and not summed"
            yield Note("gradients", text)

    def read(self) -> Readings:
        """The merged readings of all replicas, with the sums of their scalars."""
        readings = [
            step.taps.read() for _, step in sorted(self.steps.items()) if step.taps is not None
        ]
        if not readings:
            return Readings()
        merged = readings[0]
        taps = list(merged.summaries)
        for other in readings[1:]:
            _merge(merged, other, _same(taps, list(other.summaries)))
            for name in merged.scalars:
                merged.scalars[name] += other.scalars.get(name, 0.0)
        return merged


def _same(taps: list[Tap], others: list[Tap]) -> dict[Tap, Tap]:
    """The taps of the first replica by those of another, which has the same taps or fewer."""
    by_plain: dict[Tap, list[Tap]] = {}
    for tap in taps:
        by_plain.setdefault(_plain(tap), []).append(tap)
    by_name = {tap: by_plain[_plain(tap)][0] for tap in others if _plain(tap) in by_plain}
    alike = [(o.layer, o.kind, o.output) for o in taps] == [
        (o.layer, o.kind, o.output) for o in others
    ]
    by_place = dict(zip(others, taps, strict=False)) if alike else {}
    return by_place | by_name


def _plain(tap: Tap) -> Tap:
    """The tap without the scope of its replica."""
    return msgspec.structs.replace(
        tap, layer=OF_REPLICA.sub("", tap.layer), tensor=OF_REPLICA.sub("", tap.tensor)
    )


def _merge(into: Readings, other: Readings, names: dict[Tap, Tap]) -> None:
    for tap, known in names.items():
        pairs: tuple[tuple[dict[Tap, Any], dict[Tap, Any]], ...] = (
            (into.summaries, other.summaries),
            (into.sizes, other.sizes),
            (into.channels, other.channels),
        )
        for ours, theirs in pairs:
            if tap in theirs:
                ours[known] = reduce(add, _values(ours, known, theirs, tap))
        bad = _values(into.not_finite, known, other.not_finite, tap)
        if bad:
            counts = zip(*((count.nan, count.posinf, count.neginf) for count in bad), strict=True)
            into.not_finite[known] = NotFinite(*map(sum, counts))


def _values(ours: dict[Tap, Any], known: Tap, theirs: dict[Tap, Any], tap: Tap) -> list[Any]:
    return [values[place] for values, place in ((ours, known), (theirs, tap)) if place in values]
