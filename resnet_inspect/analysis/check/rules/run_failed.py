"""The run failed: the network could not be built, or a step raised an error.

Reports the error that ended the run.
Threshold: the run ended with an error of the framework or the model. Error.
Background: the framework's own message. Other findings may show the cause. For sizes that disagree,
`check`, `browse` and `report` show the origin of each size and the changes that work.
Not reported: if the run completed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

# The op in TensorFlow's notation. The finding names it as its place.
OP_TEXT = re.compile(r" for '\{\{node [^}]+\}\} = [^']*'")
SIZE_WORDS = ("shape", "dimension", "size")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    failure = evidence.failure
    if failure is None:
        return
    first = OP_TEXT.sub("", (failure.message.strip().splitlines() or [""])[0])
    sizes = failure.op or any(word in failure.message.lower() for word in SIZE_WORDS)
    line = f"{failure.source[0].file}:{failure.source[0].line}" if failure.source else ""
    yield Finding(
        Severity.ERROR,
        f"the run failed while {failure.during}: {failure.kind}: {first[:200]}",
        {"line": line} if line else {},
        "steps after the error were not recorded",
        "change one of the sizes that disagree, then run again"
        if sizes
        else f"correct the error{f' at {line}' if line else ''}, then run again",
        place=evidence.place(failure.op),
        command=Command("browse", remark="key 5: pane Run"),
    )
