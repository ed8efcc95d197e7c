"""The explanations of the recorded failures: right as answers.toml says, and word by word.

Aspects that are known to be wrong are in misses.toml. A test fails if one of them becomes right.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.explain.answers import answers
from tests.explain.failures import facts_of, failed
from tests.explain.scores import (
    ASPECTS,
    CALL,
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
