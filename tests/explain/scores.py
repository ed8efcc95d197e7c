"""Compares explanations of the programs with their answers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import permutations

from resnet_inspect.analysis.explain.explanation import DisagreeingSize, Explanation, Line
from tests.explain.answers import FOLDER, Answer, Origin

KIND, CALL, LINE, PAIR, FIX = "kind", "call", "line", "pair", "fix"
NONE, FINDING = "none", "finding"  # of programs that raise nothing
ASPECTS = (KIND, CALL, LINE, PAIR, FIX, NONE, FINDING)


@cache
def misses() -> Mapping[str, Mapping[str, str]]:
    """The known misses: by program the reason for each aspect, from misses.toml."""
    return tomllib.loads((FOLDER / "misses.toml").read_text(encoding="utf-8"))


def scores(explanation: Explanation, answer: Answer) -> dict[str, bool]:
    """Whether each aspect of an explanation is right; without aspects that the answer lacks."""
    call = explanation.call.line if explanation.call is not None else None
    results = {
        KIND: explanation.kind.value == answer.kind,
        CALL: call in {answer.call_line, answer.reported_line},
        LINE: bool(named_lines(explanation) & set(answer.fault_lines)),
    }
    if answer.sizes:
        pairs = answer.sizes, answer.sizes_also
        results[PAIR] = any(pair_is_right(explanation.sizes, pair) for pair in pairs)
    return results


def as_known(key: str, aspect: str, right: bool) -> None:
    """Check that an aspect of a program is right, or that misses.toml says that it is wrong."""
    reason = misses().get(key, {}).get(aspect)
    assert right or reason is not None, f"{key}: {aspect} is wrong"
    assert not right or reason is None, f"{key}: {aspect} is right, remove it from misses.toml"


def named_lines(explanation: Explanation) -> set[int]:
    """The lines that an explanation names: call, origins of sizes with steps, first repair."""
    lines = {line for size in explanation.sizes for line in lines_of(size)}
    repaired = [repair.line for repair in explanation.repairs[:1]]
    return lines | numbers([explanation.call, *repaired])


def lines_of(size: DisagreeingSize) -> set[int]:
    """The lines of the origin of a size, and of the steps from there to the call."""
    return numbers([size.line, *(step.line for step in size.steps)])


def numbers(lines: Iterable[Line | None]) -> set[int]:
    """The numbers of lines."""
    return {line.line for line in lines if line is not None}


def pair_is_right(sizes: tuple[DisagreeingSize, ...], pair: tuple[Origin, ...]) -> bool:
    """Whether two sizes and the lines of their origins are those of the answer, in any order."""
    return len(sizes) == len(pair) == 2 and any(
        all(map(_is_right, order, pair)) for order in permutations(sizes)
    )


def _is_right(size: DisagreeingSize, origin: Origin) -> bool:
    return (
        size.size == origin.size
        and size.of.startswith("axes") == (origin.unit == "axes")
        and bool(lines_of(size) & set(origin.lines))
    )
