"""Collects, checks and ranks the repairs of all kinds."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import msgspec

from resnet_inspect.analysis.explain import patches
from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import DisagreeingSize, Repair
from resnet_inspect.analysis.explain.layer_origins import SizeOrigin
from resnet_inspect.analysis.explain.repairs import (
    axes,
    batches,
    broadcasts,
    containers,
    convolutions,
    data_shapes,
    element_types,
    examples,
    generators,
    hard_batches,
    input_shapes,
    inserted_layers,
    keys,
    labels,
    literals,
    loops,
    merges,
    model_inputs,
    op_ranks,
    outputs,
    products,
    ranges,
    ranks,
    reductions,
    reshape_targets,
    sequences,
    skips,
    windows,
)
from resnet_inspect.analysis.explain.repairs.building import Sized
from resnet_inspect.errors import PatchError

KINDS = (
    axes,
    batches,
    broadcasts,
    containers,
    convolutions,
    data_shapes,
    element_types,
    examples,
    generators,
    hard_batches,
    input_shapes,
    inserted_layers,
    keys,
    labels,
    literals,
    loops,
    merges,
    model_inputs,
    op_ranks,
    outputs,
    products,
    ranges,
    ranks,
    reductions,
    reshape_targets,
    sequences,
    skips,
    windows,
)
MOST_REPAIRS = 12
USED = 8.0  # a change of what a training that succeeded has used
COST_OF_DATA = 6.0  # changes of the data itself are only suggested if there are no others
LOST_BATCH = 2.0  # what a repair costs more if axis 0 is no longer the batch


def suggested(
    case: Case, problem: Problem, sides: Sequence[tuple[DisagreeingSize, SizeOrigin]]
) -> tuple[Repair, ...]:
    """Return the repairs of a problem, the best first."""
    sized = tuple(
        Sized(side, size, origin) for side, (size, origin) in zip(problem.sides, sides, strict=True)
    )
    repairs: dict[frozenset[tuple[str, str]], Repair] = {}
    for suggestion, texts in _valid(case, _all(case, problem, sized)):
        repair = _trained(case, suggestion)
        known = repairs.get(texts)
        if known is None or _cost(repair) < _cost(known):
            repairs[texts] = repair
    ranked = sorted(repairs.values(), key=_cost)
    usual = [repair for repair in ranked if _cost(repair) < COST_OF_DATA]
    return tuple((usual or ranked)[:MOST_REPAIRS])


def _all(case: Case, problem: Problem, sides: tuple[Sized, ...]) -> Iterator[Repair]:
    for kind in KINDS:
        yield from guarded(kind.suggest(case, problem, sides))


def _valid(
    case: Case, repairs: Iterator[Repair]
) -> Iterator[tuple[Repair, frozenset[tuple[str, str]]]]:
    """Yield the repairs whose patched files differ and can be parsed, with the texts of these."""
    files = case.crash.files
    for repair in repairs:
        by_file = patches.grouped(repair.edits)
        if not all(name in files for name in by_file):
            continue
        try:
            texts = frozenset(
                (name, text)
                for name, edits in by_file.items()
                if (text := patches.edited_text(files[name], edits)) != files[name]
            )
        except PatchError:
            continue
        if texts:
            yield repair, texts


def _cost(repair: Repair) -> float:
    return repair.cost + (0 if repair.keeps_batch else LOST_BATCH)


def _trained(case: Case, repair: Repair) -> Repair:
    """Return a repair with a higher cost if it changes what a training before has used."""
    crash = case.crash
    if crash.during not in ("evaluate", "predict") or not crash.frames:
        return repair
    failed = crash.frames[-1].site
    lines = [
        call.lineno
        for call in case.sources[failed.file].calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "fit"
    ]
    trained = any(repair.line.line < line < failed.line for line in lines)
    return msgspec.structs.replace(repair, cost=repair.cost + USED) if trained else repair


def guarded(repairs: Iterator[Repair]) -> Iterator[Repair]:
    """Yield repairs until code of an unknown form confuses their kind."""
    try:
        yield from repairs
    except (IndexError, KeyError, ValueError, TypeError, AttributeError):
        return
