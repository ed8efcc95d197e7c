"""The explanations of the recorded failures: right as answers.toml says, and word by word.

Aspects that are known to be wrong are in misses.toml. A test fails if one of them becomes right.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from docs.shape_errors.measures import MEASURES, Measure, fit_failures
from docs.shape_errors.page import PAGE
from docs.shape_errors.page import page as docs_page
from docs.shape_errors.results import read
from tests.explain.answers import answers
from tests.explain.failures import facts_of, failed
from tests.explain.proofs import equivalents, is_equivalent, judged
from tests.explain.scores import (
    ASPECTS,
    CALL,
    FIX,
    KIND,
    LINE,
    NONE,
    PAIR,
    as_known,
    misses,
    scores,
)
from tests.render.test_explanation_page import page

Golden = Callable[[str, str], None]
MISSED_TARGETS = {("line", "own")}
EXPECTED = [
    (key, aspect)
    for key in failed()
    for aspect in (KIND, CALL, LINE, PAIR)
    if answers()[key].kind != "none" and (aspect != PAIR or answers()[key].sizes)
]


def test_every_program_that_raises_an_exception_has_a_recorded_failure() -> None:
    raising = {key for key, answer in answers().items() if answer.error is not None}
    wrong = {key for key, reasons in misses().items() if NONE in reasons}
    assert set(failed()) == raising | wrong


def test_known_misses_are_of_programs_and_aspects() -> None:
    assert set(misses()) <= set(answers())
    for reasons in misses().values():
        assert reasons
        assert set(reasons) <= set(ASPECTS)
        assert all(reason and not reason.endswith(".") for reason in reasons.values())


@pytest.mark.parametrize(("key", "aspect"), EXPECTED, ids=map("-".join, EXPECTED))
def test_an_explanation_is_right(key: str, aspect: str) -> None:
    explanation = facts_of(key).explanation
    assert explanation is not None
    as_known(key, aspect, scores(explanation, answers()[key])[aspect])


@pytest.mark.parametrize("key", [key for key in failed() if key.startswith("own/")])
def test_the_page(key: str, golden: Golden) -> None:
    text = page(facts_of(key))
    golden(f"explain/{key}.txt", text)
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("key", [key for key, answer in answers().items() if answer.repairs])
def test_the_first_repair_that_passes_is_equivalent(key: str) -> None:
    as_known(key, FIX, is_equivalent(answers()[key], read()[key]))


def test_every_judged_repair_is_one_that_was_found() -> None:
    proofs = read()
    assert all(judged(key, proofs[key]) for key in equivalents())


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.title)
def test_the_targets_are_reached(measure: Measure) -> None:
    reached = {name for name in measure.targets if measure.reached(name, read())}
    missed = {name for title, name in MISSED_TARGETS if title == measure.title}
    assert reached == set(measure.targets) - missed


def test_the_line_of_a_mistake_is_named_for_failures_in_fit() -> None:
    failures = fit_failures()
    assert failures.total > 20
    assert failures.named >= 0.9 * failures.total
    assert failures.last < 0.2 * failures.total


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == docs_page(), "run `python -m docs.shape_errors page`"
