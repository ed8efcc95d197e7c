"""What is shown about a failure: the explanation of the crash, and facts that it lacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from resnet_inspect.analysis.explain.explanation import Kind
from resnet_inspect.analysis.page.failure import failure_facts
from resnet_inspect.analysis.sizes.dangers import DangerKind
from resnet_inspect.commands import Command
from resnet_inspect.config import Settings
from resnet_inspect.config.settings import Fit, Loop, TracedModel
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.crash import Crash
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.store.run import Run
from resnet_inspect.stored import failure_of
from tests.crashes import EXAMPLES

Open = Callable[[str], Run]
NOTHING = Crash("ValueError", "no", "no")


def failure_in(run: Run, crash: Crash | None = None) -> Failure:
    """The failure of a run, with another crash."""
    assert run.info.failure is not None
    return msgspec.structs.replace(run.info.failure, crash=crash or run.info.failure.crash)


def test_a_crash_is_explained_with_its_repairs(recording: Open) -> None:
    facts = failure_of(recording("units"))
    assert facts is not None
    assert facts.explanation is not None
    assert facts.explanation.kind is Kind.SHAPE
    assert [size.size for size in facts.explanation.sizes] == [4, 3]
    assert [(change.before, change.after) for change in facts.changes] == [
        (('layers.Dense(4, name="output"),',), ('layers.Dense(3, name="output"),',))
    ]
    assert facts.fix == Command("fix", (Path("trained/units.py"),))
    assert (facts.postmortem, facts.dangers, facts.corrections) == (None, (), ())


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        (Settings(subject=Loop("units.py")), Command("fix", (Path("units.py"),))),
        (Settings(subject=Fit("~/a/units.py")), Command("fix", (Path("~/a/units.py"),))),
        (Settings(subject=Fit("-m a.units")), Command("fix", options=("-m", "a.units"))),
        (Settings(subject=Fit("other.py")), None),
        (Settings(subject=Fit("units.ipynb")), None),
        (Settings(subject=TracedModel("units.py:build")), None),
        (None, None),
    ],
)
def test_the_command_that_tests_repairs(
    recording: Open, settings: Settings | None, fix: Command | None
) -> None:
    run = recording("units")
    facts = failure_facts(failure_in(run), run.graph, run.lineage, settings)
    assert facts.changes
    assert facts.fix == fix


def test_the_code_of_the_tutorial_is_not_repaired(recording: Open) -> None:
    run, tutorial = recording("units"), Settings()
    facts = failure_facts(failure_in(run), run.graph, run.lineage, tutorial)
    assert facts.explanation is not None
    assert facts.explanation.repairs == ()
    assert facts.changes == ()
    assert facts.fix is None


def test_settings_and_mistakes_with_axes_are_added_to_the_sizes(recording: Open) -> None:
    crash = failure_in(recording("units")).crash
    run = recording("mean_axes")
    facts = failure_facts(failure_in(run, crash), run.graph, run.lineage, run.info.settings)
    assert facts.explanation is not None
    assert facts.postmortem is None
    assert [correction.text for correction in facts.corrections] == [
        "--mean-axes 1,2 instead of 2,3"
    ]
    assert [danger.kind for danger in facts.dangers] == [DangerKind.REDUCED, DangerKind.MIXED]


def test_the_rejected_call_is_shown_if_the_crash_has_no_explanation(recording: Open) -> None:
    run = recording("mean_axes")
    facts = failure_facts(failure_in(run, NOTHING), run.graph, run.lineage, run.info.settings)
    assert facts.explanation is None
    assert facts.postmortem is not None
    assert (facts.dangers, facts.corrections) == ((), ())


def test_no_rejected_call_is_shown_if_element_types_disagree(recording: Open) -> None:
    run = recording("mean_axes")
    crash = EXAMPLES["dtype"].failure.crash
    facts = failure_facts(failure_in(run, crash), run.graph, run.lineage, run.info.settings)
    assert facts.explanation is not None
    assert (facts.explanation.kind, facts.postmortem) == (Kind.DTYPE, None)


def test_a_crash_without_sizes_and_without_a_rejected_call() -> None:
    failure = Failure("ValueError", "no", "running step 0", crash=NOTHING)
    facts = failure_facts(failure, Graph(()), Lineage(), Settings(subject=Fit("a.py")))
    assert facts.explanation is not None
    assert facts.explanation.sizes == ()
    assert facts.postmortem is None


def test_without_a_crash_the_rejected_call_is_all(recording: Open) -> None:
    run = recording("filters")
    failure = msgspec.structs.replace(failure_in(run), crash=None)
    facts = failure_facts(failure, run.graph, run.lineage)
    assert facts.explanation is None
    assert facts.postmortem is not None
