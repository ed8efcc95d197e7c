"""Records the user's frames of a crash, with the values that their code uses."""

from __future__ import annotations

import linecache
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from types import FrameType, ModuleType
from typing import Any

import msgspec

from resnet_inspect.graph.crash import CrashFrame, Site, Value
from resnet_inspect.tracers.frame_locals import locals_of
from resnet_inspect.tracers.full_tracebacks import Entry
from resnet_inspect.tracers.tensorflow.capture.source_lines import REWRITTEN, is_users, named
from resnet_inspect.tracers.tensorflow.failures.values import ValueRecorder

MOST_VALUES = 80
OF_AUTOGRAPH = ("ag__", "fscope", "retval_", "do_return")  # names that AutoGraph adds
VARIADIC = 0x04, 0x08  # flags of a code object with *args, **named
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def user_files(entries: Sequence[Entry]) -> list[str]:
    """Return for each frame the path of the user's file that it executes, "" for other frames.

    AutoGraph makes functions of the bodies of loops and branches. Only the innermost of a function
    counts.
    """
    generated = [at for at, e in enumerate(entries) if REWRITTEN in e.frame.f_code.co_filename]
    repeated = {
        outer for outer in generated for at in generated if _is_inside(entries[at], entries[outer])
    }
    return [_file_of(entries, at) if at not in repeated else "" for at in range(len(entries))]


def own_frame(entries: Sequence[Entry], at: int, record: ValueRecorder) -> CrashFrame:
    """Return the record of a frame of the user's code.

    A frame of code that AutoGraph generated has the line of the user's function.
    """
    code = entries[at].frame.f_code
    site, path = _site(entries, at)
    wanted = _identifiers(path, site)
    around = [entry.frame for entry in entries[:at] if _is_inside(entries[at], entry)]
    together = {
        name: value for frame in (*around, entries[at].frame) for name, value in named_values(frame)
    }
    pairs = sorted(together.items(), key=lambda pair: pair[0].partition(".")[0] not in wanted)
    values = {name: record(value, name) for name, value in pairs[:MOST_VALUES]}
    integers = {
        name: int(value.text)
        for name, value in values.items()
        if value.type == "int" and value.text.lstrip("-").isdigit()
    }
    site = msgspec.structs.replace(site, values=integers)
    return CrashFrame(site, values, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def arguments_of(
    frame: FrameType, record: ValueRecorder, left_out: Collection[str] = ()
) -> dict[str, Value]:
    """Return the arguments of a frame's function by parameter, as they are now."""
    code, inside = frame.f_code, locals_of(frame)
    count = code.co_argcount + code.co_kwonlyargcount
    count += sum(bool(code.co_flags & flag) for flag in VARIADIC)
    given = code.co_varnames[:count]
    names = [name for name in given if name in inside and name not in left_out]
    return {name: record(inside[name], name) for name in names}


def named_values(frame: FrameType) -> Iterator[tuple[str, Any]]:
    """Yield the values of the names, attributes and keys in the code of a frame."""
    code = frame.f_code
    at_top = frame.f_locals is frame.f_globals
    inside = frame.f_globals if at_top else locals_of(frame)
    names = [] if at_top else [*code.co_varnames, *code.co_cellvars, *code.co_freevars]
    for name in dict.fromkeys([*names, *code.co_names]):
        value = inside.get(name, frame.f_globals.get(name))
        missing = name not in inside and name not in frame.f_globals
        if missing or name.startswith((*OF_AUTOGRAPH, "__")):
            continue
        if not isinstance(value, ModuleType | type):
            yield name, value
        attributes = getattr(value, "__dict__", None)
        if isinstance(value, dict):
            keys = [key for key in code.co_consts if type(key) is str and key in value]
            yield from ((f"{name}[{key!r}]", value[key]) for key in keys)
        elif isinstance(attributes, dict) and (not isinstance(value, ModuleType) or _own(value)):
            for key in code.co_names:
                inner = attributes.get(key, _method)
                if not callable(inner) or hasattr(inner, "built"):  # no methods, but layers
                    yield f"{name}.{key}", inner


def _file_of(entries: Sequence[Entry], at: int) -> str:
    file = entries[at].frame.f_code.co_filename
    if REWRITTEN in file:
        origin = _origin(entries[:at], entries[at])
        file = str(origin.loc.filename) if origin is not None else ""
    return file if file and is_users(file) else ""


def _site(entries: Sequence[Entry], at: int) -> tuple[Site, str]:
    """Return the place that a frame of the user's code executes, and the path of its file."""
    code, line, instruction = entries[at].frame.f_code, entries[at].line, entries[at].instruction
    if REWRITTEN in code.co_filename:
        origin = _origin(entries[:at], entries[at])
        path = str(origin.loc.filename)
        return Site(named(path), origin.loc.lineno, origin.function_name), path
    positions = next(islice(code.co_positions(), instruction // 2, None), (line,) * 4)
    first, last, column, end = (number or 0 for number in positions)
    site = Site(named(code.co_filename), first or line, code.co_name, last, column, end)
    return site, code.co_filename


def _identifiers(path: str, site: Site) -> set[str]:
    """Return the names in the lines of a place."""
    lines = linecache.getlines(path)[site.line - 1 : max(site.line, site.end_line)]
    return set(IDENTIFIER.findall(" ".join(lines)))


def _is_inside(inner: Entry, outer: Entry) -> bool:
    """Return whether AutoGraph made the function of one frame from a part of that of another."""
    code, around = inner.frame.f_code, outer.frame.f_code
    same = code.co_filename == around.co_filename and REWRITTEN in code.co_filename
    return same and code.co_qualname.startswith(f"{around.co_qualname}.<locals>.")


def _method() -> None:
    """Replace an attribute that does not exist."""


def _own(module: ModuleType) -> bool:
    return is_users(getattr(module, "__file__", None) or "<")


def _origin(entries: Sequence[Entry], generated: Entry) -> Any:
    """Return the user's line of a line that AutoGraph generated, None if unknown."""
    file = generated.frame.f_code.co_filename
    for entry in reversed(entries):
        if "converted_f" not in entry.frame.f_code.co_varnames:
            continue
        function = locals_of(entry.frame).get("converted_f")
        if getattr(getattr(function, "__code__", None), "co_filename", None) == file:
            for place, origin in getattr(function, "ag_source_map", {}).items():
                if place.lineno == generated.line:
                    return origin
    return None
