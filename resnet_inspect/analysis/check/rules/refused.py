"""The network could not be built, or a step failed.

Reports the error that ended the run.
Threshold: the run ended with an error of the framework or the model. Error.
Source: the framework's own message. Other findings may show the cause; `browse` and the page of
`trace` show the sizes that disagree.
Silent: if the run completed.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

SIZE_WORDS = ("shape", "dimension", "size")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    failure = evidence.failure
    if failure is None:
        return
    first = (failure.message.strip().splitlines() or [""])[0]
    yield Finding(
        Severity.ERROR,
        f"{failure.kind} while {failure.during}: {first[:200]}",
        {"source": str(failure.source[0])} if failure.source else {},
        "the training ends here",
        "see which sizes disagree, the origin of each, and which change works"
        if failure.op or any(word in failure.message.lower() for word in SIZE_WORDS)
        else "correct the cause that the message names, at the line shown",
        place=evidence.place(failure.op),
        command=Command("browse", remark="pane Run"),
    )
