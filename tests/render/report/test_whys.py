"""The page's answers to `why` are those of the command, for each axis of a run."""

from __future__ import annotations

import gzip
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
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


def facts_of(run: Run) -> Any:
    """What the page's data blocks hold of a run."""
    found = re.search(r'id="facts">([^<]+)<', api.report(run))
    assert found is not None
    return msgspec.json.decode(gzip.decompress(b64decode(found[1])))


def tensors(facts: Any) -> Iterator[tuple[str, int, list[Any] | int]]:
    """Each op and output of the page with its axes; output -1 for variables."""
    for name, _, _, _, _, axes in facts["ops"]:
        for index, one in enumerate(axes):
            yield name, index, one
    for name, _, _, _, _, _, axes in facts["variables"]:
        yield name, -1, axes


@pytest.mark.parametrize("name", RUNS)
def test_every_axis_is_told_as_why_tells_it(name: str, recording: Callable[[str], Run]) -> None:
    run = recording(name)
    facts = facts_of(run)
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
            assert facts["told"][packed[0]]["facts"] == lines
            seen += 1
    ops = sum(len(spec.shape or ()) for op in graph.ops for spec in op.outputs)
    assert seen == ops + sum(len(one.spec.shape or ()) for one in graph.variables)


@pytest.mark.parametrize("name", RUNS)
def test_it_is_what_the_command_prints(
    name: str, recording: Callable[[str], Run], capsys: pytest.CaptureFixture[str]
) -> None:
    facts = facts_of(recording(name))
    asked = {layer["name"]: layer["axes"] for layer in facts["layers"]}
    asked |= {one[0]: one[6] for one in facts["variables"] if not one[0].endswith("/Momentum")}
    if not facts["layers"]:
        asked |= {op: axes[0] for op, *_, axes in facts["ops"] if len(axes) == 1}
    for place, axes in asked.items():
        main(["why", place, "--json", "--run", str(FOLDER / f"{name}.db")])
        told = msgspec.json.decode(capsys.readouterr().out)
        for packed, one in zip(axes, told.get("axes", [told]), strict=True):
            agrees(facts, packed, one)


def agrees(facts: Any, packed: list[Any], told: dict[str, Any]) -> None:
    """One axis of the page against the JSON object of an explanation."""
    number, step, size, _ = packed
    shared = facts["told"][number]
    assert size == spelling.size_text(told["size"])
    assert shared["formula"] == (told["formula"]["text"] if told["formula"] else "")
    assert shared["inflow"] == bool(told["inflow"])
    way = []
    while step >= 0:
        text, place, _, layer, _, step = facts["ways"][step]
        way.append((text, place, layer))
    expected = told["inflow"] or told["chain"]
    assert way == [(spelling.size_text(s["size"]), s["place"], s["layer"]) for s in expected]
    proof = facts["proofs"][shared["proof"]]
    moved = {None: "?", True: "yes", False: "no"}
    assert [(row[0], row[1], row[3], row[4]) for row in proof] == [
        (row["setting"], f"{row['before']} → {row['after']}", moved[row["moved"]], row["note"])
        for row in told["proof"]
    ]
    dangers = [label for label, _ in shared["facts"] if label == "danger"]
    assert len(dangers) == len(told["couplings"])


def test_what_axes_share_stands_once(recording: Callable[[str], Run]) -> None:
    facts = facts_of(recording("v2"))
    for kind in ("told", "ways", "proofs", "lines", "specs"):
        rows = [msgspec.json.encode(row) for row in facts[kind]]
        assert len(set(rows)) == len(rows), kind


def test_a_large_graph_has_only_its_forward_pass_explained(
    recording: Callable[[str], Run],
) -> None:
    run = recording("v2")
    axes = Axes(run.graph, run.lineage, most=100)
    found: dict[str, int] = {}
    for op in run.graph.ops:
        for index, spec in enumerate(op.outputs):
            told: tuple[Explanation, ...] | None = axes.of(TensorRef(op.name, index))
            if told is not None:
                assert op.phase == "forward"
                assert len(told) == len(spec.shape or ())
            else:
                found[op.phase] = found.get(op.phase, 0) + len(spec.shape or ())
    assert set(found) == {"backward", "optimizer", "other"}
    assert axes.left_out == sum(found.values())
