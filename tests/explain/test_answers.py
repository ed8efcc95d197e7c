"""The answers fit the texts of their programs, and the programs do not give them away."""

from __future__ import annotations

import io
import tokenize

import pytest

from tests.explain.answers import PROGRAMS, Answer, answers

KINDS = {"shape", "dtype", "structure", "index", "memory", "silent", "none"}
TIMES = {"fit", "predict", "build", "session", "loop"}


def test_each_program_has_an_answer() -> None:
    programs = {f"{file.parent.name}/{file.stem}" for file in PROGRAMS.glob("*/*.py")}
    assert programs == set(answers())


def test_the_programs_from_threads_are_spread_over_the_times_of_a_failure() -> None:
    threads = [answer for answer in answers().values() if answer.key.startswith("threads/")]
    assert len(threads) == 20
    assert sum(answer.when == "fit" for answer in threads) >= 9
    assert sum("tf1_" in answer.key for answer in threads) == 5
    assert {answer.when for answer in threads} == TIMES


@pytest.mark.parametrize("answer", answers().values(), ids=answers())
def test_an_answer_fits_the_text_of_its_program(answer: Answer) -> None:
    lines = answer.source.splitlines()
    assert answer.kind in KINDS
    assert answer.when in TIMES
    assert (answer.error is None) == (answer.kind in {"silent", "none"})
    assert (answer.call_line is None) == (answer.kind == "none")
    assert len(answer.sizes) == {"shape": 2, "index": 2, "silent": 1}.get(answer.kind, 0)
    for origin in (*answer.sizes, *answer.sizes_also):
        assert origin.expression in lines[origin.line - 1]
        assert origin.unit in {"size", "axes"}
    assert all(0 < line <= len(lines) for line in answer.fault_lines)
    for repair in answer.repairs:
        compile(repair.applied(answer.source), answer.key, "exec")


@pytest.mark.parametrize("answer", answers().values(), ids=answers())
def test_a_program_has_no_comment(answer: Answer) -> None:
    tokens = tokenize.generate_tokens(io.StringIO(answer.source).readline)
    assert not [token.string for token in tokens if token.type == tokenize.COMMENT]
