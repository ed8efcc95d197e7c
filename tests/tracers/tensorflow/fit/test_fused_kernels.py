"""Steps that TensorFlow rewrites as it likes: with taps it does so no less, and no more.

oneDNN has kernels for a convolution or product with its bias and activation at once, and TensorFlow
takes sums of gradients apart in steps that need much memory. oneDNN is switched on before
TensorFlow is imported, so the trainings are programs of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_inspect.store.run import Run

PLACE = Path(__file__).parents[4]
KINDS = (
    "partly_frozen",
    "sum_near_limit",
    "product_and_tanh",
    "generator",
    "swish_and_dropout",
    "gelu_of_any_batch",
)


def trained(*folder: str) -> dict[str, str]:
    """Digests of weights by kind."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.tracers.tensorflow.fit.fused_kernels", *folder],
        cwd=PLACE,
        env=dict(os.environ) | {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str], Path]:
    """The digests without and with recording, and the folder of the runs."""
    folder = tmp_path_factory.mktemp("fused")
    return trained(), trained(str(folder)), folder


@pytest.mark.parametrize("kind", KINDS)
def test_training_is_the_same_to_the_bit(
    kind: str, both: tuple[dict[str, str], dict[str, str], Path]
) -> None:
    plain, recorded, folder = both
    assert recorded[kind] == plain[kind]
    with Run.open(folder / f"{kind}.db") as run:
        notes = {note.subject: note.text for note in run.graph.notes}
        assert not {"taps", "sums"} & set(notes)
        assert run.summaries(0)


def test_a_step_beyond_the_limit_says_so(
    both: tuple[dict[str, str], dict[str, str], Path],
) -> None:
    with Run.open(both[2] / "sum_beyond_limit.db") as run:
        assert "in the order in which they are ready" in str(run.graph.notes)
