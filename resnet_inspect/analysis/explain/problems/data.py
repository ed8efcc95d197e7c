"""Data that does not fit: feeds, numbers of examples, missing inputs, wrong tuples, arrays."""

from __future__ import annotations

import re

import msgspec

from resnet_inspect.analysis.explain.case import Case, Problem, Side, shapes_in
from resnet_inspect.analysis.explain.explanation import Kind
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.origins import spelled
from resnet_inspect.graph.crash import NodeKind, Shape, Value

FEED = re.compile(
    r"Cannot feed value of shape (\(.*?\)) for Tensor '?\"?([\w/:.-]+?)'?\"?, which has "
    r"shape '?(\(.*?\))"
)
EXAMPLES = re.compile(r"Data cardinality is ambiguous")
MISSING = re.compile(
    r"Missing data for input \"(.*?)\".*?keys (\[.*?\])\. Expected the following keys: (\[.*?\])"
)
ARRAYS = re.compile(r"operands could not be broadcast together with shapes (\(.*?\)) (\(.*?\))")
ALIGNED = re.compile(
    r"shapes (\(.*?\)) and (\(.*?\)) not aligned: (\d+) \(dim (\d+)\) != (\d+) \(dim (\d+)\)"
)
RESHAPED = re.compile(r"cannot reshape array of size (\d+) into shape (\(.*?\))")
UNPACKED = re.compile(r"(not enough|too many) values to unpack \(expected (\d+)(?:, got (\d+))?\)")
CONVERTED = re.compile(
    r"Failed to convert a NumPy array to a Tensor \(Unsupported object type (\w+)\)"
)
RANKS = re.compile(
    r"input arrays must have same number of dimensions, but the array at index \d+ has "
    r"(\d+) dimension\(s\) and the array at index \d+ has (\d+)"
)
CONTAINER = re.compile(r"Unrecognized data type: (\w+)=.*\(of type <class '(?:list|tuple)'>\)")
WEIGHTS = re.compile(
    (
        r"(?:weight|variable)[^.]*?shape[= ](\(.*?\))[^.]*?(?:not compatible "
        r"with|provided|received)[^.]*?shape[= ]?(\(.*?\))"
    ),
    re.I,
)


def recognize(case: Case) -> Problem | None:  # noqa: PLR0912 - one branch a message
    """Return the problem of the data, None for other failures."""
    text = case.text
    feed = FEED.search(text)
    if feed:
        return _feed(case, feed)
    if EXAMPLES.search(text):
        data = [(o, o.shape[0]) for o in case.operands.data() if o.shape]
        pairs = [(a, b) for a in data for b in data if a[1] != b[1]]
        verdict = "inputs and labels have different numbers of examples"
        if pairs:
            (a, x), (b, y) = pairs[0]
            verdict += f": {a.label} has {x}, {b.label} has {y}"
            return Problem(
                Kind.SHAPE,
                "examples",
                verdict,
                "fit",
                operands=(a, b),
                sides=(Side(a, 0, x or 0), Side(b, 0, y or 0)),
            )
        return Problem(Kind.SHAPE, "examples", verdict, "fit")
    missing = MISSING.search(text)
    if missing:
        got, want = missing[2], missing[3]
        verdict = f"the model's inputs are {want}, but the data has the keys {got}"
        return Problem(
            Kind.STRUCTURE,
            "input-names",
            verdict,
            "fit",
            facts={"missing": missing[1], "got": got, "want": want},
        )
    for pattern, rule in ((ARRAYS, "array-broadcast"), (ALIGNED, "array-product")):
        matched = pattern.search(text)
        if matched:
            return _arrays(case, rule, matched)
    reshaped = RESHAPED.search(text)
    if reshaped:
        have = int(reshaped[1])
        want = 1
        for size in shapes_in(reshaped[2])[0]:
            want *= size or 1
        verdict = (
            f"an array of {have:,} elements cannot be reshaped to {reshaped[2]}, which has {want:,}"
        )
        return Problem(
            Kind.SHAPE, "array-reshape", verdict, "reshape", facts={"have": have, "want": want}
        )
    weights = WEIGHTS.search(text)
    if weights:
        return _weights(case, shapes_in(weights[1])[0], shapes_in(weights[2])[0])
    unpacked = UNPACKED.search(text)
    if unpacked and case.frame >= 0:
        got = f"{unpacked[3]} were given" if unpacked[3] else "more were given"
        verdict = f"{unpacked[2]} values were expected, but {got}"
        return Problem(Kind.STRUCTURE, "unpacking", verdict)
    ranks = RANKS.search(text)
    if ranks:
        verdict = (
            f"arrays to concatenate need equal ranks: one has {ranks[1]} axes, another {ranks[2]}"
        )
        return Problem(Kind.SHAPE, "array-concat", verdict, "concatenate")
    container = CONTAINER.search(text)
    if container:
        name = case.crash.during or "fit"
        verdict = f"not a shape error: {name} needs arrays, but {container[1]} is a list"
        return Problem(Kind.STRUCTURE, "data-type", verdict, name)
    converted = CONVERTED.search(text)
    if converted:
        verdict = (
            f"an array of Python objects ({converted[1]}) is not a tensor: its rows have "
            "different lengths or types"
        )
        return Problem(Kind.DTYPE, "object-array", verdict)
    return None


