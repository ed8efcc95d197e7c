"""Names of blocks, from the names that a user gave to the layers in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set

from resnet_inspect.analysis.diagram.items import Item
from resnet_inspect.analysis.diagram.layer_types import BESIDE

TOKEN = re.compile(r"[^_/\-. ]+")
NUMBER = re.compile(r"\d+([a-z](?![a-z]))?")
CALL = re.compile(r" \(call \d+\)$")


def given(item: Item) -> str:
    """Return the name that a user gave to a layer; empty for a name such as `conv2d_3`."""
    if item.layer is None:
        return ""
    name, kind = CALL.sub("", item.name), item.layer.type
    usual = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|\W+", "_", kind).lower()
    bare = re.sub(r"_\d+$", "", name)
    return "" if bare.replace("_", "") == usual.replace("_", "") else name


def common_name(names: Iterable[str]) -> str:
    """Return the longest beginning of whole words that names share, such as `block_1`."""
    known = [name for name in names if name]
    if not known:
        return ""
    words = [list(TOKEN.finditer(name)) for name in known]
    shared = 0
    for column in zip(*words, strict=False):
        starts = {name[: word.end()] for name, word in zip(known, column, strict=True)}
        if len(starts) > 1:
            break
        shared = column[0].end()
    return known[0][:shared]


def pattern(name: str) -> str:
    """Return a regular expression for a name with other numbers; empty for one without numbers.

    `block_1` gives `block_N`, and `block2a` gives `blockNx`.
    """
    parts = [re.escape(text) for text in NUMBER.split(name)[::2]]
    if len(parts) == 1:
        return ""
    return r"\d+[a-z]?".join(parts) + r"(?=[_/\-. ]|$)"


def matched(name: str, patterns: Sequence[re.Pattern[str]]) -> str:
    """Return the beginning of a name that matches the first matching pattern, else nothing."""
    matches = (expression.match(name) for expression in patterns)
    return next((match[0] for match in matches if match), "")


def block_names(blocks: Sequence[Sequence[Item]], taken: Iterable[str]) -> list[str]:
    """Return different names for blocks: what their layers' names share, else a number."""
    used = set(taken)
    shared = [_shared(block) for block in blocks]
    counts = Counter(shared)
    names = []
    number = 0
    for block, start in zip(blocks, shared, strict=True):
        name = (start if counts[start] == 1 else "") or _main(block)
        number += not name
        names.append(_unused(name or f"block {number}", used))
        used.add(names[-1])
    return names


def stage_name(blocks: Sequence[str], taken: Set[str]) -> str:
    """Return a name for a stage: what most of its blocks' names share, with a number.

    `conv2_block1`, `conv2_block2` and `pool2` give `conv2`; names without numbers give the first
    and the last name.
    """
    words = Counter(match[0] for name in blocks if (match := TOKEN.match(name)))
    word, count = words.most_common(1)[0] if words else ("", 0)
    if count > 1 and word[-1].isdecimal():
        name = common_name(name for name in blocks if common_name([name, word]))
    else:
        name = f"{blocks[0]} … {blocks[-1]}"
    return _unused(name, taken)


def _unused(name: str, taken: Set[str]) -> str:
    count = 1
    while (unique := f"{name} ({count})" if count > 1 else name) in taken:
        count += 1
    return unique


def _shared(block: Sequence[Item]) -> str:
    """Return the beginning that the given names share; the name scope of ops."""
    if all(item.layer is None for item in block):
        return common_name(item.name.rpartition("/")[0] for item in block)
    return common_name(given(item) for item in block)


def _main(block: Sequence[Item]) -> str:
    """Return the name of the main layer of a block; empty if there is none.

    It is the only layer with weights, else the first if the user named all of them. Without such
    layers it is the only layer that does not belong to the one beside it. Else it is the last layer
    if the user named it.
    """
    weighted = [item for item in block if item.variables and not _normalizes(item)]
    if len(weighted) == 1 or (weighted and all(given(item) for item in weighted)):
        return weighted[0].name
    main = [item for item in block if item.type not in BESIDE]
    if not weighted and len(main) == 1:
        return main[0].name
    return given(block[-1])


def _normalizes(item: Item) -> bool:
    return item.layer is not None and "Norm" in item.layer.type
