"""Examples that are all alike, or half of them twice.

Source: a generator that gives the same array again, a lost index.
Threshold: all examples of every recorded batch are equal, of at least 4; or at most half of them
differ, for parts of 16 real features or more. Examples are compared by a weighted sum.
Silent: for whole numbers and few features, where examples repeat by chance.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity

FEATURES, EXAMPLES = 16, 4


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each input."""
    for name, parts in seen.inputs.items():
        large = [one for one in parts if one.examples >= EXAMPLES]
        if not large:
            continue
        alike = all(one.distinct == 1 for one in large)
        many = all(one.features >= FEATURES and not one.whole for one in large)
        doubled = many and all(2 * one.distinct <= one.examples for one in large)
        if alike or doubled:
            part = large[-1]
            yield Finding(
                Severity.ERROR if alike else Severity.WARNING,
                f"of {part.examples} examples of {name} {part.distinct} "
                + ("differ" if part.distinct > 1 else "is there: all are the same"),
                {"examples": part.examples, "distinct": part.distinct},
                "nothing can be told apart by what is always the same",
                "look at how batches are made: an index that stands still, a buffer used again",
                layer=name,
            )
