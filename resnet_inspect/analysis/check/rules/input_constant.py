"""Examples that are all alike, or half of them twice.

Source: a generator that gives the same array again, a lost index.
Threshold: all examples of every recorded batch are equal, of at least 4; or at most half of them
differ, for parts of 16 real features or more. Examples are compared by a weighted sum.
Of several inputs all must be so; one alone that is always the same, as a mask or a grid may be, is
told as worth knowing.
Silent: for whole numbers and few features, where examples repeat by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.stats import BatchPart

FEATURES, EXAMPLES = 16, 4
SAME = "always"


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each input."""
    found = {name: _repeated(parts) for name, parts in seen.inputs.items()}
    every = all(found.values())
    for name, repeated in found.items():
        alike = repeated == SAME
        if repeated and (every or alike):
            part = seen.inputs[name][-1]
            severity = Severity.ERROR if alike else Severity.WARNING
            yield Finding(
                severity if every else Severity.INFO,
                f"of {part.examples} examples of {name} {part.distinct} "
                + ("differ" if part.distinct > 1 else "is there: all are the same"),
                {"examples": part.examples, "distinct": part.distinct},
                "nothing can be told apart by what is always the same",
                "look at how batches are made: an index that stands still, a buffer used again",
                place=seen.place(name),
            )


def _repeated(parts: Sequence[BatchPart]) -> str:
    """How examples repeat in all batches: empty if they do not."""
    large = [one for one in parts if one.examples >= EXAMPLES]
    if large and all(one.distinct == 1 for one in large):
        return SAME
    many = all(one.features >= FEATURES and not one.whole for one in large)
    return "often" if large and many and all(2 * o.distinct <= o.examples for o in large) else ""
