"""A network that could not be built, or a step that was refused.

Source: the framework's own error. Threshold: the run ended with one. What other rules find tells
why; `trace`'s page and `browse` have the sizes that disagree.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

OF_SIZES = ("shape", "dimension", "size")


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    failure = seen.failure
    if failure is None:
        return
    first = (failure.message.strip().splitlines() or [""])[0]
    yield Finding(
        Severity.ERROR,
        f"{failure.kind} while {failure.during}: {first[:200]}",
        {"source": str(failure.source[0])} if failure.source else {},
        "the training ends here",
        "see which sizes disagree, where each was born, and which change passes"
        if failure.op or any(word in failure.message.lower() for word in OF_SIZES)
        else "mend what the message says, at the line that is shown",
        place=seen.place(failure.op),
        command=Command("browse", remark="pane Run"),
    )
