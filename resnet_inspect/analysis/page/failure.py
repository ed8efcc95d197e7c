"""What is known about the failure of a run: the explanation of its crash, the rejected call."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resnet_inspect.analysis.explain.changes import Change, changes
from resnet_inspect.analysis.explain.explanation import Explanation, Kind
from resnet_inspect.analysis.sizes.dangers import Danger
from resnet_inspect.analysis.sizes.disagreement import Postmortem, postmortem
from resnet_inspect.commands import Command
from resnet_inspect.config import Settings
from resnet_inspect.config.settings import Fit, Loop, Tutorial
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.crash import Crash
from resnet_inspect.graph.lineage import Correction, Lineage

MODULE_FLAG = "-m "


class FailureFacts(msgspec.Struct, frozen=True):
    """The facts about a failure, without repetition.

    Attributes:
        failure: the error.
        explanation: the explanation of the crash; None if no crash was recorded, and if
            `postmortem` knows more.
        changes: the lines that its first repair changes.
        fix: the command that tests its repairs; None if there is none.
        postmortem: the explanation of the rejected call by the lineage of its sizes. None without
            one, and if `explanation` names the two sizes or another kind of failure.
        dangers: probable mistakes with axes, if neither `postmortem` nor `explanation` names any.
        corrections: settings with which the network builds, if `postmortem` is None.
    """

    failure: Failure
    explanation: Explanation | None = None
    changes: tuple[Change, ...] = ()
    fix: Command | None = None
    postmortem: Postmortem | None = None
    dangers: tuple[Danger, ...] = ()
    corrections: tuple[Correction, ...] = ()


def failure_facts(
    failure: Failure, graph: Graph, lineage: Lineage, settings: Settings | None = None
) -> FailureFacts:
    """Return the facts about the failure of a run. Without `settings` they have no command."""
    rejected, crash = postmortem(graph, lineage), failure.crash
    if crash is None:
        return FailureFacts(failure, postmortem=rejected)
    from resnet_inspect.analysis.explain.explain import explain  # many modules, for failures only

    explanation = explain(crash)
    if explanation.sizes:
        unnamed = rejected is not None and not explanation.earlier
        facts = FailureFacts(
            failure,
            explanation,
            dangers=rejected.dangers if rejected is not None and unnamed else (),
            corrections=lineage.corrections,
        )
    elif rejected is not None and explanation.kind is Kind.OTHER:
        return FailureFacts(failure, postmortem=rejected)
    else:  # no shapes were rejected if the element types or the names of inputs are wrong
        shown = rejected if explanation.kind is Kind.SHAPE else None
        facts = FailureFacts(failure, explanation, postmortem=shown)
    return _with_repairs(facts, explanation, crash, settings)


def _with_repairs(
    facts: FailureFacts, explanation: Explanation, crash: Crash, settings: Settings | None
) -> FailureFacts:
    """The facts with the first repair. The code of the tutorial's network is not to be changed."""
    subject = settings.subject if settings is not None else None
    if isinstance(subject, Tutorial):
        explanation = msgspec.structs.replace(explanation, repairs=())
    changed = tuple(c for repair in explanation.repairs[:1] for c in changes(repair, crash.files))
    fix = _fix(settings, crash) if settings is not None and explanation.repairs else None
    return msgspec.structs.replace(facts, explanation=explanation, changes=changed, fix=fix)


def _fix(settings: Settings, crash: Crash) -> Command | None:
    """The command that tests repairs of the program of a run; None for a notebook or `trace`."""
    subject = settings.subject
    if not isinstance(subject, Fit | Loop):
        return None
    if subject.target.startswith(MODULE_FLAG):
        return Command("fix", options=("-m", subject.target.removeprefix(MODULE_FLAG)))
    script = Path(subject.target)
    is_script = script.name in {Path(file).name for file in crash.files}
    return Command("fix", (script,)) if is_script else None
