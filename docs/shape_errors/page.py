"""The page docs/how_it_works/shape_errors.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import fill

from docs.shape_errors.measures import MEASURES, Measure, fit_failures, found, programs
from docs.shape_errors.results import read
from tests.explain.answers import Answer, answers
from tests.explain.proofs import Proof, is_equivalent, judged
from tests.explain.scores import LINE, PAIR, misses

PAGE = Path(__file__).parents[1] / "how_it_works" / "shape_errors.md"
RIGHT, WRONG, LACKING = "✓", "✗", "–"
SETS = {"own": "Known mistakes", "threads": "Issue threads"}
THREAD = re.compile(r"\bAfter (?:a question on a public forum \()?(.+?)[).]*\"")
HOSTS = {
    "SO ": ("Stack Overflow ", "https://stackoverflow.com/questions/"),
    "keras-team/keras #": ("Keras #", "https://github.com/keras-team/keras/issues/"),
    "keras-team/keras-io #": ("Keras IO #", "https://github.com/keras-team/keras-io/issues/"),
    "tensorflow/tensorflow #": ("TensorFlow #", "https://github.com/tensorflow/tensorflow/issues/"),
}
LONGEST = 70  # signs of a repair in a table
WIDTH = 100
HEAD = """\
# Explained shape errors

What `explain` and `fix` report on {total} programs, compared with answers that were derived from
the text of the programs. `python -m docs.shape_errors` writes this page.

| measure | {heads} |
|---|{rules}|
{totals}
- *Known mistakes*: programs on which the explanations were developed.
- *Issue threads*: programs rebuilt from threads of Keras and TensorFlow, chosen and written before
  they were run here. Explanations were then improved for both sets, so the figures do not predict
  those of other programs.
- *Line*: the explanation names a line that a right repair changes. For a mistake without an
  exception, a finding of `check` names the line. A right program passes if it does not fail.
- *Pair*: both sizes that disagree are named, each with the line that sets it.
- *Repair*: the first repair that `fix` offers is equivalent to a right one. `fix` runs scripts. For
  functions, the first suggested repair counts with which `trace` does not fail.

The programs and their answers are in `tests/explain`. Tests record each program again and compare
its explanation. They search the repairs of a third of the programs again.
"""
FIT = """\
{total} programs fail in `fit` because of another line. The explanation names such a line for
{named} of them. The last line of the program in the traceback of Python is such a line for {last}
of them. For the others it is the call of `fit`.
"""


def page() -> str:
    """Return the text of the page."""
    proofs = read()
    text = HEAD.format(
        total=len(answers()),
        heads=" | ".join(f"{name.lower()} | target" for name in SETS.values()),
        rules="|".join(["---"] * 2 * len(SETS)),
        totals="".join(f"{row}\n" for row in _totals(proofs)),
    )
    text += "\n## Failures in `fit`\n\n"
    text += fill(FIT.format(**fit_failures()._asdict()), WIDTH) + "\n"
    for name, title in SETS.items():
        text += f"\n## {title}\n\n| program | thread | fails in | line | pair | repair |\n"
        text += "|---|---|---|---|---|---|\n"
        text += "".join(f"{_row(answer, proofs)}\n" for answer in programs(name))
    text += "\n## Misses\n\n" + "".join(f"{line}\n" for line in _missing())
    text += "\n## Equivalent repairs with another text\n\n"
    return text + "".join(f"{line}\n" for line in _judged(proofs))


def _totals(proofs: Mapping[str, Proof]) -> Iterator[str]:
    for measure in MEASURES:
        cells = (_total(measure, name, proofs) for name in SETS)
        yield f"| {measure.title} | {' | '.join(cells)} |"


def _total(measure: Measure, name: str, proofs: Mapping[str, Proof]) -> str:
    right, total = measure.figures(name, proofs)
    return f"{right} of {total}, {100 * right / total:.0f} % | {100 * measure.targets[name]:.0f} %"


def _row(answer: Answer, proofs: Mapping[str, Proof]) -> str:
    results = found(answer)
    cells = (
        _name(answer.key),
        _thread(answer),
        answer.when,
        *(_mark(results.get(aspect)) for aspect in (LINE, PAIR)),
        _repair(answer, proofs),
    )
    return f"| {' | '.join(cells)} |"


def _mark(right: bool | None) -> str:
    return {True: RIGHT, False: WRONG, None: LACKING}[right]


def _name(key: str) -> str:
    return key.rpartition("/")[2].replace("_", " ")


def _thread(answer: Answer) -> str:
    """The thread of a program as a link."""
    match = THREAD.search(answer.source.splitlines()[0])
    text = match[1] if match is not None else ""
    for start, (name, address) in HOSTS.items():
        number = text.removeprefix(start)
        if number != text:
            return f"[{name}{number}]({address}{number})"
    return LACKING


def _repair(answer: Answer, proofs: Mapping[str, Proof]) -> str:
    """The first repair that passed, as code."""
    if not answer.repairs:
        return LACKING
    proof = proofs[answer.key]
    if not proof.changes:
        return f"{WRONG} none passes"
    title = proof.title if len(proof.title) <= LONGEST else f"{proof.title[: LONGEST - 1]}…"
    code = f"`` {title} ``".replace("|", "\\|")
    return f"{RIGHT} {code}" if is_equivalent(answer, proof) else f"{WRONG} other: {code}"


def _missing() -> Iterator[str]:
    for key, reasons in sorted(misses().items()):
        by_reason: dict[str, list[str]] = {}
        for aspect, reason in reasons.items():
            by_reason.setdefault(reason, []).append(aspect)
        for reason, aspects in by_reason.items():
            yield f"- {_name(key)}, {', '.join(aspects)}: {reason}."


def _judged(proofs: Mapping[str, Proof]) -> Iterator[str]:
    for key, proof in proofs.items():
        reason = judged(key, proof)
        if reason is not None:
            yield f"- {_name(key)}: `` {proof.title} ``. {reason}."
