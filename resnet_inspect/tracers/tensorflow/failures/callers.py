"""Names the files of this package that call a program: their callers are not part of it."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_inspect.tracers.full_tracebacks import Entry
from resnet_inspect.tracers.tensorflow.capture.source_lines import PACKAGE, ROOM

CALLERS = frozenset(
    {
        str(PACKAGE / "script" / "launch.py"),
        str(PACKAGE / "script" / "notebook.py"),
        *(
            str(ROOM / f"{name}.py")
            for name in (
                "tutorial/source",
                "model/source",
                "model/targets",
                "model/user_code",
                "model/fitting",
                "tf1/graph_trace",
                "tf1/graph_run",
            )
        ),
    }
)


CALLED = ("creator",)  # functions in these files that the program calls


def calls_program(file: str, function: str) -> bool:
    """Return whether a frame is one that calls the program."""
    return file in CALLERS and function not in CALLED


def of_program(entries: Sequence[Entry]) -> list[Entry]:
    """Return the frames of the program: without those that called it."""
    codes = [entry.frame.f_code for entry in entries]
    callers = [at for at, c in enumerate(codes) if calls_program(c.co_filename, c.co_name)]
    return list(entries[max(callers, default=-1) + 1 :])
