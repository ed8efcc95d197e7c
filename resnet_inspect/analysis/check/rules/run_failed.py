"""The run failed: the network could not be built, or a step raised an error.

Reports the error that ended the run.
Threshold: the run ended with an error of the framework or the model. Error.
Background: the framework's own message, or the explanation of the recorded crash. Other findings
may show the cause. `explain`, `browse` and `report` show the origin of each size and changes that
should work.
Not reported: if the run completed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.explain.explanation import Explanation
from resnet_inspect.analysis.page.failure import failure_facts
from resnet_inspect.commands import Command
from resnet_inspect.graph import Failure

# The op in TensorFlow's notation. The finding names it as its place.
OP_TEXT = re.compile(r" for '\{\{node [^}]+\}\} = [^']*'")
SIZE_WORDS = ("shape", "dimension", "size")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    failure = evidence.failure
    if failure is None:
        return
    explanation = failure_facts(failure, evidence.graph, evidence.lineage).explanation
    line = f"{failure.source[0].file}:{failure.source[0].line}" if failure.source else ""
    text, change = _error(failure), ""
    if explanation is not None:
        text, call, change = explanation.verdict, explanation.call, _change(explanation)
        line = f"{call.file}:{call.line}" if call is not None else line
    for correction in evidence.lineage.corrections:
        change = f"build the network with {correction.text}"
    yield Finding(
        Severity.ERROR,
        f"the run failed while {failure.during}: {text}",
        {"line": line} if line else {},
        "steps after the error were not recorded",
        change or _usual_fix(failure, line),
        place=evidence.place(failure.op),
        command=Command("explain"),
    )


def _error(failure: Failure) -> str:
    """The first line of the message, without the op in TensorFlow's notation."""
    first = OP_TEXT.sub("", (failure.message.strip().splitlines() or [""])[0])
    return f"{failure.kind}: {first[:200]}"


def _usual_fix(failure: Failure, line: str) -> str:
    sizes = failure.op or any(word in failure.message.lower() for word in SIZE_WORDS)
    if sizes and failure.crash is None:
        return "change one of the sizes that disagree, then run again"
    return f"correct the error{f' at {line}' if line else ''}, then run again"


def _change(explanation: Explanation) -> str:
    """The best suggested change, else the lines that set the sizes; empty if they are unknown."""
    for repair in explanation.repairs:
        return f"{repair.title}, {repair.line.file}:{repair.line.line}"
    places = [
        f"{size.size} at {size.line.file}:{size.line.line}"
        for size in explanation.sizes
        if size.line is not None
    ]
    return f"change {' or '.join(places)}, then run again" if places else ""
