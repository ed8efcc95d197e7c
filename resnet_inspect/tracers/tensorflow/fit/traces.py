"""One trace of a step in all its replicas, told and read as one.

What they held is merged: summaries and counts together are those of the global batch.
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
        """That of the first replica, whose layers and variables are told."""
        return self.steps[min(self.steps)]

    def takes(self, step: ObservedStep, number: int) -> bool:
        """Whether a replica of that number belongs to this trace."""
        return number not in self.steps and step.made.graph is self.first.made.graph

    def others(self) -> dict[str, Construction]:
        """What the other replicas made, by the part of their ops' names."""
        first = min(self.steps)
        return {f"replica_{n}": one.made for n, one in self.steps.items() if n != first}

    def notes(self) -> Iterator[Note]:
        """What is to be told of all replicas."""
        for step in self.steps.values():
            yield from step.notes
        count = len(self.steps)
        if count == 1:
            return
        yield Note(
            "replicas",
            f"{count}: what tensors held is that of all of them, the global batch; batch_loss is "
            "the sum of theirs",
        )
        seen = self.first.seen
        if seen.gradients:
            whole = set(seen.gradients) <= seen.summed
            how = "summed over the replicas, as the optimizer takes them"
            how = how if whole else "those of each replica, merged and not summed"
            yield Note("gradients", f"of weights: {how}")

    def read(self) -> Readings:
        """What the taps of all replicas held together, and the sums of their scalars."""
        found = [one.taps.read() for _, one in sorted(self.steps.items()) if one.taps is not None]
        if not found:
            return Readings()
        merged = found[0]
        known = list(merged.summaries)
        for other in found[1:]:
            _merge(merged, other, _same(known, list(other.summaries)))
            for name in merged.scalars:
                merged.scalars[name] += other.scalars.get(name, 0.0)
        return merged


def _same(taps: list[Tap], others: list[Tap]) -> dict[Tap, Tap]:
    """For the taps of another replica those of the first, of which it has the same or fewer."""
    places: dict[Tap, list[Tap]] = {}
    for one in taps:
        places.setdefault(_plain(one), []).append(one)
    by_name = {one: places[_plain(one)][0] for one in others if _plain(one) in places}
    alike = [(o.layer, o.kind, o.output) for o in taps] == [
        (o.layer, o.kind, o.output) for o in others
    ]
    by_place = dict(zip(others, taps, strict=False)) if alike else {}
    return by_place | by_name


def _plain(tap: Tap) -> Tap:
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
                held = [one[place] for one, place in ((ours, known), (theirs, tap)) if place in one]
                ours[known] = reduce(add, held)
        bad = [one[p] for one, p in ((into.not_finite, known), (other.not_finite, tap)) if p in one]
        if bad:
            counts = zip(*((one.nan, one.posinf, one.neginf) for one in bad), strict=True)
            into.not_finite[known] = NotFinite(*map(sum, counts))
