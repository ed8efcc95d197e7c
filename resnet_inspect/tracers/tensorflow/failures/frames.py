"""Records the user's frames of a crash, with the values that their code uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from types import FrameType, ModuleType
from typing import Any

from resnet_inspect.graph.crash import CrashFrame, Site, Value
from resnet_inspect.tracers.full_tracebacks import Entry
from resnet_inspect.tracers.tensorflow.capture.source_lines import REWRITTEN, is_users, named
from resnet_inspect.tracers.tensorflow.failures.values import ValueRecorder

MOST_VALUES = 80
OF_AUTOGRAPH = ("ag__", "fscope", "retval_", "do_return")  # names that AutoGraph adds
VARIADIC = 0x04, 0x08  # flags of a code object with *args, **named


def own_frame(entries: Sequence[Entry], at: int, record: ValueRecorder) -> CrashFrame | None:
    """Return the record of a frame of the user's code, None for other frames.

    A frame of code that AutoGraph generated has the line of the user's function.
    """
    frame, line, instruction = entries[at]
    code = frame.f_code
    if REWRITTEN in code.co_filename:
        origin = _origin(entries[:at], code, line)
        if origin is None or not is_users(origin.loc.filename):
            return None
        site = Site(named(origin.loc.filename), origin.loc.lineno, origin.function_name)
    elif is_users(code.co_filename):
        positions = next(islice(code.co_positions(), instruction // 2, None), (line,) * 4)
        first, last, column, end = (number or 0 for number in positions)
        name = code.co_name
        site = Site(named(code.co_filename), first or line, name, last, column, end)
    else:
        return None
    values = {name: record(value) for name, value in islice(named_values(frame), MOST_VALUES)}
    integers = {
        name: int(value.text)
        for name, value in values.items()
        if value.type == "int" and value.text.lstrip("-").isdigit()
    }
    site = Site(
        site.file, site.line, site.function, site.end_line, site.column, site.end_column, integers
    )
    return CrashFrame(site, values, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def file_of(entries: Sequence[Entry], at: int) -> str:
    """Return the path of the user's file that a frame executes."""
    code = entries[at].frame.f_code
    if REWRITTEN in code.co_filename:
        origin = _origin(entries[:at], code, entries[at].line)
        return str(origin.loc.filename) if origin else ""
    return code.co_filename


def arguments_of(frame: FrameType, record: ValueRecorder) -> dict[str, Value]:
    """Return the arguments of a frame's function by parameter, as they are now."""
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    count += sum(bool(code.co_flags & flag) for flag in VARIADIC)
    names = [name for name in code.co_varnames[:count] if name in frame.f_locals]
    return {name: record(frame.f_locals[name]) for name in names}


def named_values(frame: FrameType) -> Iterator[tuple[str, Any]]:
    """Yield the values of the names, attributes and keys in the code of a frame."""
    code, inside = frame.f_code, frame.f_locals
    names = [*code.co_varnames, *code.co_cellvars, *code.co_freevars]
    if inside is frame.f_globals:
        names = list(code.co_names)
    for name in dict.fromkeys([*names, *code.co_names]):
        value = inside.get(name, frame.f_globals.get(name))
        missing = name not in inside and name not in frame.f_globals
        if missing or name.startswith(OF_AUTOGRAPH):
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


def _method() -> None:
    """Replace an attribute that does not exist."""


def _own(module: ModuleType) -> bool:
    return is_users(getattr(module, "__file__", None) or "<")


def _origin(entries: Sequence[Entry], code: Any, line: int) -> Any:
    """Return the user's line of a line that AutoGraph generated, None if unknown."""
    for entry in reversed(entries):
        function = entry.frame.f_locals.get("converted_f")
        if function is not None and getattr(function, "__code__", None) is code:
            for place, origin in getattr(function, "ag_source_map", {}).items():
                if place.lineno == line:
                    return origin
    return None
