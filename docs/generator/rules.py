"""The page of the rules of `check`, from their docstrings and the measured verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from docs.generator.markdown import table
from resnet_inspect.analysis.check import explain, rules

LABELS = ("Threshold", "Background", "Not reported")
INTRODUCTION = """\
# Rules of `check`

[`check`](commands/check.md) applies {count} rules to a run. Each rule compares recorded values
with a threshold and reports an error, a warning or an info. Each section below names the
threshold, its background, and the cases that the rule does not report.

Detection was measured on faults that were injected into healthy trainings. A fault counts as
detected if a correct rule fires; several rules can be correct for one fault. The author of the
fresh networks had not read the rules. The rules were changed after the first judgement, so the
figures do not predict detection on unseen networks. [Verdicts](../how_it_works/verdicts.md) has
the first judgement, the method, all figures and all missed faults.

```sh
resnet-inspect check                          # apply all rules to the newest run
resnet-inspect check --ignore imbalance       # skip a rule
resnet-inspect check --explain dead-units     # print the text below
```"""


class Measured(NamedTuple):
    """Runs with injected faults of one rule: their number, and how many were detected."""

    faults: int
    detected: int
    by_this_rule: int
    missed: str

    def __str__(self) -> str:
        return f"{self.detected} of {self.faults}" if self.faults else "–"


def page(verdicts: str) -> str:
    """The page in Markdown; `verdicts` is the text of docs/how_it_works/verdicts.md."""
    fresh = measured(verdicts, "Rules, fresh kinds")
    held_out = measured(verdicts, "Rules, held-out half")
    texts = {name: explain(name) for name in rules()}
    none = Measured(0, 0, 0, "")
    rows = (
        (
            f"[`{name}`](#{name})",
            text.partition("\n\n")[0].removesuffix("."),
            str(fresh.get(name, none)),
            str(held_out.get(name, none)),
        )
        for name, text in texts.items()
    )
    heads = ("rule", "problem", "detected, fresh networks", "detected, held-out half")
    parts = [INTRODUCTION.format(count=len(texts)), table(heads, rows)]
    for name, text in texts.items():
        parts += _section(name, text, fresh.get(name, none), held_out.get(name, none))
    return "\n\n".join(parts)


def measured(verdicts: str, heading: str) -> dict[str, Measured]:
    """The figures of the table below a heading, by rule."""
    section = verdicts.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    by_rule = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"`[a-z-]+`", cells[0]):
            faults, detected, by_this_rule = map(int, cells[1:4])
            figures = Measured(faults, detected, by_this_rule, missed=cells[5])
            by_rule[cells[0].strip("`")] = figures
    return by_rule


def parts_of(text: str) -> dict[str, str]:
    """The parts of a rule's text: title, checks, and one for each label in lower case."""
    title, _, body = text.partition("\n\n")
    pieces = re.split(rf"^({'|'.join(LABELS)}): ", body, flags=re.MULTILINE)
    labelled = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    parts = {"title": title, "checks": pieces[0]} | {k.lower(): v for k, v in labelled.items()}
    return {name: _sentence(part) for name, part in parts.items()}


def _section(name: str, text: str, fresh: Measured, held_out: Measured) -> Iterator[str]:
    parts = parts_of(text)
    yield f"## `{name}` {{ #{name} }}"
    yield f"**{parts['title']}** {parts['checks']}"
    labelled = [f"- *{label}.* {parts[label.lower()]}" for label in LABELS]
    yield "\n".join([*labelled, f"- *Measured.* {_figures(fresh, held_out)}"])


def _figures(fresh: Measured, held_out: Measured) -> str:
    parts = [
        f"{kind}: detected in {runs} runs, in {runs.by_this_rule} by this rule."
        + (f" Missed: {runs.missed}." if runs.missed else "")
        for kind, runs in (("Fresh networks", fresh), ("Held-out half", held_out))
        if runs.faults
    ]
    return " ".join(parts) or "No fault was injected for this rule."


def _sentence(text: str) -> str:
    flat = " ".join(text.split())
    return flat[:1].upper() + flat[1:]
