"""The pages of studies for a terminal: an answer, and the list of studies."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from resnet_inspect.analysis.studies import Answer, Cell, Grid, Statement, Study, Verdict
from resnet_inspect.commands import spelled
from resnet_inspect.render import spelling
from resnet_inspect.render.labels import wrapped
from resnet_inspect.render.screen import Screen, plain, table

STYLES = {Verdict.SHOWN: "bold green", Verdict.NOT_DECIDED: "bold yellow",
          Verdict.CONTRADICTED: "bold red"}  # fmt: skip
INDENT = "   "
WIDEST = 100
MOST = 24


def study_page(screen: Screen, question: str, basis: str, answer: Answer) -> None:
    """Write the question, its basis, statements with verdicts, tables, limits and commands."""
    width = min(screen.width, WIDEST)
    for line in _wrapped(question, width, "bold", ""):
        screen.line(line)
    screen.line(plain(basis, "dim"))
    for statement in answer.statements:
        screen.line(plain(""))
        for line in statement_lines(statement, width):
            screen.line(line)
    for grid in answer.tables:
        _grid(screen, grid, width)
    if answer.limits:
        screen.line(plain(""), plain("Limits", "bold"))
    for text in answer.limits:
        for line in _wrapped(text, width):
            screen.line(line)
    if answer.see:
        commands = table("See")  # a table does not wrap its lines, so that commands can be copied
        for command in answer.see:
            commands.add_row(plain(INDENT + spelled(command), "dim"))
        screen.line(plain(""))
        screen.table([commands])


def statement_lines(statement: Statement, width: int) -> list[Text]:
    """The verdict and the claim, then the measurement."""
    first, *rest = textwrap.wrap(
        f"{statement.verdict}: {statement.claim}", max(20, width), subsequent_indent="  "
    )
    head = plain(first)
    head.stylize(STYLES[statement.verdict], 0, len(statement.verdict))
    return [head, *map(plain, rest), *_wrapped(statement.measured, width)]


def questions_page(screen: Screen, studies: Iterable[Study]) -> None:
    """Write a table of all studies with their questions."""
    made = table("study", "no.", "runs", "question")
    for study in studies:
        trained = sum(variant.trained for variant in study.variants)
        runs = f"{trained} × seeds" if trained else "1 trace"
        if trained and trained < len(study.variants):
            runs += f" + {len(study.variants) - trained}"
        number = str(study.number) if study.number else "–"
        made.add_row(*map(plain, (study.name, number, runs, study.question)))
    screen.table([made])


def basis(settings: Mapping[str, object], seeds: int, runs: Mapping[str, Sequence[str]]) -> str:
    """One line about the settings, seeds and runs of an answer."""
    trained = any(len(files) > 1 for files in runs.values())
    count = sum(len(files) for files in runs.values())
    parts = [f"n={settings['n']}", f"batch {settings['batch_size']}"]
    if settings["steps"]:
        parts.append(f"{settings['steps']} step{'s' * (settings['steps'] != 1)}")
    parts += [f"{seeds} seeds"] * trained
    parts += [str(settings["data"]), f"{count} run{'s' * (count != 1)}"]
    return "measured on " + ", ".join(parts)


def _grid(screen: Screen, grid: Grid, width: int) -> None:
    screen.line(plain(""))
    for line in _wrapped(grid.title, width, "bold", ""):
        screen.line(line)
    # `table` aligns columns by name, so equal headings are aligned alike.
    numeric = tuple(
        name
        for place, name in enumerate(grid.columns)
        if all(not isinstance(row[place], str) for row in grid.rows)
    )
    made = table(*grid.columns, right=numeric)
    shown = grid.rows if len(grid.rows) <= MOST + 1 else grid.rows[:MOST]
    for row in shown:
        made.add_row(*(plain(cell_text(cell)) for cell in row))
    screen.table([made])
    if len(shown) < len(grid.rows):
        screen.line(plain(f"… and {len(grid.rows) - len(shown)} more rows; --json shows all"))


def cell_text(value: Cell) -> str:
    """The text of a table cell; – for no value."""
    if value is None:
        return "–"
    return spelling.number(value) if isinstance(value, float) else str(value)


def _wrapped(text: str, width: int, style: str = "", indent: str = INDENT) -> list[Text]:
    room = max(20, width - len(indent))
    return [plain(indent + line, style) for line in wrapped(text, room)]
