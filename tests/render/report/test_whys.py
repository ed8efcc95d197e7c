"""The page explains each axis of a run as the command `why` does."""

from __future__ import annotations

import gzip
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.sizes.axes import Axes
from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.why import Explanation, why
from resnet_inspect.cli.main import main
from resnet_inspect.graph import TensorRef
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.why_page import origin_lines
from resnet_inspect.store.run import Run
from tests.recordings import FOLDER

RUNS = ("v1", "v2", "own_model")


@cache
def facts_of(name: str) -> Any:
    """The facts in the page of a recording."""
    with Run.open(FOLDER / f"{name}.db") as run:
        page = api.report(run)
    match = re.search(r'id="facts">([^<]+)<', page)
    assert match is not None
    return msgspec.json.decode(gzip.decompress(b64decode(match[1])))


def tensors(facts: Any) -> Iterator[tuple[str, int, list[Any] | int]]:
    """Each op and output of the page with its axes; output -1 for variables."""
    for name, _, _, _, _, axes in facts["ops"]:
        for index, of_output in enumerate(axes):
            yield name, index, of_output
    for name, _, _, _, _, _, axes in facts["variables"]:
        yield name, -1, axes


@pytest.mark.parametrize("name", RUNS)
def test_every_axis_is_explained_as_by_why(name: str, recording: Callable[[str], Run]) -> None:
    run = recording(name)
    facts = facts_of(name)
    graph = run.graph
    seen = 0
    for tensor, index, axes in tensors(facts):
        if index < 0:
            shape = graph.variable_by_name[tensor].spec.shape or ()
            target = Target(tensor, shape, "", 0, True)
        else:
            target = Target.of(graph, TensorRef(tensor, index))
        assert not isinstance(axes, int), f"{tensor}:{index} is left out"
        assert len(axes) == len(target.shape)
        for axis, packed in enumerate(axes):
            alone = why(graph, run.lineage, target, axis)
            agrees(facts, packed, msgspec.to_builtins(alone))
            lines = [[label, text.splitlines() or [""]] for label, text in origin_lines(alone)]
            assert facts["texts"][packed[0]]["facts"] == lines
            seen += 1
    ops = sum(len(spec.shape or ()) for op in graph.ops for spec in op.outputs)
    assert seen == ops + sum(len(variable.spec.shape or ()) for variable in graph.variables)


@pytest.mark.parametrize("name", RUNS)
def test_it_is_what_the_command_prints(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    facts = facts_of(name)
    axes_of = {layer["name"]: layer["axes"] for layer in facts["layers"]}
    axes_of |= {row[0]: row[6] for row in facts["variables"] if not row[0].endswith("/Momentum")}
    if not facts["layers"]:
        axes_of |= {op: axes[0] for op, *_, axes in facts["ops"] if len(axes) == 1}
    for place, axes in axes_of.items():
        main(["why", place, "--json", "--run", str(FOLDER / f"{name}.db")])
        answer = msgspec.json.decode(capsys.readouterr().out)
        for packed, axis in zip(axes, answer.get("axes", [answer]), strict=True):
            agrees(facts, packed, axis)


def agrees(facts: Any, packed: list[Any], expected_axis: dict[str, Any]) -> None:
    """One axis of the page against the JSON object of an explanation."""
    number, step, size, _ = packed
    shared = facts["texts"][number]
    assert size == spelling.size_text(expected_axis["size"])
    assert shared["formula"] == (
        expected_axis["formula"]["text"] if expected_axis["formula"] else ""
    )
    assert shared["inflow"] == bool(expected_axis["inflow"])
    path = []
    while step >= 0:
        text, place, _, layer, _, step = facts["ways"][step]
        path.append((text, place, layer))
    expected = expected_axis["inflow"] or expected_axis["chain"]
    assert path == [(spelling.size_text(s["size"]), s["place"], s["layer"]) for s in expected]
    proof = facts["proofs"][shared["proof"]]
    moved = {None: "?", True: "yes", False: "no"}
    assert [(row[0], row[1], row[3], row[4]) for row in proof] == [
        (row["setting"], f"{row['before']} → {row['after']}", moved[row["moved"]], row["note"])
        for row in expected_axis["proof"]
    ]
    dangers = [label for label, _ in shared["facts"] if label == "danger"]
    assert len(dangers) == len(expected_axis["couplings"])


def test_shared_parts_are_stored_once() -> None:
    facts = facts_of("v2")
    for kind in ("texts", "ways", "proofs", "lines", "specs"):
        rows = [msgspec.json.encode(row) for row in facts[kind]]
        assert len(set(rows)) == len(rows), kind


def test_a_large_graph_has_only_its_forward_pass_explained(
    recording: Callable[[str], Run],
) -> None:
    run = recording("v2")
    axes = Axes(run.graph, run.lineage, most=100)
    left_out: dict[str, int] = {}
    for op in run.graph.ops:
        for index, spec in enumerate(op.outputs):
            explained: tuple[Explanation, ...] | None = axes.of(TensorRef(op.name, index))
            if explained is not None:
                assert op.phase == "forward"
                assert len(explained) == len(spec.shape or ())
            else:
                left_out[op.phase] = left_out.get(op.phase, 0) + len(spec.shape or ())
    assert set(left_out) == {"backward", "optimizer", "other"}
    assert axes.left_out == sum(left_out.values())
