"""A process that has the program loaded and forks for each command.

A command takes a tenth of the time of a new interpreter. Streams, folder, environment and exit
code are as in a new process. With TensorFlow, the process has also imported TensorFlow and Keras.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from tests.frameworks import FAKES, PACKAGE

TIMEOUT = 300  # seconds for one command
FRAMEWORKS = ("tensorflow", "keras", "resnet_inspect.tracers.tensorflow.fit.keras_recorder")
APART = ("resnet_inspect.tracers.tensorflow", "resnet_inspect.__main__")


class Preloaded:
    """The process; without `tensorflow`, TensorFlow raises on import in it."""

    def __init__(self, *, tensorflow: bool = False) -> None:
        places = [str(PACKAGE)] if tensorflow else [str(FAKES), str(PACKAGE)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.preloaded", *(["tensorflow"] * tensorflow)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(places), "TF_CPP_MIN_LOG_LEVEL": "2"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, words: Sequence[str], cwd: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line of the program."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("out", "err")]
            request = {
                "words": list(words),
                "cwd": str(cwd),
                "environment": dict(environment),
                "files": list(map(str, files)),
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            out, err = (file.read_text(encoding="utf-8") for file in files)
        return subprocess.CompletedProcess(list(words), code, out, err)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def _serve() -> None:
    """Run the command lines that come in, each in a fork, and write exit codes."""
    for file in sorted((PACKAGE / "resnet_inspect").rglob("*.py")):
        name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        if not name.startswith(APART):
            import_module(name.removesuffix(".__init__"))
    for name in FRAMEWORKS if sys.argv[1:] else ():
        import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(words: list[str], cwd: str, environment: dict[str, str], files: list[str]) -> NoReturn:
    main: Any = import_module("resnet_inspect.cli.main").main
    code = 1
    try:
        signal.alarm(TIMEOUT)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, file in enumerate(files, 1):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(  # noqa: SIM115
            2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False
        )
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = [str(PACKAGE / "resnet_inspect" / "__main__.py"), *words]
        sys.path.insert(0, "")
        code = main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
