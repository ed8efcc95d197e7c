"""Records the programs again: their failures are explained as the recorded ones.

`tests.explain.test_recorded` compares those explanations with the answers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect.findings import check
from resnet_inspect.store.run import Run
from resnet_inspect.stored import failure_of
from tests.cli.preloaded import Preloaded
from tests.explain.answers import answers
from tests.explain.failures import facts_of, failed
from tests.explain.record import record
from tests.explain.scores import FINDING, NONE, as_known, scores
from tests.render.test_explanation_page import page

pytestmark = pytest.mark.tensorflow
Recorded = Callable[[str], Path]
# Two ops of a step fail, and TensorFlow reports the one that runs first.
EITHER = {"own/batch_hardcoded", "own/first_step", "threads/critic_blend"}
STALE = "to record it again: python -m tests.explain.record"


@pytest.fixture
def recorded(tensorflow_process: Preloaded, tmp_path: Path) -> Recorded:
    """Return a function that records a program and returns its run file."""
    return lambda key: record(tensorflow_process, tmp_path, answers()[key])


@pytest.mark.parametrize("key", failed())
def test_a_failure_is_explained_as_the_recorded_one(recorded: Recorded, key: str) -> None:
    with Run.open(recorded(key)) as run:
        facts = failure_of(run)
    assert facts is not None
    assert facts.explanation is not None
    expected = facts_of(key)
    if key in EITHER:
        assert all(scores(facts.explanation, answers()[key]).values())
        assert facts.changes == expected.changes
    else:
        assert facts.explanation == expected.explanation, STALE
        assert page(facts) == page(expected), STALE


@pytest.mark.parametrize("key", [key for key, answer in answers().items() if answer.kind == "none"])
def test_a_right_program_does_not_fail(recorded: Recorded, key: str) -> None:
    with Run.open(recorded(key)) as run:
        failure = run.info.failure
    as_known(key, NONE, failure is None)


@pytest.mark.parametrize(
    "key", [key for key, answer in answers().items() if answer.kind == "silent"]
)
def test_check_names_the_line_of_a_silent_mistake(recorded: Recorded, key: str) -> None:
    answer = answers()[key]
    with Run.open(recorded(key)) as run:
        findings = check(run)
    lines = {f"{answer.program.name}:{line}" for line in (answer.call_line, *answer.fault_lines)}
    texts = [str(finding) for finding in findings]
    as_known(key, FINDING, any(line in text for line in lines for text in texts))
