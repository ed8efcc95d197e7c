"""`fix` on programs with known answers, and on right programs, which it leaves as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.shape_errors.results import read
from tests.cli.preloaded import Preloaded
from tests.explain.answers import FOLDER, answers
from tests.explain.proofs import fixed, run_fix, traced

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]
CORRECT = sorted((FOLDER / "correct").glob("*.py"))
# A third of the programs: all kinds of failures and of repairs, at all times.
SCRIPTS = [
    "own/no_flatten",
    "own/unet_odd",
    "own/batch_hardcoded",
    "own/dict_inputs",
    "own/embedding_range",
    "own/mixed_precision",
    "own/session_feed",
    "own/predict_one",
    "threads/two_class_labels",
    "threads/price_windows",
    "threads/sparse_signal",
    "threads/quantile_agent",
    "threads/tf1_batch_labels",
    "threads/tf1_deep_digits",
]
FUNCTIONS = ["own/tf1_own_placeholder", "own/trace_cause_lost"]
STALE = "to search again: python -m docs.shape_errors"


@pytest.mark.parametrize("key", SCRIPTS)
def test_the_first_repair_that_passes_is_the_listed_one(tmp_path: Path, key: str) -> None:
    assert fixed(tmp_path, answers()[key]) == read()[key], STALE


@pytest.mark.parametrize("key", FUNCTIONS)
def test_a_function_is_traced_with_the_listed_repair(
    tmp_path: Path, tensorflow_process: Preloaded, key: str
) -> None:
    assert traced(tensorflow_process, tmp_path, answers()[key]) == read()[key], STALE


@pytest.mark.parametrize("program", CORRECT, ids=lambda program: program.stem)
def test_a_right_program_has_nothing_to_fix(tmp_path: Path, program: Path) -> None:
    copy = tmp_path / program.name
    copy.write_bytes(program.read_bytes())
    done = run_fix(tmp_path, "--apply", program.name)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"nothing to fix: {program.name} ran")
    assert done.stdout.endswith("without an error\n")
    assert ("training step" in done.stdout) == (program.stem != "no_training")
    assert copy.read_bytes() == program.read_bytes()
    assert list(tmp_path.iterdir()) == [copy]
