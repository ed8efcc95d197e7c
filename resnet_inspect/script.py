"""Runs somebody's script in this process as Python itself would, with a hook on one import.

Owns `sys.argv`, `sys.path[0]`, `__main__` and tracebacks; knows nothing of what is recorded.
"""

from __future__ import annotations

import atexit
import builtins
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

PACKAGE = f"{Path(__file__).parent}{os.sep}"
EXIT_FAILED = 1


def run(script: str, words: Sequence[str]) -> tuple[int, BaseException | None]:
    """Run the file at the path `script` with these arguments; returns its exit code and what it
    ended with, if that was an exception other than SystemExit, which is raised as it is.

    An exception is shown as Python shows it, without the frames of this program. After Ctrl-C the
    process will end by that signal, as Python's own does.
    """
    sys.argv = [script, *words]
    sys.path[0] = str(Path(script).resolve().parent)
    ending = _Ending()
    atexit.register(ending)  # first in, so last out: after all that the script registers
    try:
        _as_main(os.path.join(os.getcwd(), script))  # noqa: PTH109, PTH118 - kept as written
    except SystemExit:
        raise
    except BaseException as error:
        _strip(error, set())
        sys.excepthook(type(error), error, error.__traceback__)
        ending.interrupted = isinstance(error, KeyboardInterrupt)
        return EXIT_FAILED, error
    return 0, None


def _as_main(file: str) -> None:
    """Run a file as `__main__`, which stays: what is pickled later is looked up there.

    runpy would do it, too, but tells the script another `sys.argv[0]` or another `__file__`.
    """
    module = ModuleType("__main__")
    loader = SourceFileLoader("__main__", file)
    vars(module).update(__file__=file, __builtins__=builtins, __cached__=None, __loader__=loader)
    sys.modules["__main__"] = module
    with io.open_code(file) as source:
        code = compile(source.read(), file, "exec", dont_inherit=True)
    exec(code, vars(module))


class _Ending:
    """Ends the process by SIGINT if the script was interrupted, so that its caller knows."""

    interrupted = False

    def __call__(self) -> None:
        if self.interrupted:
            sys.stdout.flush()
            sys.stderr.flush()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)


def _strip(error: BaseException | None, done: set[int]) -> None:
    """Take the frames of this program out of the tracebacks of an error and those behind it."""
    while error is not None and id(error) not in done:
        done.add(id(error))
        error.__traceback__ = _stripped(error.__traceback__)
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                _strip(one, done)
        _strip(error.__cause__, done)
        error = error.__context__


def _stripped(trace: TracebackType | None) -> TracebackType | None:
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    kept = [one for one in frames if not one.tb_frame.f_code.co_filename.startswith(PACKAGE)]
    for one, after in zip(kept, [*kept[1:], None], strict=False):
        one.tb_next = after
    return kept[0] if kept else None


def after_import(name: str, action: Callable[[ModuleType], None]) -> None:
    """Call `action` with the module `name` once it has been imported, by whomever."""
    if name in sys.modules:
        action(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Finder(name, action))


class _Finder(MetaPathFinder):
    """Finds one module where the others find it, and adds something to its loading."""

    def __init__(self, name: str, action: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._action = action

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """The spec of the module, with a loader that calls the action."""
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self._action)
                return spec
        return None


class _Loader(Loader):
    """A module's own loader, and then an action."""

    def __init__(self, loader: Any, action: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._action = action

    def __getattr__(self, name: str) -> Any:
        """Whatever else the loader can do."""
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> Any:
        """As the loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the loader does; the module gets its own loader back before the action."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._action(module)
