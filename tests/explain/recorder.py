"""Records the crashes of the programs in `repairable`, each in a forked process.

Use `python -m tests.explain.recorder [NAME…]`; without names it records all programs.
"""

from __future__ import annotations

import gzip
import os
import runpy
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from resnet_inspect.graph.crash import Crash

PROGRAMS = Path(__file__).parent / "repairable"
CRASHES = Path(__file__).parent / "crashes"


def names() -> list[str]:
    """Return the names of the programs."""
    return sorted(file.stem for file in PROGRAMS.glob("*.py"))


def crash(name: str) -> Crash:
    """Return the recorded crash of a program."""
    data = gzip.decompress((CRASHES / f"{name}.json.gz").read_bytes())
    return msgspec.json.decode(data, type=Crash)


def main() -> None:
    """Record crashes with one import of TensorFlow."""
    import keras
    import tensorflow as tf

    from resnet_inspect.tracers.crash_hooks import hook_keras, hook_tensorflow

    hook_tensorflow(tf)
    hook_keras(keras)
    os.chdir(PROGRAMS)
    for name in sys.argv[1:] or names():
        child = os.fork()
        if child == 0:
            os._exit(_recorded(name))
        _, status = os.waitpid(child, 0)
        print(name, "recorded" if status == 0 else "did not fail", flush=True)


def _recorded(name: str) -> int:
    """Write the crash of a program and return 0; 1 if it does not fail."""
    from resnet_inspect.tracers.tensorflow.failures.crash import crash_of

    for error in _errors(name):
        data = msgspec.json.encode(crash_of(error))
        (CRASHES / f"{name}.json.gz").write_bytes(gzip.compress(data, mtime=0))
        return 0
    return 1


def _errors(name: str) -> Iterator[BaseException]:
    """Yield the exception of a program, which runs in a thread without frames of this module."""
    errors: list[Any] = []
    threading.excepthook = lambda args: errors.append(args.exc_value)
    thread = threading.Thread(
        target=runpy.run_path, args=(f"{name}.py",), kwargs={"run_name": "__main__"}
    )
    thread.start()
    thread.join()
    yield from errors


if __name__ == "__main__":
    main()