def _feed(case: Case, matched: re.Match[str]) -> Problem:
    got, want = shapes_in(matched[1])[0], shapes_in(matched[3])[0]
    name = matched[2].removesuffix(":0")
    number = next(
        (
            at
            for at, node in enumerate(case.crash.nodes)
            if node.name == name and node.kind is NodeKind.PLACEHOLDER
        ),
        -1,
    )
    known = case.operands.named(number) if number >= 0 else ""
    label = f"placeholder {known}" if known else f"placeholder '{name}'"
    fed = case.operands.fed(name) or Operand("the value", got)
    written = case.origins.written_data(fed) or "the value"
    fed = msgspec.structs.replace(fed, label=written, shape=got)
    placeholder = Operand(label, want, node=number)
    verdict = f"{label} needs {spelled(want)}, but {written} is {spelled(got)}"
    if len(got) == len(want):
        for axis, (g, w) in enumerate(zip(got, want, strict=True)):
            if g is not None and w is not None and g != w:
                return Problem(
                    Kind.SHAPE,
                    "feed",
                    verdict,
                    "Session.run",
                    operands=(fed, placeholder),
                    sides=(Side(fed, axis, g), Side(placeholder, axis, w)),
                    facts={"name": name},
                )
    sides = (
        Side(fed, None, len(got), f"axes of {written} {spelled(got)}", rank=True),
        Side(placeholder, None, len(want), f"axes of {label}", rank=True),
    )
    return Problem(
        Kind.SHAPE,
        "feed",
        verdict,
        "Session.run",
        operands=(fed, placeholder),
        sides=sides,
        facts={"name": name},
    )


def _weights(case: Case, want: Shape, got: Shape) -> Problem:
    """Return the problem of values for a variable of another shape."""
    owners = [
        (at, name)
        for at, layer in enumerate(case.crash.layers)
        for name, shape in layer.weights.items()
        if shape == want
    ]
    layer, name = owners[0] if len(owners) == 1 else (-1, "a variable")
    owner = f" of {case.operands.layer_name(layer)}" if layer >= 0 else ""
    values = case.crash.frames[case.frame].values if case.frame >= 0 else {}
    given = [key for key, value in values.items() if _contains(value, got)]
    text = given[0] if given else ""
    array = Operand(text or "the values", got, frame=case.frame, expression=text)
    variable = Operand(f"{name}{owner}", want, layer=layer)
    verdict = (
        f"{variable.label} has the shape {spelled(want)}, but the given values have {spelled(got)}"
    )
    sides: tuple[Side, ...] = ()
    for axis, (w, g) in enumerate(zip(want, got, strict=False)):
        if w != g and len(want) == len(got):
            sides = Side(array, axis, g or 0), Side(variable, axis, w or 0)
    return Problem(Kind.SHAPE, "weights", verdict, "set_weights", layer, (array, variable), sides)


def _contains(value: Value, shape: Shape) -> bool:
    return value.shape == shape or any(_contains(item, shape) for item in value.items.values())


def _arrays(case: Case, rule: str, matched: re.Match[str]) -> Problem:
    a, b = shapes_in(matched[1])[0], shapes_in(matched[2])[0]
    operands = []
    for shape in (a, b):
        names = (
            [
                name
                for name, value in case.crash.frames[case.frame].values.items()
                if value.shape == shape
            ]
            if case.frame >= 0
            else []
        )
        operands.append(
            Operand(
                names[0] if len(names) == 1 else "an array",
                shape,
                frame=case.frame,
                expression=names[0] if len(names) == 1 else "",
            )
        )
    verdict = f"arrays of shapes {spelled(a)} and {spelled(b)} cannot be combined"
    for back in range(1, min(len(a), len(b)) + 1):
        x, y = a[-back], b[-back]
        if rule == "array-broadcast" and x != y and 1 not in (x, y):
            return Problem(
                Kind.SHAPE,
                rule,
                verdict,
                operands=tuple(operands),
                sides=(
                    Side(operands[0], len(a) - back, x or 0),
                    Side(operands[1], len(b) - back, y or 0),
                ),
            )
    if rule == "array-product":
        return Problem(
            Kind.SHAPE,
            rule,
            verdict,
            operands=tuple(operands),
            sides=(
                Side(operands[0], int(matched[4]), int(matched[3])),
                Side(operands[1], int(matched[6]), int(matched[5])),
            ),
        )
    return Problem(Kind.SHAPE, rule, verdict, operands=tuple(operands))
