"""The committed recordings under tests/runs, and how to make them anew: `make record`.

They let everything that reads runs be tested without TensorFlow; a TensorFlow test records again
and compares, so they cannot drift from the program.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from resnet_inspect import api
from resnet_inspect.config import Settings
from resnet_inspect.errors import BuildError
from resnet_inspect.stats import TensorSummary
from resnet_inspect.store.run import Run

FOLDER = Path(__file__).parent / "runs"
SMALL: dict[str, Any] = {"n": 1, "batch_size": 8, "steps": 3}
TRACED: dict[str, dict[str, Any]] = {
    "v1": SMALL | {"ver": 1},
    "v2": SMALL,
    "mean_axes": SMALL | {"mean_axes": [2, 3]},
    "bn_axis": SMALL | {"bn_axis": 1},
    "no_l2": SMALL | {"weight_decay": 0.0, "taps": "res2*,dense1*"},
    "filters": SMALL | {"filters": 32},
    # A user's function: ops, but no layers.
    "own_model": {"target": "small_model.py:small", "input": "images=8,16,16,3"},
    "own": {"target": "ordered_model.py:ordered", "input": "x=2,4"},
    # Weights of 1e19 after one step: the next convolution overflows.
    "diverged": SMALL | {"learning_rate": 1e19, "taps": "res2*,bn2*,relu2*,res20_branch2a/kernel"},
}


# Programs of tests/trained, by `run`: a Keras fit, a loop with a tape, classes with two inputs.
TRAINED = ("fit", "loop", "composite")
CRASHED = ("units",)  # a fit whose exception ends the program
RECORDINGS = (*TRACED, *TRAINED, *CRASHED)


def make(name: str, folder: Path) -> Path:
    """Record `name` into a folder and return the file; a failing network is recorded too."""
    file = folder.resolve() / f"{name}.db"
    # A run contains the path of the model or program, so it must not depend on the folder.
    if name in (*TRAINED, *CRASHED):
        words = ["run", "--every", "2", "--force", "-o", str(file), f"trained/{name}.py"]
        subprocess.run(
            [sys.executable, "-m", "resnet_inspect", *words],
            cwd=FOLDER.parent,
            env=os.environ | {"PYTHONPATH": str(FOLDER.parents[1])},
            check=name in TRAINED,
            stderr=subprocess.DEVNULL if name in CRASHED else None,
        )
        return file
    with contextlib.suppress(BuildError), contextlib.chdir(FOLDER.parent):
        api.record(Settings.of(TRACED[name]), out=file, force=True)
    return file


def outputs(run: Run, layer: str) -> dict[int, TensorSummary]:
    """The summary of a layer's output at each recorded step, in order."""
    return {step: run.summaries(step)[layer] for step in run.recorded_steps()}


if __name__ == "__main__":
    for recording in sys.argv[1:] or RECORDINGS:
        print(make(recording, FOLDER))
