"""A study as one HTML page that opens from disk: text and tables, with the report's colours.

It needs no script, so its policy allows none; colours follow what the reader's system prefers.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

from resnet_inspect.analysis.studies import Answer, Cell, Grid, Statement, Verdict
from resnet_inspect.commands import spelled
from resnet_inspect.paths import printable
from resnet_inspect.render.studies.charts import Courses, study_charts
from resnet_inspect.render.studies.page import told_cell

CLASSES = {Verdict.SHOWN: "shown", Verdict.NOT_DECIDED: "undecided",
           Verdict.CONTRADICTED: "contradicted"}  # fmt: skip
LONG = 40  # signs of a cell that may be broken


def study_report(
    question: str,
    basis: str,
    answer: Answer,
    runs: Mapping[str, Sequence[str]],
    program: str,
    courses: Courses | None = None,
) -> str:
    """The page of an answer; `basis` says in one line what it rests on, `runs` are the files of
    each variant, `program` is who made the page, `courses` are cross entropies, to be drawn.
    """
    style = _style()
    policy = f"default-src 'none'; style-src '{_hash(style)}'; img-src data:; base-uri 'none'"
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{_text(question)}</title>",
            '<link rel="icon" href="data:,">',
            f"<style>{style}</style>\n</head>\n<body>\n<main>",
            f'<h1>{_text(question)}</h1>\n<p class="dim">{_text(basis)}</p>',
            *map(_statement, answer.statements),
            *map(_grid, answer.tables),
            study_charts("Cross entropy of training batches", courses or {}),
            *_section("Not measured, or to know", map(_text, answer.limits)),
            *_section("See", (f"<code>{_text(spelled(one))}</code>" for one in answer.see)),
            *_section("Runs", _files(runs)),
            f"</main>\n<footer>{_text(program)}</footer>\n</body>\n</html>\n",
        )
    )


def _style() -> str:
    shared = files("resnet_inspect.render.report").joinpath("report.css")
    own = files("resnet_inspect.render.studies").joinpath("study.css")
    return shared.read_text(encoding="utf-8") + own.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _text(text: str) -> str:
    return escape(printable(text))


def _statement(one: Statement) -> str:
    return (
        f'<section class="statement {CLASSES[one.verdict]}"><h2>'
        f'<span class="verdict">{one.verdict}</span>{_text(one.claim)}</h2>'
        f"<p>{_text(one.measured)}</p></section>"
    )


def _grid(grid: Grid) -> str:
    numeric = [
        all(not isinstance(row[place], str) for row in grid.rows)
        for place in range(len(grid.columns))
    ]
    sides = [' class="right"' if right else "" for right in numeric]
    head = "".join(
        f'<th scope="col"{side}>{_text(name)}</th>'
        for side, name in zip(sides, grid.columns, strict=True)
    )
    rows = "\n".join(
        "<tr>" + "".join(_cell(*pair) for pair in zip(row, sides, strict=True)) + "</tr>"
        for row in grid.rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{_text(grid.title)}"><table>'
        f"<caption>{_text(grid.title)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>{rows}"
        "</tbody></table></div>"
    )


def _cell(value: Cell, side: str) -> str:
    told = told_cell(value)
    kind = ' class="long"' if len(told) > LONG else side
    return f"<td{kind}>{_text(told)}</td>"


def _section(title: str, items: Iterable[str]) -> Iterator[str]:
    listed = "\n".join(f"<li>{one}</li>" for one in items)
    if listed:
        yield f"<section><h2>{title}</h2>\n<ul>{listed}</ul></section>"


def _files(runs: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for variant, every in runs.items():
        listed = ", ".join(f"<code>{_text(file)}</code>" for file in every)
        yield f"{_text(variant)}: {listed}"
