"""Runs programs in children of a process that imported TensorFlow.

Use `python -m tests.explain.execution`.

Standard input is a JSON list of jobs. Each result is a JSON line on standard output. The package
resnet_inspect is not imported, so that results do not depend on it.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import runpy
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 180  # seconds for one program


@dataclass(frozen=True, slots=True)
class Job:
    """A program to run; `target` is the function to call, with `inputs` as for --input."""

    file: str
    target: str | None = None
    inputs: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    `raised` is the user's innermost line in the traceback. `written` is the user's line that
    wrote the failing op, or the innermost line of the exception that was first.
    """

    error: str | None = None
    message: str = ""
    raised: int | None = None
    written: int | None = None


def outcomes(jobs: Sequence[Job], *, old: bool) -> list[Outcome]:
    """Run the programs in a new process; with `old`, tensorflow has the TensorFlow 1 API."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.explain.execution", *(["--old"] if old else [])],
        input=json.dumps([asdict(job) for job in jobs]),
        env=os.environ
        | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        | ({"TF_USE_LEGACY_KERAS": "1"} if old else {}),
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [Outcome(**json.loads(line)) for line in finished.stdout.splitlines()]


def main() -> None:
    """Import TensorFlow, then run each job in a child process."""
    old = "--old" in sys.argv
    prepare(old)
    for job in [Job(**fields) for fields in json.load(sys.stdin)]:
        print(json.dumps(asdict(in_child(job, old))), flush=True)


def prepare(old: bool) -> None:
    """Import what the programs import."""
    import tensorflow as tf

    if old:
        # Without this attribute tf.layers would import tf_keras while tensorflow is replaced.
        _ = tf.compat.v1.layers.dense
    else:
        import keras  # noqa: F401


def in_child(job: Job, old: bool) -> Outcome:
    """The outcome of a program that runs in a forked process without output."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        try:
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                json.dump(asdict(outcome(job, old)), pipe)
        finally:
            os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], TIMEOUT)
    if not ready:
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    if not text:
        return Outcome("Stopped", f"no result after {TIMEOUT} s" if not ready else "crashed")
    return Outcome(**json.loads(text))


def outcome(job: Job, old: bool) -> Outcome:
    """Run a program in this process."""
    try:
        (run_old if old else run)(job)
    except BaseException as error:
        raised = innermost(error, job.file)
        return Outcome(type(error).__name__, str(error)[-4000:], raised, written(error, job.file))
    return Outcome()


def run(job: Job) -> None:
    """Run a script, or call a function that returns a Keras model, and the model."""
    import numpy as np

    names = runpy.run_path(job.file, run_name="__main__" if job.target is None else "program")
    if job.target is not None:
        model = names[job.target]()
        for shape in sizes(job.inputs).values():
            model(np.zeros(shape, np.float32))


def run_old(job: Job) -> None:
    """Build the graph of a function of TensorFlow 1 and run its result once."""
    import numpy as np
    import tensorflow as tf

    assert job.target is not None
    v1 = tf.compat.v1
    v1.disable_v2_behavior()
    shapes, placeholder = sizes(job.inputs), v1.placeholder

    def with_shape(dtype: Any, shape: Any = None, name: str | None = None) -> Any:
        return placeholder(dtype, shapes.get(name or "") if shape is None else shape, name)

    sys.modules["tensorflow"], v1.placeholder = v1, with_shape
    try:
        function = runpy.run_path(job.file, run_name="program")[job.target]
    finally:
        sys.modules["tensorflow"] = tf
    given = inspect.signature(function).parameters
    placeholders = {name: v1.placeholder(tf.float32, shapes[name], name) for name in given}
    result = function(*placeholders.values())
    if not tf.is_tensor(result):
        return
    graph = v1.get_default_graph()
    feeds = {
        graph.get_tensor_by_name(f"{name}:0"): np.random.rand(*shape)
        for name, shape in shapes.items()
    }
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        session.run(result, feeds)


def sizes(inputs: str) -> dict[str, list[int]]:
    """The sizes by name of a text such as `x=8,20:float32; keep=`."""
    parts = [part.strip().partition("=") for part in inputs.split(";") if part.strip()]
    return {
        name: [int(size) for size in text.partition(":")[0].split(",") if size]
        for name, _, text in parts
    }


def innermost(error: BaseException, file: str) -> int | None:
    """The last line of the file in the traceback of an exception."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)


def written(error: BaseException, file: str) -> int | None:
    """The line of the file that wrote the failing op, or that raised the first exception."""
    op: Any = getattr(error, "op", None)
    if op is not None:
        lines = [frame.lineno for frame in op.traceback if frame.filename == file]
    else:
        lines = [int(text) for text in re.findall(rf'"{re.escape(file)}", line (\d+)', str(error))]
    if lines:
        return int(lines[-1])
    return next(filter(None, (innermost(cause, file) for cause in causes(error))), None)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exceptions that led to an exception, the first of them first."""
    earlier = error.__cause__ or error.__context__
    if earlier is not None:
        yield from causes(earlier)
    yield error


if __name__ == "__main__":
    main()
