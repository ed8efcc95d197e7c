"""`python docs/studies.py [--runs FOLDER]`: runs all studies and writes their page.

The page, docs/how_it_works/studies.md, has the answers as they are printed and the texts of
docs/studies.toml. Complete runs in FOLDER (default: runs/study) are used again.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from resnet_inspect import studies
from resnet_inspect.render.studies.page import basis, statement_lines

HERE = Path(__file__).resolve().parent
PAGE, TEXTS = HERE / "how_it_works" / "studies.md", HERE / "studies.toml"
WIDTH = 100
TITLE = "# Studies"


def main(words: list[str]) -> None:
    """Run all studies and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=studies.FOLDER, help="folder of the runs")
    parsed = parser.parse_args(words)
    PAGE.write_text(page(texts(), parsed.runs), encoding="utf-8")
    print(f"wrote {PAGE}", file=sys.stderr)


def texts() -> dict[str, Any]:
    """The texts: `intro`, and for each `study` in order `name`, `reading`, `more`."""
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


def page(written: Mapping[str, Any], folder: Path) -> str:
    """The whole page."""
    parts = [TITLE, written["intro"].strip()]
    for entry in written["study"]:
        study = studies.known(entry["name"])
        parts += [heading(study), study.question]
        for given in ({}, *entry.get("more", ())):
            if given:
                flags = " ".join(f"--{name.replace('_', '-')} {v}" for name, v in given.items())
                parts.append(f"With `{flags}`:")
            parts.append("```text\n" + "\n".join(answer(study, given, folder)) + "\n```")
        parts.append(entry["reading"].strip())
    return "\n\n".join(parts) + "\n"


def heading(study: studies.Study) -> str:
    """The heading of an answer."""
    kind = f"Question {study.number}" if study.number else "Two mistakes"
    return f"## {kind}: `study {study.name}`"


def answer(study: studies.Study, given: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """The lines of an answer without its tables and commands."""

    def report(progress: studies.Progress) -> None:
        if progress.step < 0:
            run = f"{progress.planned.name}, {progress.done + 1} of {progress.of}"
            print(f"{study.name}: {run}", file=sys.stderr)

    result = studies.conduct(study, studies.plan(study, given, folder=folder), report)
    yield basis(result.settings, result.seeds, result.runs)
    for statement in result.answer.statements:
        yield ""
        yield from (line.plain for line in statement_lines(statement, WIDTH))
    yield "\nLimits"
    for text in result.answer.limits:
        yield textwrap.fill(text, WIDTH, initial_indent="   ", subsequent_indent="   ")


if __name__ == "__main__":
    main(sys.argv[1:])
