"""The explanation of a crash as a verdict, labels and texts; one screen in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from resnet_inspect.analysis.explain.explanation import (
    DisagreeingSize,
    Explanation,
    Kind,
    Line,
    Repair,
)
from resnet_inspect.analysis.page.failure import FailureFacts
from resnet_inspect.commands import spelled
from resnet_inspect.graph import Failure
from resnet_inspect.render import spelling
from resnet_inspect.render.labels import column, wrapped
from resnet_inspect.render.pages.postmortem_page import (
    danger_lines,
    failure_lines,
    postmortem_lines,
)
from resnet_inspect.render.screen import LABEL, Screen, plain

NOT_SHAPE = "not a shape error"
OTHER_KINDS = {
    Kind.DTYPE: f"{NOT_SHAPE}: two element types disagree",
    Kind.STRUCTURE: f"{NOT_SHAPE}: names or number of inputs are wrong",
    Kind.INDEX: f"{NOT_SHAPE}: an index is out of range",
    Kind.MEMORY: f"{NOT_SHAPE}: out of memory",
    Kind.VALUE: f"{NOT_SHAPE}: a value is wrong",
    Kind.OTHER: f"{NOT_SHAPE}: another exception",
}
MODULE = "<module>"
# The op in TensorFlow's notation, as in `for '{{node add}} = AddV2[T=DT_FLOAT](a, b)'`.
OP_TEXT = re.compile(r" for '\{\{node [^}]+\}\} = [^']*'")
STEPS_SHOWN = 2  # of each size
EARLIER_SHOWN = 3
REPAIRS_SHOWN = 4
LINES_SHOWN = 8  # of the first repair
NAME_WIDTH = 40
TITLE_LENGTH = 50  # of the first repair, whose lines are shown
EXPRESSION_LENGTH = 40
MESSAGE_LENGTH = 280
LESS = 134  # two lines of the message in a narrow terminal, if the sizes are known


class PageLine(NamedTuple):
    """A text with its label. `lead` is before the text; lines that wrap are indented by it."""

    label: str
    text: str
    lead: str = ""
    code: bool = False


class ExplanationPage(NamedTuple):
    """The explanation of a failure: one or two sentences, then labels and texts."""

    verdict: str
    lines: tuple[PageLine, ...]


def explanation_page(facts: FailureFacts) -> ExplanationPage:
    """Return the page of a failure: the explanation of its crash, or the rejected call."""
    failure, lines = facts.failure, explanation_lines(facts)
    if facts.explanation is None:
        error = tuple(PageLine(*line) for line in failure_lines(failure))
        return ExplanationPage(f"The run failed while {failure.during}.", error + lines)
    return ExplanationPage(facts.explanation.verdict, lines)


def explanation_lines(facts: FailureFacts) -> tuple[PageLine, ...]:
    """Return the explanation without its verdict; empty if there is none."""
    if facts.explanation is not None:
        return tuple(_lines(facts, facts.explanation))
    rejected = facts.postmortem
    return tuple(PageLine(*line) for line in postmortem_lines(rejected)) if rejected else ()


def print_page(screen: Screen, page: ExplanationPage) -> None:
    """Print the verdict, an empty line, then the labels and texts."""
    for line in wrapped(page.verdict, screen.width):
        screen.line(plain(line, "bold"))
    screen.line(plain(""))
    print_lines(screen, page.lines)


def print_lines(screen: Screen, lines: Iterable[PageLine]) -> None:
    """Print labels and texts."""
    for label, text, lead, _ in lines:
        screen.pair(label, text, lead)


def _lines(facts: FailureFacts, explanation: Explanation) -> Iterator[PageLine]:
    source = _SourceLines(explanation.call)
    if explanation.kind in OTHER_KINDS and not explanation.verdict.startswith(NOT_SHAPE):
        yield PageLine("kind", OTHER_KINDS[explanation.kind])
    yield from _call(explanation, source)
    for size in explanation.sizes:
        yield from _size(size, source)
    if facts.postmortem is not None:
        yield from (PageLine(*line) for line in postmortem_lines(facts.postmortem))
    else:
        for step in explanation.earlier[:EARLIER_SHOWN]:
            yield PageLine("earlier", step.text + source.place(step.line))
            yield from source.text(step.line)
        yield from (PageLine(*line) for line in danger_lines(facts.dangers))
    for correction in facts.corrections:
        yield PageLine("tried", f"the network builds with {correction.text}")
    yield from _repairs(facts, explanation, source)
    if explanation.unknown:
        yield PageLine("unknown", explanation.unknown)
    yield _message(facts.failure, explanation.cause, LESS if explanation.sizes else MESSAGE_LENGTH)


class _SourceLines:
    """Places and texts of source lines; each text is shown once."""

    def __init__(self, call: Line | None) -> None:
        self._file = call.file if call is not None else ""
        self._shown: set[tuple[str, int]] = set()

    def place(self, line: Line | None) -> str:
        """A line as text, with its file if it is not that of the call; empty for None."""
        if line is None:
            return ""
        if line.file == self._file:
            return f", line {line.line}"
        return f", {spelling.path(line.file)}:{line.line}"

    def text(self, line: Line | None) -> Iterator[PageLine]:
        """The source of a line, unless it was shown above."""
        if line is not None and line.text and (line.file, line.line) not in self._shown:
            self._shown.add((line.file, line.line))
            yield _code(line.text)


def _code(text: str, lead: str = "  ") -> PageLine:
    return PageLine("", text.expandtabs(4), lead, code=True)


def _call(explanation: Explanation, source: _SourceLines) -> Iterator[PageLine]:
    """The failed call with its line, and its tensors in two columns."""
    call, function = explanation.call, explanation.function
    if call is not None:
        within = f" in {call.function}" if call.function not in ("", MODULE) else ""
        named = f"{function} at " if function else ""
        yield PageLine("call", f"{named}{spelling.path(call.file)}:{call.line}{within}")
        yield from source.text(call)
    elif function or explanation.operands:
        yield PageLine("call", function)
    names = column([name for name, _ in explanation.operands], NAME_WIDTH)
    for name, (_, shape) in zip(names, explanation.operands, strict=True):
        yield _code(f"{name}  {shape}")


def _size(size: DisagreeingSize, source: _SourceLines) -> Iterator[PageLine]:
    """A size with the expression that gives it, its source line, and the steps to the call."""
    label, lead = f"size {size.size}", ""
    if len(label) > LABEL:
        label, lead = "size", f"{size.size}  "
    origin = source.place(size.line) or ", origin unknown"
    yield PageLine(label, f"{size.of}{_expression(size)}{origin}", lead)
    yield from source.text(size.line)
    steps = list(dict.fromkeys(size.steps))
    shown = len(steps) if len(steps) <= STEPS_SHOWN + 1 else STEPS_SHOWN
    for step in steps[:shown]:
        yield PageLine("", step.text + source.place(step.line), "← ")
    if len(steps) > shown:
        yield PageLine("", f"… and {len(steps) - shown} more steps")


def _expression(size: DisagreeingSize) -> str:
    """The expression of a size with its values. The source line shows literals and long ones."""
    expression = " ".join(size.expression.split())
    values = ", ".join(f"{name} = {value}" for name, value in size.values.items())
    if len(expression) > EXPRESSION_LENGTH or expression == str(size.size):
        expression = ""
    if not expression or size.values == {expression: size.size}:
        return f" — {values}" if values else ""
    return f" — {expression}" + (f" ({values})" if values else "")


def _repairs(
    facts: FailureFacts, explanation: Explanation, source: _SourceLines
) -> Iterator[PageLine]:
    """The first repair as changed lines, a line for each other repair, the command to test them."""
    if not explanation.repairs:
        if not facts.corrections and facts.postmortem is None:
            yield PageLine("fix", "none known")
        return
    first, *others = explanation.repairs
    long = bool(facts.changes) and len(first.title) > TITLE_LENGTH
    yield PageLine("fix", _title(first, source, short=long))
    lines = [
        _code(line, lead)
        for change in facts.changes
        for lead, texts in (("− ", change.before), ("+ ", change.after))
        for line in texts
    ]
    yield from lines[:LINES_SHOWN]
    if len(lines) > LINES_SHOWN:
        yield PageLine("", f"… and {len(lines) - LINES_SHOWN} more lines")
    if first.reason:
        yield PageLine("", first.reason)
    for repair in others[: REPAIRS_SHOWN - 1]:
        yield PageLine("or", _title(repair, source))
    further = len(others) - (REPAIRS_SHOWN - 1)
    if further > 0:
        yield PageLine("", f"… and {further} more")
    if facts.fix is not None:
        yield PageLine("test", spelled(facts.fix), code=True)


def _title(repair: Repair, source: _SourceLines, *, short: bool = False) -> str:
    """The change and its line; only the line if `short`, because the change is shown below."""
    batch = "" if repair.keeps_batch else "; changes the batch axis"
    place = source.place(repair.line)
    return (f"change{place.removeprefix(',')}" if short else f"{repair.title}{place}") + batch


def _message(failure: Failure, cause: str, most: int) -> PageLine:
    """The framework's message in `most` characters, without the op in TensorFlow's notation."""
    message = OP_TEXT.sub("", " ".join((cause or failure.message).split()))
    text = f"{failure.kind} while {failure.during}: {message}"
    return PageLine("message", text if len(text) <= most else f"{text[: most - 1]}…")
