"""Joins neighbouring parts of a network to blocks: where paths meet again, by names, in chains."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from resnet_inspect.analysis.diagram.cuts import Span, segments
from resnet_inspect.analysis.diagram.forms import Block
from resnet_inspect.analysis.diagram.items import Item
from resnet_inspect.analysis.diagram.layer_types import ACTIVATIONS, FOLLOWERS, LEADERS
from resnet_inspect.analysis.diagram.naming import common_name, given, matched, pattern

# A block of fewer layers does not show how the user names blocks.
NAMED = 3


def joined(parts: Sequence[Block]) -> list[Span]:
    """Return the blocks of a sequence of parts, as ranges of positions.

    A block is what lies between two parts through which all data passes. Blocks whose names have
    the same beginning are one. In a chain, padding, normalizations, activations and dropout belong
    to the layer beside them.
    """
    spans = segments(parts)
    names = _block_names(parts, spans)
    spans = [
        (run[0][0], run[-1][1]) for run in (list(group) for _, group in _by_name(spans, names))
    ]
    blocks: list[Span] = []
    for span in spans:
        if blocks and _belongs(parts, blocks[-1], span, names):
            blocks[-1] = (blocks[-1][0], span[1])
        else:
            blocks.append(span)
    return blocks


def _by_name(spans: Sequence[Span], names: Sequence[str]) -> groupby[object, Span]:
    """Group neighbouring segments in which all names give the same block."""

    def block(span: Span) -> object:
        inside = set(names[span[0] : span[1]])
        return next(iter(inside)) if len(inside) == 1 and inside != {""} else span

    return groupby(spans, key=block)


def _block_names(parts: Sequence[Block], spans: Sequence[Span]) -> list[str]:
    """Return the block that each part's name gives, such as `block_3` for `block_3_expand`.

    How names give blocks is known from segments with several paths, such as residual blocks. A
    part without a name of its own has the name of its segment.
    """
    known = set()
    for start, end in spans:
        named = [name for block in parts[start:end] for item in block if (name := given(item))]
        if len(named) >= NAMED:
            known.add(pattern(common_name(named)))
    known.discard("")
    patterns = [re.compile(text) for text in sorted(known, key=len)]
    names = []
    for start, end in spans:
        inside = [[given(item) for item in block] for block in parts[start:end]]
        own = [matched(common_name(block), patterns) if any(block) else "" for block in inside]
        shared = {name for name, block in zip(own, inside, strict=True) if any(block)}
        single = next(iter(shared)) if len(shared) == 1 else ""
        names += [name if any(block) else single for name, block in zip(own, inside, strict=True)]
    return names


def _belongs(parts: Sequence[Block], block: Span, span: Span, names: Sequence[str]) -> bool:
    """Whether a segment of one layer continues the block before it."""
    if span[1] - span[0] > 1 or len(parts[span[0]]) > 1:
        return False
    item, before = parts[span[0]][0], parts[block[1] - 1][-1]
    if names[span[0]] != names[block[1] - 1] or not reads(item, before):
        return False
    chain = parts[block[0] : block[1]]
    if len(chain) == 1 and len(chain[0]) > 1:
        return False
    if all(len(part) == 1 and part[0].type in LEADERS for part in chain):
        return True
    main = next((at for at, part in enumerate(chain) if part[0].type not in LEADERS), 0)
    simple = all(len(part) == 1 and part[0].type in FOLLOWERS for part in chain[main + 1 :])
    return item.type in (FOLLOWERS if simple else ACTIVATIONS)


def reads(item: Item, before: Item) -> bool:
    """Whether an item reads an output of another."""
    return any(ref.op in before.ops for ref in item.inputs)
