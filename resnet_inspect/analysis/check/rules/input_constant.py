"""All examples of an input are identical, or most are repeated.

Counts the distinct examples of each recorded batch; examples are compared by a weighted sum.
Threshold: all examples of every recorded batch are identical, in batches of at least 4 (error). Or
at most half are distinct, for inputs of at least 16 real-valued features (warning). With several
inputs, all of them must be affected; a single constant one, such as a mask or grid, is an info.
Background: a generator that returns the same array again, or a missing index.
Not reported: for repeated examples of integers or few features, which occur by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.stats import BatchPart

FEATURES, EXAMPLES = 16, 4
SAME = "always"


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per affected input."""
    repeats = {name: _repeated(parts) for name, parts in evidence.inputs.items()}
    every = all(repeats.values())
    for name, repeated in repeats.items():
        same = repeated == SAME
        if repeated and (every or same):
            part = evidence.inputs[name][-1]
            severity = Severity.ERROR if same else Severity.WARNING
            yield Finding(
                severity if every else Severity.INFO,
                f"only {part.distinct} of {part.examples} examples of {name} are distinct"
                if part.distinct > 1
                else f"all {part.examples} examples of {name} are identical",
                {"examples": part.examples, "distinct": part.distinct},
                "the network cannot distinguish identical examples",
                "check how batches are built: an index that does not advance, or a reused buffer",
                place=evidence.place(name),
            )


def _repeated(parts: Sequence[BatchPart]) -> str:
    """Return how examples repeat in all batches; empty if they do not."""
    large = [part for part in parts if part.examples >= EXAMPLES]
    if large and all(part.distinct == 1 for part in large):
        return SAME
    many = all(part.features >= FEATURES and not part.whole for part in large)
    half = all(2 * part.distinct <= part.examples for part in large)
    return "often" if large and many and half else ""
