"""The page of `fix`, from reports made here."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect.analysis.explain.explanation import Explanation, Kind, Line, Repair
from resnet_inspect.analysis.explain.proof import (
    Attempt,
    Evidence,
    FileChange,
    FixReport,
    Outcome,
    Verdict,
    ranked,
)
from resnet_inspect.commands import Command
from resnet_inspect.render.documents import json_document
from resnet_inspect.render.pages.fix_page import evidence_text, fix_fields, fix_page, warnings_of
from resnet_inspect.render.screen import Screen

BEFORE = b"import keras\n\nmodel = keras.Sequential([\n\tkeras.layers.Dense(4),\n])\n"
LINE = Line("train.py", 4, "<module>", "keras.layers.Dense(4),")
EXPLANATION = Explanation(
    Kind.SHAPE,
    "loss mse compares the output (10, 4) with labels (10, 3): axis 1 has 4 and 3",
    LINE,
)


def attempt(
    units: str,
    evidence: Evidence | None = None,
    *,
    outcome: Outcome = Outcome.PASSED,
    reason: str = "",
    keeps_batch: bool = True,
    cost: float = 1.0,
) -> Attempt:
    title = f"Dense(4) → Dense({units})"
    why = "3 is the size of the labels" if units == "3" else ""
    repair = Repair("change-units", title, LINE, (), keeps_batch, why, cost)
    after = BEFORE.replace(b"(4)", f"({units})".encode())
    changes = (FileChange("train.py", "/here/train.py", BEFORE, after),)
    passed = outcome is Outcome.PASSED
    return Attempt(
        (repair,), outcome, reason, evidence or Evidence(), changes if passed else (), ("epoch 1",)
    )


GOOD = attempt("3", Evidence("fit", 3, 2.3125, 2.0501, keeps_batch=True))
NOT_FINITE = attempt(
    "3 * 1", Evidence("predict", finite=False, ended=True, note="stopped after 61 s")
)
FAILED = attempt("5", outcome=Outcome.FAILED, reason="line 9 raises ValueError: shapes\x1b[31m")
LOST = attempt("n", Evidence("fit", 1, 0.5, 0.5, keeps_batch=False))
REPORTS = {
    "repaired": FixReport(
        Verdict.REPAIRED, "train.py", EXPLANATION, (GOOD, NOT_FINITE), (FAILED, LOST), 2, 4
    ),
    "unrepaired": FixReport(Verdict.UNREPAIRED, "-m package.train", EXPLANATION, (), (FAILED,)),
    "unknown": FixReport(Verdict.UNREPAIRED, "train.py", EXPLANATION),
    "nothing": FixReport(Verdict.NOTHING, "train.py", steps=1200, note="stopped after 60 s"),
    "ended": FixReport(Verdict.NOTHING, "train.py"),
    "other": FixReport(
        Verdict.OTHER, "train.py", Explanation(Kind.OTHER, "KeyError: 'val_loss'", LINE)
    ),
    "dtype": FixReport(
        Verdict.OTHER,
        "train.py",
        Explanation(Kind.DTYPE, "not a shape error: MatMul needs equal types", LINE),
    ),
    "memory": FixReport(Verdict.OTHER, "train.py", note="stopped above 8.0 GB of memory"),
}


def page(report: FixReport, *, every: bool = False, width: int = 80) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    command = Command("fix", options=("--apply", "train.py", "--name", "a b"))
    fix_page(Screen(file, width=width), report, every=every, apply=command)
    file.seek(0)
    return file.read()


@pytest.mark.parametrize("name", REPORTS)
def test_pages(golden: Callable[[str, str], None], name: str) -> None:
    golden(f"fix/{name}.txt", page(REPORTS[name]))


def test_all_repairs(golden: Callable[[str, str], None]) -> None:
    golden("fix/repaired_all.txt", page(REPORTS["repaired"], every=True, width=60))


def test_json(golden: Callable[[str, str], None]) -> None:
    text = json_document(**fix_fields(REPORTS["repaired"]))
    assert json.loads(text)["offered"][0]["diff"].splitlines()[:2] == [
        "--- a/train.py",
        "+++ b/train.py",
    ]
    golden("fix/repaired.json", text)


def test_at_most_three_repairs_are_shown() -> None:
    many = msgspec.structs.replace(REPORTS["repaired"], offered=(GOOD,) * 5, others=(), untried=0)
    assert page(many).count("\n--- a/train.py\n") == 3
    assert "2 more repairs tried; show them with --all" in page(many)
    assert page(many, every=True).count("\n--- a/train.py\n") == 5


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        (Evidence("fit", 3, 2.31, 2.05, keeps_batch=True),
         "3 training steps run, loss 2.31 → 2.05, batch axis kept"),
        (Evidence("fit", 1, 2.31, 2.31), "1 training step run, loss 2.31"),
        (Evidence("fit"), "fit passes"),
        (Evidence("line 9", ended=True), "line 9 passes, the script ends without an error"),
        (Evidence("predict", 6, keeps_batch=True),
         "predict passes, 6 training steps run, batch axis kept"),
        (Evidence("fit", 3, 1e-7, 12345.678), "3 training steps run, loss 1e-07 → 1.235e+04"),
    ],
)  # fmt: skip
def test_evidence(evidence: Evidence, text: str) -> None:
    assert evidence_text(evidence) == text


def test_warnings() -> None:
    assert list(warnings_of(attempt("3", Evidence("fit", 3, 0.0, 0.0)))) == [
        "the loss is 0 from the first step, so nothing is learned"
    ]
    assert list(warnings_of(attempt("3", Evidence("fit", 3, 0.0, 0.1)))) == []
    assert list(warnings_of(attempt("3", keeps_batch=False))) == [
        "axis 0 of predictions is no longer the batch"
    ]


def test_the_order_of_repairs() -> None:
    cheap, costly = attempt("a", cost=1), attempt("b", cost=2)
    idle = attempt("c", Evidence("fit", 3, 0.0, 0.0), cost=0)
    lost = attempt("d", keeps_batch=False, cost=0)
    measured = attempt("e", Evidence(keeps_batch=True), keeps_batch=False, cost=1.5)
    assert ranked([costly, idle, FAILED, lost, measured, cheap]) == [cheap, measured, costly, idle]
    assert ranked([FAILED, lost]) == [lost]
