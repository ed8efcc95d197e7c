"""Divides a network into nested blocks, and finds the blocks that repeat.

Groups that the code made are blocks. Inside a group, or in a network without groups, neighbouring
layers are joined to blocks where all data passes through one layer, whatever their names are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import groupby

import msgspec

from resnet_inspect.analysis.diagram.chains import joined
from resnet_inspect.analysis.diagram.forms import Block, Forms
from resnet_inspect.analysis.diagram.items import Item, items
from resnet_inspect.analysis.diagram.naming import block_names, stage_name
from resnet_inspect.analysis.diagram.tandem import Tandem, tandems
from resnet_inspect.graph import Graph

# A group with more items is drawn as several blocks if it contains blocks.
LARGE = 24
# A network of more blocks is divided into stages by the sizes of their outputs.
MANY = 24
# The fewest boxes that a repetition must save.
SAVED = 2


class Run(msgspec.Struct, frozen=True):
    """Consecutive blocks with equal computation.

    `shown` is the drawn path of the first. `paths` are those of the blocks, empty for blocks of
    one item.
    """

    blocks: tuple[Block, ...]
    shown: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...] = ()

    @property
    def last(self) -> str:
        """The name of the last block."""
        return self.paths[-1][-1] if self.paths else self.blocks[-1][0].name

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the units that are the first block, at different levels."""
        if not self.paths:
            item = self.blocks[0][0]
            return (item.key, *(f"op:{op}" for op in item.ops if len(item.ops) == 1))
        path = self.paths[0]
        return (f"block:{'/'.join(path)}", f"stage:{'/'.join(path)}")


@dataclass(eq=False)
class Part:
    """A group of the code, a block of neighbouring parts, or one item."""

    name: str = ""
    children: list[Part] = field(default_factory=list)
    item: Item | None = None
    made: bool = False
    stage: bool = False
    repeated: bool = False
    runs: list[list[Part]] = field(default_factory=list)

    @property
    def items(self) -> Block:
        """All items in it, in order."""
        if self.item is not None:
            return (self.item,)
        return tuple(item for child in self.children for item in child.items)


class Place(msgspec.Struct, frozen=True):
    """The groups that contain an item, outermost first.

    `shown` are those that are drawn around layers. `block` and `stage` are those up to the one
    that is a box at these levels, empty if the item itself is a box. `around` are those that are
    drawn around the block.
    """

    path: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()


class Outline(msgspec.Struct, frozen=True, dict=True):
    """The items of a network by op, their places by key, and the runs of equal blocks.

    Runs are in order of depth: blocks of a run may contain other runs.
    """

    items: dict[str, Item]
    places: dict[str, Place]
    runs: tuple[Run, ...]

    @cached_property
    def named(self) -> dict[str, frozenset[str]]:
        """The ops of each group and block, by its name and by its path."""
        ops: dict[str, set[str]] = {}
        for op, item in self.items.items():
            path = self.places[item.key].path
            for depth in range(1, len(path) + 1):
                for name in {path[depth - 1], "/".join(path[:depth])}:
                    ops.setdefault(name, set()).add(op)
        return {name: frozenset(inside) for name, inside in ops.items()}


def outline(graph: Graph, scope: frozenset[str] = frozenset()) -> Outline:
    """Return the blocks of a network. The ops in `scope` belong to it in any phase."""
    parts = items(graph, scope)
    forms = Forms(graph, parts)
    root = _grouped(parts)
    _divide(root, forms)
    _divide_into_stages(graph, root)
    places: dict[str, Place] = {}
    runs: list[tuple[int, Run]] = []
    _place(root, Place(), places, runs)
    runs.sort(key=lambda pair: pair[0])
    owner = {name: item for item in parts for name in item.ops}
    return Outline(owner, places, tuple(run for _, run in runs))


def _grouped(parts: Sequence[Item]) -> Part:
    """Return the groups that the code made, with their items, in order of their last item."""
    root = Part()
    groups: dict[tuple[str, ...], Part] = {(): root}
    last: dict[Part, int] = {}
    for at, item in enumerate(parts):
        for depth in range(1, len(item.path) + 1):
            path = item.path[:depth]
            if path not in groups:
                groups[path] = Part(path[-1])
                groups[path[:-1]].children.append(groups[path])
            last[groups[path]] = at
        leaf = Part(item.name, item=item)
        groups[item.path].children.append(leaf)
        last[leaf] = at
    for part in groups.values():
        part.children.sort(key=last.__getitem__)
    return root


