"""A study as a self-contained HTML page of text and tables, with the report's style.

The page needs no script, and its content security policy allows none. Its colours follow the
system's light or dark theme.
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
from resnet_inspect.render.studies.page import cell_text

CLASSES = {Verdict.SHOWN: "shown", Verdict.NOT_DECIDED: "undecided",
           Verdict.CONTRADICTED: "contradicted"}  # fmt: skip
LONG = 40  # characters; the text of longer cells may be wrapped


def study_report(
    question: str,
    basis: str,
    answer: Answer,
    runs: Mapping[str, Sequence[str]],
    program: str,
    courses: Courses | None = None,
) -> str:
    """The HTML page of an answer.

    Args:
        question: the question of the study.
        basis: one line about the settings and runs.
        answer: the answer.
        runs: the run files of each variant.
        program: name and version of the program that makes the page.
        courses: cross entropies by variant and seed, which are drawn.
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
            *_section("Limits", map(_text, answer.limits)),
            *_section("See", (f"<code>{_text(spelled(command))}</code>" for command in answer.see)),
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


def _statement(statement: Statement) -> str:
    return (
        f'<section class="statement {CLASSES[statement.verdict]}"><h2>'
        f'<span class="verdict">{statement.verdict}</span>{_text(statement.claim)}</h2>'
        f"<p>{_text(statement.measured)}</p></section>"
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
    text = cell_text(value)
    kind = ' class="long"' if len(text) > LONG else side
    return f"<td{kind}>{_text(text)}</td>"


def _section(title: str, items: Iterable[str]) -> Iterator[str]:
    listed = "\n".join(f"<li>{item}</li>" for item in items)
    if listed:
        yield f"<section><h2>{title}</h2>\n<ul>{listed}</ul></section>"


def _files(runs: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for variant, every in runs.items():
        listed = ", ".join(f"<code>{_text(file)}</code>" for file in every)
        yield f"{_text(variant)}: {listed}"
