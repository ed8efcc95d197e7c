"""Starts a program as `__main__`: a file, a folder, a module (`-m`) or a notebook."""

from __future__ import annotations

import atexit
import builtins
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from resnet_inspect.commands import Command
from resnet_inspect.errors import UsageError
from resnet_inspect.script.notebook import Notebook
from resnet_inspect.script.replacements import code_of
from resnet_inspect.script.tracebacks import strip

EXIT_FAILED = 1
NOTEBOOK = ".ipynb"


class Program:
    """A program to run: `name` as the user wrote it, and `label`, a short name for its runs."""

    def __init__(self, name: str, label: str, start: Callable[[ModuleType], None]) -> None:
        self.name = name
        self.label = label
        self.start = start


def program_of(name: str, *, module: bool = False, say: Callable[[str], None] = print) -> Program:
    """The program with this name.

    Args:
        name: a path, or a dotted module name with `module`.
        module: whether `name` is a module.
        say: receives a text for each line of a notebook that is skipped.

    Raises:
        UsageError: the file does not exist.
    """
    if module:
        return Program(name, name.removesuffix(".__main__"), lambda main: _run_module(name, main))
    path = Path(name)
    if path.is_dir() and (path / "__main__.py").is_file():
        return Program(name, path.resolve().name, lambda main: _run_folder(name, main))
    if not path.is_file():
        raise UsageError(
            "the script does not exist",
            where=name,
            expected="a Python file, a notebook, a folder with __main__.py, or -m MODULE",
            got="a folder without __main__.py" if path.is_dir() else "nothing",
            fix=("write, for example: ", Command("run", ("train.py",))),
        )
    if path.suffix.lower() == NOTEBOOK:
        notebook = Notebook.read(name)
        return Program(name, path.stem, lambda main: _run_notebook(notebook, main, say))
    return Program(name, path.stem, lambda main: _run_file(name, main))


def run(program: Program, arguments: Sequence[str]) -> tuple[int, BaseException | None]:
    """Run the program; returns its exit code and the exception that ended it, if any.

    SystemExit is raised unchanged. Other exceptions are printed as Python prints them, without
    frames of this package. After Ctrl-C the process ends by SIGINT, as Python does.
    """
    sys.argv = [program.name, *arguments]
    ending = _Ending()
    atexit.register(ending)  # registered first, called after the functions of the script
    main = ModuleType("__main__")
    vars(main).update(__builtins__=builtins)
    sys.modules["__main__"] = main  # not restored: pickle looks up names there later
    try:
        program.start(main)
    except (SystemExit, UsageError):
        raise
    except BaseException as error:
        strip(error)
        # As the interpreter does before it prints an error; some programs read these at exit.
        sys.last_type, sys.last_value, sys.last_traceback = (
            type(error),
            error,
            error.__traceback__,
        )
        sys.excepthook(type(error), error, error.__traceback__)
        ending.interrupted = isinstance(error, KeyboardInterrupt)
        return EXIT_FAILED, error
    return 0, None


def _run_file(name: str, main: ModuleType) -> None:
    """Run a file. runpy would set another `sys.argv[0]` or `__file__`."""
    _first_on_path(str(Path(name).resolve().parent))
    file = os.path.join(os.getcwd(), name)  # noqa: PTH109, PTH118 - kept as written
    loader = SourceFileLoader("__main__", file)
    vars(main).update(__file__=file, __cached__=None, __loader__=loader)
    exec(code_of(file), vars(main))


def _run_folder(name: str, main: ModuleType) -> None:
    """Run `__main__.py` of a folder as `python FOLDER` does."""
    folder = os.path.join(os.getcwd(), name)  # noqa: PTH109, PTH118 - kept as written
    _first_on_path(folder)
    file = os.path.join(folder, "__main__.py")  # noqa: PTH118
    code = code_of(file)
    loader = SourceFileLoader("__main__", file)
    vars(main).update(__file__=file, __cached__=None, __loader__=loader, __package__="")
    exec(code, vars(main))


def _run_module(name: str, main: ModuleType) -> None:
    """Run a module as `python -m NAME` does."""
    sys.argv[0] = "-m"  # the value during the import of parent packages
    _first_on_path(str(Path.cwd()))
    spec, code = _module_code(name)
    sys.argv[0] = str(spec.origin)
    vars(main).update(
        __file__=spec.origin,
        __cached__=spec.cached,
        __loader__=spec.loader,
        __package__=spec.parent,
        __spec__=spec,
    )
    exec(code, vars(main))


def _module_code(name: str) -> tuple[ModuleSpec, CodeType]:
    """The spec and the code of a module, or of a package's `__main__`."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        spec = None
    if spec is not None and spec.submodule_search_locations is not None:
        if name.endswith(".__main__"):
            raise _no_module(name)
        return _module_code(f"{name}.__main__")
    loader: Any = spec.loader if spec is not None else None
    code = loader.get_code(name) if hasattr(loader, "get_code") else None
    if spec is None or code is None:
        raise _no_module(name)
    return spec, code


def _no_module(name: str) -> UsageError:
    package = name.removesuffix(".__main__")
    got = "a package without __main__.py" if name != package else "no module of that name"
    return UsageError(
        "the module cannot be run",
        where=f"-m {package}",
        expected="a module that Python finds from the current folder or among installed packages",
        got=got,
        fix="check the name, and run from the folder that contains the package",
    )


def _run_notebook(notebook: Notebook, main: ModuleType, say: Callable[[str], None]) -> None:
    """Run all code cells in order, in the notebook's folder, as Jupyter does."""
    _first_on_path(str(notebook.folder))
    os.chdir(notebook.folder)
    notebook.run(vars(main), say)


def _first_on_path(folder: str) -> None:
    """Replace the first folder of sys.path, except in safe mode (`python -P`)."""
    if sys.flags.safe_path:
        return
    sys.path[0] = folder


class _Ending:
    """Ends the process by SIGINT if the script was interrupted, as Python does."""

    interrupted = False

    def __init__(self) -> None:
        self._pid = os.getpid()

    def __call__(self) -> None:
        if self.interrupted and os.getpid() == self._pid:
            sys.stdout.flush()
            sys.stderr.flush()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
