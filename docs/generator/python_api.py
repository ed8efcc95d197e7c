"""The page of the Python interface, from signatures and docstrings of public names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import resnet_inspect
from docs.generator.markdown import block, table
from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.sizes.shapes import ShapeRow, ShapeTable, Totals
from resnet_inspect.stats import TensorSummary
from resnet_inspect.store.info import RunInfo

ORDER = ("trace", "Recorder", "open_run", "shapes", "check", "diff", "report")
RETURNED = (RunInfo, ShapeTable, ShapeRow, Totals, TensorSummary, Finding)
WIDTH = 88
SECTION = re.compile(r"^(Args|Returns|Raises|Attributes):\n", re.MULTILINE)
ENTRY = re.compile(r"^    (\S.*(?:\n {8,}.*)*)", re.MULTILINE)
INTRODUCTION = """\
# Python interface

The public names are those of the package `resnet_inspect`. Everything else may change. The
commands call the same functions.

```python
from pathlib import Path

import resnet_inspect

with resnet_inspect.trace(n=1, ver=2, steps=5, batch_size=16) as run:
    print(run.info.status, run.scalars()["loss"])
    for layer, summary in run.summaries(step=4).items():
        print(layer, summary.mean, summary.std, summary.zero_fraction)
    for finding in resnet_inspect.check(run):
        print(finding.severity, finding.rule, finding.message)
    Path("report.html").write_text(resnet_inspect.report(run), encoding="utf-8")
```"""


def page() -> str:
    """The page in Markdown."""
    public = set(resnet_inspect.__all__) - {"Run", "__version__"}
    if public != set(ORDER):
        raise ValueError(f"not on the page: {public ^ set(ORDER)}")
    parts = [INTRODUCTION, "## Functions"]
    for name in ORDER:
        parts += _function(name, getattr(resnet_inspect, name), 3)
    parts += _run()
    parts += ["## Returned values"]
    for kind in RETURNED:
        parts += _value(kind)
    return "\n\n".join(part for part in parts if part)


def _run() -> Iterator[str]:
    """The class Run: properties, then methods, in the order of the source."""
    kind = resnet_inspect.Run
    yield "## `Run` { #run }"
    yield from _docstring(inspect.getdoc(kind) or "")
    public = {name: member for name, member in vars(kind).items() if not name.startswith("_")}
    rows = [
        (f"`{name}`", f"`{_annotation(got, 'return')}`", _prose(inspect.getdoc(got) or ""))
        for name, member in public.items()
        if (got := _getter(member)) is not None
    ]
    yield table(("property", "type", "meaning"), rows)
    for name, member in public.items():
        if _getter(member) is None:
            called = member.__func__ if isinstance(member, classmethod) else member
            yield from _function(f"Run.{name}", called, 3)


def _getter(member: object) -> Callable[..., Any] | None:
    if isinstance(member, property):
        return member.fget
    return member.func if isinstance(member, cached_property) else None


def _function(name: str, function: Callable[..., Any], level: int) -> Iterator[str]:
    yield f"{'#' * level} `{name}` {{ #{name} }}"
    yield block(_signature(name, function), "python")
    yield from _docstring(inspect.getdoc(function) or "")


def _signature(name: str, function: Callable[..., Any]) -> str:
    """The signature without `self`; a line per parameter if it is long."""
    parameters, marked = [], False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not marked:
            parameters.append("*")
            marked = True
        bare = parameter.replace(annotation=parameter.empty, default=parameter.empty)
        text = f"{bare}: {parameter.annotation}"
        if parameter.default is not parameter.empty:
            text += f" = {'...' if callable(parameter.default) else repr(parameter.default)}"
        parameters.append(text)
    end = f" -> {_annotation(function, 'return')}"
    line = f"{name}({', '.join(parameters)}){end}"
    if len(line) <= WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {text},\n" for text in parameters) + f"){end}"


def _annotation(owner: Any, name: str) -> str:
    return str(owner.__annotations__.get(name, "None"))


def _docstring(text: str) -> Iterator[str]:
    """A Google-style docstring as Markdown: paragraphs, then lists of arguments and errors."""
    head, *sections = SECTION.split(text)
    yield from (_prose(paragraph) for paragraph in head.split("\n\n") if paragraph.strip())
    titles = {"Args": "Arguments"}
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        yield f"**{titles.get(title, title)}**"
        yield "\n".join(map(_entry, ENTRY.findall(body)))


def _entry(text: str) -> str:
    name, colon, meaning = _prose(text).partition(": ")
    return f"- `{name}`: {meaning}" if colon and " " not in name else f"- {_prose(text)}"


def _value(kind: type) -> Iterator[str]:
    """A class of values: its description, then a table of fields and properties."""
    head, *sections = SECTION.split(inspect.getdoc(kind) or "")
    yield f"### `{kind.__name__}`"
    yield from map(_prose, head.split("\n\n"))
    meanings: dict[str, str] = {}
    for entry in ENTRY.findall("".join(sections[1:2])):
        names, _, meaning = _prose(entry).partition(": ")
        meanings |= dict.fromkeys(names.split(", "), meaning)
    fields = [*inspect.get_annotations(kind)]
    rows = [
        (f"`{name}`", f"`{_annotation(kind, name)}`", meanings.get(name, "")) for name in fields
    ]
    rows += [
        (f"`{name}`", f"`{_annotation(member.fget, 'return')}`", _prose(member.__doc__ or ""))
        for name, member in vars(kind).items()
        if isinstance(member, property) and not name.startswith("_") and member.fget
    ]
    width = 3 if any(row[2] for row in rows) else 2
    yield table(("field", "type", "meaning")[:width], (row[:width] for row in rows))


def _prose(text: str) -> str:
    return " ".join(text.split())
