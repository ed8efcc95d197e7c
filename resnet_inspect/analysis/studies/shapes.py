"""Question 1: the origin of the 64 in the reshape, and how shapes change layer by layer."""

from __future__ import annotations

from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.analysis.sizes.shapes import shapes as shape_table
from resnet_inspect.analysis.sizes.why import Explanation, why
from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, Verdict, fact
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command
from resnet_inspect.graph import spell_shape

NAME = "tutorial"


def answer(runs: VariantRuns) -> Answer:
    """Answer from one forward trace and the origins of its sizes."""
    run = runs[NAME][0]
    target, (axis,) = find(run.graph, "Reshape:1")
    explanation = why(run.graph, run.lineage, target, axis)
    return Answer(
        statements=(
            _written(explanation),
            _incoming(explanation),
            _moving(explanation),
            _changing(run),
        ),
        tables=(_flow(run), _proof(explanation)),
        limits=("The network was re-traced with one changed setting at a time.",),
        see=(
            Command("why", ("Reshape:1", run.file)),
            Command("shapes", (run.file,)),
            Command("graph", (run.file,), ("--lineage", "Reshape:1", "-o", "network.svg")),
        ),
    )


def _written(explanation: Explanation) -> Statement:
    claim = "The size of axis 1 of Reshape is hard-coded in the network's source, not inferred"
    formula = explanation.formula
    if formula is None:
        measured = f"no expression with the value {explanation.size} was found"
        return Statement(claim, Verdict.NOT_DECIDED, f"{measured}; origin: {explanation.origin}")
    values = ", ".join(f"{name} = {value}" for name, value in formula.values.items())
    where = f"{formula.source.file}:{formula.source.line}"
    measured = f"{explanation.size} is `{formula.text}`" + f" with {values}" * bool(values)
    return fact(
        claim, explanation.chain[-1].literal, f"{measured}, in {where}", size=explanation.size
    )


def _incoming(explanation: Explanation) -> Statement:
    claim = "The reshape's input has the same number of channels, from a separate expression"
    if not explanation.inflow:
        return fact(claim, False, "no axis of the input has that size")
    origin, formula = explanation.inflow[-1], explanation.inflow_formula
    text = f", written as `{formula.text}`" if formula else ""
    measured = f"{origin.size} channels originate at {origin.place}{text}"
    return fact(claim, origin.size == explanation.size, measured, size=origin.size)


def _moving(explanation: Explanation) -> Statement:
    moved = [row for row in explanation.proof if row.moved]
    still = [row.setting for row in explanation.proof if row.moved is False]
    changes = ", ".join(
        f"{row.setting} {row.before} → {row.after} makes it {row.size_after}" for row in moved
    )
    measured = f"{changes or 'no setting changes it'}; no effect: {', '.join(still) or 'none'}"
    only = [row.setting for row in moved] == ["filters"]
    claim = "Of the tried settings, only `filters` changes this size"
    if any(row.moved is None for row in explanation.proof):
        unknown = ", ".join(row.setting for row in explanation.proof if row.moved is None)
        return Statement(claim, Verdict.NOT_DECIDED, f"{measured}; unknown: {unknown}")
    return fact(claim, only, measured)


def _changing(run: VariantRun) -> Statement:
    rows = shape_table(run.graph, Depth.LAYER).rows
    changed = [row.name for row in rows if row.shape not in row.inputs]
    measured = f"{len(changed)} of {len(rows)} layers change the shape: {', '.join(changed)}"
    return fact(
        "Most layers keep the shape of their input",
        2 * len(changed) < len(rows),
        measured,
        changing=len(changed),
        layers=len(rows),
    )


def _flow(run: VariantRun) -> Grid:
    rows = shape_table(run.graph, Depth.LAYER).rows
    changed = (row for row in rows if row.shape not in row.inputs)
    cells = tuple(
        (row.name, row.type, " + ".join(map(spell_shape, row.inputs)), spell_shape(row.shape))
        for row in changed
    )
    return Grid("Layers that change the shape", ("layer", "type", "input", "output"), cells)


def _proof(explanation: Explanation) -> Grid:
    cells = tuple(
        (row.setting, row.before, row.after, row.size_before, row.size_after, row.note)
        for row in explanation.proof
    )
    columns = ("setting", "value", "tried", "size", "new size", "note")
    return Grid("Settings and the size of Reshape axis 1", columns, cells)


STUDY = Study(
    "shapes",
    1,
    "Where does the 64 of `Reshape` come from? How does the shape change layer by layer?",
    (Variant(NAME, trained=False),),
    answer,
)
