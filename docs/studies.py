"""`python docs/studies.py [--runs FOLDER]`: runs all studies and writes docs/studies.md.

Answers stand there as they are printed, beside what people wrote of them in docs/studies.toml.
Runs that FOLDER holds are taken from there (left out: runs/study).
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
PAGE, TEXTS = HERE / "studies.md", HERE / "studies.toml"
WIDTH = 100
TITLE = "# Answers to the questions of the tutorial's readers"


def main(words: list[str]) -> None:
    """Write the page, once all is run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=studies.FOLDER, help="where runs are kept")
    asked = parser.parse_args(words)
    PAGE.write_text(page(texts(), asked.runs), encoding="utf-8")
    print(f"wrote {PAGE}", file=sys.stderr)


def texts() -> dict[str, Any]:
    """What people wrote: `intro`, and for each `study` in order `name`, `reading`, `more`."""
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


def page(told: Mapping[str, Any], folder: Path) -> str:
    """The whole page."""
    parts = [TITLE, told["intro"].strip()]
    for one in told["study"]:
        study = studies.known(one["name"])
        parts += [heading(study), study.question]
        for given in ({}, *one.get("more", ())):
            if given:
                flags = " ".join(f"--{name.replace('_', '-')} {v}" for name, v in given.items())
                parts.append(f"With `{flags}`:")
            parts.append("```text\n" + "\n".join(answer(study, given, folder)) + "\n```")
        parts.append(one["reading"].strip())
    return "\n\n".join(parts) + "\n"


def heading(study: studies.Study) -> str:
    """The line above an answer."""
    kind = f"Question {study.number}" if study.number else "Two mistakes"
    return f"## {kind}: `study {study.name}`"


def answer(study: studies.Study, given: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """The lines of an answer without its tables and commands."""

    def tell(seen: studies.Progress) -> None:
        if seen.step < 0:
            told = f"{study.name}: {seen.planned.name}, {seen.done + 1} of {seen.of}"
            print(told, file=sys.stderr)

    found = studies.conduct(study, studies.plan(study, given, folder=folder), tell)
    yield basis(found.settings, found.seeds, found.runs)
    for one in found.answer.statements:
        yield ""
        yield from (line.plain for line in statement_lines(one, WIDTH))
    yield "\nNot measured, or to know"
    for text in found.answer.limits:
        yield textwrap.fill(text, WIDTH, initial_indent="   ", subsequent_indent="   ")


if __name__ == "__main__":
    main(sys.argv[1:])