def _divide(part: Part, forms: Forms) -> None:
    """Join the children of a group to blocks, and find the blocks that repeat; inner ones first."""
    for child in part.children:
        if child.item is None:
            _divide(child, forms)
    pieces = joined([child.items for child in part.children])
    blocks = [
        tuple(item for child in part.children[start:end] for item in child.items)
        for start, end in pieces
    ]

    def block(at: int, period: int) -> Block:
        return tuple(item for member in blocks[at : at + period] for item in member)

    def continues(before: Tandem, at: int) -> bool:
        starts = range(before.start, before.end, before.period)
        run = [block(start, before.period) for start in starts[-2:]]
        following = block(at, before.period)
        return forms.of(run[-1]) == forms.of(following) and forms.repeated(run, following)

    runs = tandems(
        [forms.of(members) for members in blocks],
        [len(members) for members in blocks],
        continues,
        SAVED,
    )
    starts = {run.start: run for run in runs}
    children: list[Part] = []
    at = 0
    while at < len(pieces):
        run = starts.get(at, Tandem(at, 1, 1))
        made = []
        for start in range(run.start, run.end, run.period):
            members = part.children[pieces[start][0] : pieces[start + run.period - 1][1]]
            groups = any(child.item is None for child in members)
            if run.times == 1 and (groups or len(pieces) == 1):
                children += members
                continue
            single = len(members) == 1
            made.append(members[0] if single else Part(children=members, made=True))
            children.append(made[-1])
        if run.times > 1:
            part.runs.append(made)
            for member in made:
                member.repeated = True
        at = run.end
    part.children = children
    _name(children)


def _name(children: Sequence[Part]) -> None:
    """Name the blocks that the code did not make."""
    taken = {child.name for child in children if not child.made}
    blocks = [child for child in children if child.made]
    names = block_names([child.items for child in blocks], taken)
    for child, name in zip(blocks, names, strict=True):
        child.name = name


def _divide_into_stages(graph: Graph, part: Part) -> None:
    """Group the blocks of a large network or group without inner groups by their output sizes."""
    for child in part.children:
        if not child.made:
            _divide_into_stages(graph, child)
    copies = sum(len(run) - 1 for run in part.runs)
    grouped = any(not child.made and child.item is None for child in part.children)
    if grouped or len(part.children) - copies <= MANY:
        return
    stages = [list(members) for _, members in groupby(part.children, partial(_size, graph))]
    part.children = []
    for members in stages:
        if len(members) == 1:
            part.children += members
            continue
        runs = [run for run in part.runs if run[0] in members]
        part.children.append(Part(children=members, made=True, stage=True, runs=runs))
    inside = [run for stage in part.children for run in stage.runs if stage.stage]
    part.runs = [run for run in part.runs if run not in inside]
    taken = {child.name for child in part.children if not child.stage}
    for child in part.children:
        if child.stage:
            child.name = stage_name([inner.name for inner in child.children], taken)
            taken.add(child.name)


def _size(graph: Graph, part: Part) -> tuple[int | None, ...] | None:
    """Return the sizes of a part's output without batch and channels."""
    output = part.items[-1].output
    specs = graph.op_by_name[output.op].outputs
    shape = specs[output.index].shape if specs else None
    return shape[1:-1] if shape else None


def _place(
    part: Part,
    around: Place,
    places: dict[str, Place],
    runs: list[tuple[int, Run]],
) -> None:
    """Set the places of all items in a part, and add its runs with their depth."""
    for run in part.runs:
        blocks = tuple(member.items for member in run)
        paths = tuple((*around.path, member.name) for member in run)
        single = run[0].item is not None
        shown = (*around.shown, run[0].name)
        runs.append((len(around.path), Run(blocks, shown, () if single else paths)))
    for child in part.children:
        if child.item is not None:
            places[child.item.key] = around
            continue
        path = (*around.path, child.name)
        shown = around.shown if child.made and not child.repeated else (*around.shown, child.name)
        boxed = () if around.block or _is_open(child) else path
        place = Place(
            path,
            shown,
            around=around.shown if boxed else around.around,
            block=around.block or boxed,
            stage=around.stage or (() if any(part.stage for part in child.children) else path),
        )
        _place(child, place, places, runs)


def _is_open(part: Part) -> bool:
    """Whether a group is several blocks: it contains only groups, or is large."""
    groups = [child for child in part.children if child.item is None]
    if part.stage or all(child.item is None and not child.made for child in part.children):
        return True
    return len(groups) > 1 and len(part.items) > LARGE


def counterparts(run: Run) -> tuple[dict[str, tuple[str, int]], dict[str, str]]:
    """Return the counterparts of ops and variables in the first block of a run.

    For each op the index of its block in the run, from 0, is added.
    """
    ops: dict[str, tuple[str, int]] = {}
    variables: dict[str, str] = {}
    for at, block in enumerate(run.blocks):
        for item, model in zip(block, run.blocks[0], strict=True):
            pairs = zip(item.ops, model.ops, strict=True)
            ops.update({name: (first, at) for name, first in pairs})
            variables.update(zip(item.variables, model.variables, strict=True))
    return ops, variables
