"""Python itself proves the answers: the programs fail where they say, and repaired they run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.explain.answers import Answer, answers
from tests.explain.execution import Job, Outcome, outcomes

pytestmark = pytest.mark.tensorflow
REPAIRS = [
    (key, number) for key, answer in answers().items() for number in range(len(answer.repairs))
]


def job(answer: Answer, file: Path) -> Job:
    return Job(str(file), answer.target, answer.inputs)


def run(jobs: dict[str, Job]) -> dict[str, Outcome]:
    """The outcomes of jobs by their names; programs for TensorFlow 1 run in a second process."""
    results: dict[str, Outcome] = {}
    for old in (True, False):
        chosen = {name: job for name, job in jobs.items() if answers()[key_of(name)].old == old}
        results |= zip(chosen, outcomes(list(chosen.values()), old=old), strict=True)
    return results


def key_of(name: str) -> str:
    return name.partition(" ")[0]


@pytest.fixture(scope="module")
def failures() -> dict[str, Outcome]:
    """The outcomes of all programs as they are written."""
    return run({key: job(answer, answer.program) for key, answer in answers().items()})


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The outcomes of copies of the programs, each with one of its repairs."""
    folder = tmp_path_factory.mktemp("repaired")
    jobs = {}
    for key, number in REPAIRS:
        answer = answers()[key]
        copy = folder / f"{number}" / f"{key}.py"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(answer.repairs[number].applied(answer.source), encoding="utf-8")
        jobs[f"{key} {number}"] = job(answer, copy)
    return run(jobs)


@pytest.mark.parametrize("key", answers())
def test_a_program_fails_as_its_answer_says(failures: dict[str, Outcome], key: str) -> None:
    answer, outcome = answers()[key], failures[key]
    assert outcome.error == answer.error, outcome.message
    if answer.error is not None:
        called_here = answer.when == "session" and answer.target is not None
        assert outcome.raised == (None if called_here else answer.raised_line), outcome.message
        assert outcome.written in {answer.call_line, answer.reported_line}, outcome.message


@pytest.mark.parametrize(("key", "number"), REPAIRS, ids=[f"{key}-{n}" for key, n in REPAIRS])
def test_a_repaired_program_runs_to_its_end(
    repaired: dict[str, Outcome], key: str, number: int
) -> None:
    outcome = repaired[f"{key} {number}"]
    assert outcome == Outcome(), outcome.message
