"""Question 1: where the 64 of the reshape comes from, and how shapes change layer by layer."""

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
    """From one forward trace and what was seen of its sizes."""
    run = runs[NAME][0]
    target, (axis,) = find(run.graph, "Reshape:1")
    found = why(run.graph, run.lineage, target, axis)
    return Answer(
        statements=(_written(found), _flowing(found), _moving(found), _changing(run)),
        tables=(_flow(run), _proof(found)),
        limits=("settings were tried one at a time, by tracing the network again",),
        see=(
            Command("why", ("Reshape:1", run.file)),
            Command("shapes", (run.file,)),
            Command("graph", (run.file,), ("--lineage", "Reshape:1", "-o", "network.svg")),
        ),
    )


def _written(found: Explanation) -> Statement:
    claim = "The size of axis 1 of Reshape is written in the network's source, not inferred"
    formula = found.formula
    if formula is None:
        measured = f"no expression was found that comes to {found.size}; it comes from"
        return Statement(claim, Verdict.NOT_DECIDED, f"{measured} {found.origin}")
    values = ", ".join(f"{name} = {value}" for name, value in formula.values.items())
    where = f"{formula.source.file}:{formula.source.line}"
    measured = f"{found.size} is `{formula.text}`" + f" with {values}" * bool(values)
    return fact(claim, found.chain[-1].literal, f"{measured}, in {where}", size=found.size)


def _flowing(found: Explanation) -> Statement:
    claim = "As many channels reach the reshape, by an expression of their own"
    if not found.inflow:
        return fact(claim, False, "no axis of that size flows in")
    birth, formula = found.inflow[-1], found.inflow_formula
    text = f", written `{formula.text}`" if formula else ""
    measured = f"{birth.size} channels are born at {birth.place}{text}"
    return fact(claim, birth.size == found.size, measured, size=birth.size)


def _moving(found: Explanation) -> Statement:
    moved = [row for row in found.proof if row.moved]
    still = [row.setting for row in found.proof if row.moved is False]
    told = ", ".join(
        f"{row.setting} {row.before} → {row.after} makes it {row.size_after}" for row in moved
    )
    measured = f"{told or 'no setting moves it'}; not by {', '.join(still) or 'any other'}"
    only = [row.setting for row in moved] == ["filters"]
    claim = "Of the settings that were tried, only `filters` moves it"
    if any(row.moved is None for row in found.proof):
        unknown = ", ".join(row.setting for row in found.proof if row.moved is None)
        return Statement(claim, Verdict.NOT_DECIDED, f"{measured}; unknown for {unknown}")
    return fact(claim, only, measured)


def _changing(run: VariantRun) -> Statement:
    rows = shape_table(run.graph, Depth.LAYER).rows
    changed = [row.name for row in rows if row.shape not in row.inputs]
    measured = f"{len(changed)} of {len(rows)} layers change it: {', '.join(changed)}"
    return fact(
        "Most layers hand on the shape that they take",
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
    return Grid("Layers that change the shape", ("layer", "type", "takes", "gives"), cells)


def _proof(found: Explanation) -> Grid:
    cells = tuple(
        (row.setting, row.before, row.after, row.size_before, row.size_after, row.note)
        for row in found.proof
    )
    columns = ("setting", "is", "tried", "size", "then", "")
    return Grid("What moves the size of Reshape axis 1", columns, cells)


STUDY = Study(
    "shapes",
    1,
    "Where does the 64 of `Reshape` come from? How does the shape change, layer by layer?",
    (Variant(NAME, trained=False),),
    answer,
)
