"""The first repair of each recorded crash lets its program run to the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_inspect.analysis.explain.explain import explain
from resnet_inspect.analysis.explain.patches import edited_text, grouped
from tests.explain.execution import Job, Outcome, outcomes
from tests.explain.recorder import crash, names

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The outcomes of copies of the programs with their first repair."""
    folder = tmp_path_factory.mktemp("repaired")
    jobs = [Job(str(patched(name, folder))) for name in names()]
    return dict(zip(names(), outcomes(jobs, old=False), strict=True))


def patched(name: str, folder: Path) -> Path:
    """Return a copy of a program with its first repair."""
    recorded = crash(name)
    first = explain(recorded).repairs[0]
    file = f"{name}.py"
    (edits,) = grouped(first.edits).values()
    copy = folder / file
    copy.write_text(edited_text(recorded.files[file], edits), encoding="utf-8")
    return copy


@pytest.mark.parametrize("name", names())
def test_the_first_repair_lets_a_program_run(repaired: dict[str, Outcome], name: str) -> None:
    assert repaired[name] == Outcome(), repaired[name].message
