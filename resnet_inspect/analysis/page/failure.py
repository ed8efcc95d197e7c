"""What is known about the failure of a run: the explanation of its crash, the rejected call."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resnet_inspect.analysis.explain.changes import Change, changes
from resnet_inspect.analysis.explain.explain import explain
from resnet_inspect.analysis.explain.explanation import Explanation
from resnet_inspect.analysis.sizes.disagreement import Postmortem, postmortem
from resnet_inspect.commands import Command
from resnet_inspect.config import Settings
from resnet_inspect.config.settings import Fit, Loop
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.lineage import Correction, Lineage

MODULE_FLAG = "-m "


class FailureFacts(msgspec.Struct, frozen=True):
    """The facts about a failure, without repetition.

    Attributes:
        failure: the error.
        explanation: the explanation of the crash; None if no crash was recorded.
        changes: the lines that its first repair changes.
        fix: the command that tests its repairs; None if there is none.
        postmortem: the explanation of the rejected call by the lineage of its sizes. None without
            one, and if `explanation` names the two sizes.
        corrections: settings with which the network builds, if `postmortem` is None.
    """

    failure: Failure
    explanation: Explanation | None = None
    changes: tuple[Change, ...] = ()
    fix: Command | None = None
    postmortem: Postmortem | None = None
    corrections: tuple[Correction, ...] = ()


def failure_facts(
    failure: Failure, settings: Settings, graph: Graph, lineage: Lineage
) -> FailureFacts:
    """Return the facts about the failure of a run."""
    rejected = postmortem(graph, lineage)
    explanation = explain(failure.crash) if failure.crash is not None else None
    if explanation is None or failure.crash is None:
        return FailureFacts(failure, postmortem=rejected)
    first = explanation.repairs[:1]
    return FailureFacts(
        failure,
        explanation,
        changes=tuple(c for repair in first for c in changes(repair, failure.crash.files)),
        fix=_fix(settings) if first else None,
        postmortem=None if explanation.sizes else rejected,
        corrections=lineage.corrections if explanation.sizes else (),
    )


def _fix(settings: Settings) -> Command | None:
    """The command that tests repairs of the program of a run."""
    subject = settings.subject
    if not isinstance(subject, Fit | Loop):
        return None
    if subject.target.startswith(MODULE_FLAG):
        return Command("fix", options=("-m", subject.target.removeprefix(MODULE_FLAG)))
    return Command("fix", (Path(subject.target),)) if subject.target.endswith(".py") else None
