"""Explains the size of an axis: its origin, the path to it, settings that change it, constraints.

All results come from the recorded lineage. Nothing is re-traced here.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from resnet_inspect.analysis.sizes.calculations import calculation
from resnet_inspect.analysis.sizes.meanings import BATCH
from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.origins import OriginKind, ending
from resnet_inspect.analysis.sizes.paths import (
    ChainStep,
    PathCache,
    computed_from,
    formula_at,
    path_of,
    size_of,
    spell_origin,
)
from resnet_inspect.analysis.sizes.proof import ProofRow, Proofs, prove
from resnet_inspect.graph import AxisRef, Graph, TensorRef
from resnet_inspect.graph.lineage import (
    Formula,
    FromLiteral,
    Lineage,
    Origin,
    Relation,
)
from resnet_inspect.graph.tensors import Shape


def missing_reason(graph: Graph, lineage: Lineage) -> str:
    """Return why a run has no size origins, or an empty text where it has some."""
    if lineage.links or lineage.mismatch is not None:
        return ""
    return next((note.text for note in graph.notes if note.subject in ("lineage", "graph")), "")


class Agreement(msgspec.Struct, frozen=True):
    """A literal that must equal an incoming size.

    `effects` are changes of the op's output with another size: axis, size before, size after.
    Without effects the op fails. `expression` is the code of the literal. `batch` is the batch
    size with which this was tested; None if it is unknown.
    """

    op: str
    literal: str
    partner: str
    size: int
    effects: tuple[tuple[int, int, int], ...]
    expression: str = ""
    batch: int | None = None


class Term(msgspec.Struct, frozen=True):
    """A size from which another size was computed.

    `text` is its own calculation, such as `24 / 4`; empty if it equals its origin or the
    calculation is not known. `formula` is the expression at its origin, which has the size
    `origin_size`. It is None if unknown, or if more than one calculation lies between.
    """

    place: str
    size: int | None
    origin: str
    formula: Formula | None
    text: str = ""
    origin_size: int | None = None


class Computation(msgspec.Struct, frozen=True):
    """How an op computed a size from others.

    Attributes:
        op: the op.
        op_type: its type.
        layer: the layer of the op, if any.
        terms: the sizes.
        text: the calculation, such as `16 + 8`; empty if it is not known.
    """

    op: str
    op_type: str
    layer: str
    terms: tuple[Term, ...]
    text: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """Why one axis has its size.

    Attributes:
        formula: the expression of the size in the user's code, None if unknown or computed.
        origin: the place where the chain ends.
        kind: what the origin is.
        reason: for an origin at an op, how the op gives the size or why it was not traced.
        computed: how an op on the path computed the size from others, None if it equals its origin.
        chain: the path from the axis to its origin.
        inflow: for an origin that is a literal, the path of the incoming size that the literal
            must equal. Empty if no incoming axis has this size.
        inflow_formula: the expression of that incoming size.
        proof: a row for each re-traced setting.
        couplings: literals on the path that must equal another size.
        incoming: for a literal, the shapes of the other inputs of its op.
        outgoing: the output shape of that op.
    """

    tensor: str
    axis: int
    size: int | None
    formula: Formula | None
    origin: str
    kind: OriginKind
    reason: str
    computed: Computation | None
    chain: tuple[ChainStep, ...]
    inflow: tuple[ChainStep, ...]
    inflow_formula: Formula | None
    proof: tuple[ProofRow, ...]
    couplings: tuple[Agreement, ...]
    incoming: tuple[Shape, ...] = ()
    outgoing: Shape = None


class ExplanationCache(PathCache):
    """Results that explanations of one run share. Pass one object to all calls of `why`.

    Attributes:
        computations: how sizes were computed, by place.
        agreements: the couplings of the run, None before the first call.
        proofs: rows of settings.
    """

    def __init__(self) -> None:
        super().__init__()
        self.computations: dict[str, Computation] = {}
        self.agreements: list[Agreement] | None = None
        self.proofs: Proofs = {}


def reshapes(graph: Graph, lineage: Lineage) -> tuple[Explanation, ...]:
    """Return explanations of the axes of Reshape layers that a literal decides."""
    result = []
    for layer in graph.layers:
        if layer.type == "Reshape":
            target = Target.of(graph, layer.output)
            explained = (why(graph, lineage, target, axis) for axis in range(len(target.shape)))
            result += [explanation for explanation in explained if explanation.chain[-1].literal]
    return tuple(result)


def why(
    graph: Graph, lineage: Lineage, target: Target, axis: int, ways: ExplanationCache | None = None
) -> Explanation:
    """Explain the size of one axis, counted from 0, of a tensor or variable.

    `ways` contains results that calls share. Pass one object to explain many axes of a run.
    """
    graph = graph.whole
    ways = ExplanationCache() if ways is None else ways
    if ways.agreements is None:
        ways.agreements = _agreements(graph, lineage)
    chain, end = path_of(graph, lineage, target.origin(axis), ways)
    formula = formula_at(graph, lineage, end, ways)
    couplings = tuple(pair for pair in ways.agreements if _concerns(pair, chain, end))
    ops = frozenset(step.op for step in chain)
    inflow, source = _inflow(graph, lineage, chain, end, ways)
    places = tuple((step.place, step.relation) for step in chain)
    proof = prove(graph, lineage, target.shape[axis], places, formula, ops, ways.proofs)
    made = ending(graph, lineage, end)
    computed = _computation(graph, lineage, chain, ways)
    return Explanation(
        tensor=target.name,
        axis=axis,
        size=target.shape[axis],
        formula=formula if computed is None else None,
        origin=spell_origin(end),
        kind=made.kind,
        reason=made.reason,
        computed=computed,
        chain=chain,
        inflow=inflow,
        inflow_formula=formula_at(graph, lineage, source, ways) if source else None,
        proof=proof,
        couplings=couplings,
        incoming=_incoming(graph, end, chain),
        outgoing=_outgoing(graph, chain),
    )


def _inflow(
    graph: Graph, lineage: Lineage, chain: tuple[ChainStep, ...], end: Origin, ways: PathCache
) -> tuple[tuple[ChainStep, ...], Origin | None]:
    """Return the path of the size that the constant at the end of a path must equal, its origin.

    If this path ends at a constant without an expression, it goes on in the same way.
    """
    inflow: tuple[ChainStep, ...] = ()
    source, seen = end, set[Origin]()
    while source not in seen:
        seen.add(source)
        ops = {step.op for step in inflow or chain}
        partners: list[Origin] = [
            c.partner for c in lineage.couplings if c.literal == source and c.op in ops
        ]
        written = formula_at(graph, lineage, source, ways) is not None
        if inflow and written:
            break
        if not partners and not written and _is_constant(graph, lineage, source):
            partners = _fitting(graph, lineage, source, ways)
        if not partners:
            break
        more, source = path_of(graph, lineage, partners[-1], ways)
        inflow = (*inflow[:-1], *more)
    return inflow, source if inflow else None


def _is_constant(graph: Graph, lineage: Lineage, origin: Origin) -> bool:
    kind = ending(graph, lineage, origin).kind
    return kind in (OriginKind.LITERAL, OriginKind.CONSTANT) and size_of(graph, origin) != 1


def _fitting(graph: Graph, lineage: Lineage, here: Origin, ways: PathCache) -> list[Origin]:
    """Return the nearest size with another origin that a constant must equal, if there is one."""
    for partner in ways.fits(graph, lineage).partners(here):
        _, end = path_of(graph, lineage, partner, ways)
        if end != here and not _is_constant(graph, lineage, end):
            return [partner]
        if end != here and formula_at(graph, lineage, end, ways) is not None:
            return [partner]
    return []


def _computation(
    graph: Graph, lineage: Lineage, chain: tuple[ChainStep, ...], ways: ExplanationCache
) -> Computation | None:
    """Return how the first computed size on a path was computed."""
    step = _first_computed(chain)
    if step is None:
        return None
    if step.place not in ways.computations:
        terms = []
        for origin in _terms_of(graph, lineage, step):
            path, end = path_of(graph, lineage, origin, ways)
            derived = sum(inner.relation is Relation.DERIVED for inner in path)
            computed = _first_computed(path) if derived else None
            terms.append(
                Term(
                    place=spell_origin(origin),
                    size=size_of(graph, origin),
                    origin=spell_origin(end),
                    formula=formula_at(graph, lineage, end, ways) if derived < 2 else None,
                    text=_calculation(graph, lineage, computed) if computed else "",
                    origin_size=size_of(graph, end),
                )
            )
        ways.computations[step.place] = Computation(
            step.op, step.op_type, step.layer, tuple(terms), _calculation(graph, lineage, step)
        )
    return ways.computations[step.place]


def _first_computed(chain: tuple[ChainStep, ...]) -> ChainStep | None:
    """Return the first step of a path whose size is computed from others."""
    pairs = pairwise(chain)
    return next((step for step, before in pairs if before.relation is Relation.DERIVED), None)


def _axis_of(step: ChainStep) -> AxisRef:
    tensor, _, axis = step.place.rpartition(" axis ")
    return AxisRef(TensorRef(step.op, int(tensor.rpartition(":")[2])), int(axis))


def _terms_of(graph: Graph, lineage: Lineage, step: ChainStep) -> tuple[Origin, ...]:
    """Return the sizes from which an op computed a size; a slice's step of 1 is none of them."""
    origins = computed_from(lineage, _axis_of(step))
    if step.op_type != "StridedSlice":
        return origins
    steps = graph.op_by_name[step.op].inputs[3].op
    return tuple(
        origin
        for origin in origins
        if not (isinstance(origin, FromLiteral) and origin.op == steps)
        or size_of(graph, origin) != 1
    )


def _calculation(graph: Graph, lineage: Lineage, step: ChainStep) -> str:
    numbers = [size_of(graph, origin) for origin in _terms_of(graph, lineage, step)]
    return calculation(step.op_type, step.size, numbers, _stride(graph, _axis_of(step)))


def _stride(graph: Graph, ref: AxisRef) -> int:
    """Return the stride of a convolution along an axis of its output; 1 for other ops."""
    strides = graph.op_by_name[ref.tensor.op].attrs.get("strides")
    return int(strides[ref.axis]) if isinstance(strides, list) and ref.axis < len(strides) else 1


def _incoming(graph: Graph, end: Origin, chain: tuple[ChainStep, ...]) -> tuple[Shape, ...]:
    """Return the input shapes of the op that a literal decides, without the literal."""
    if not isinstance(end, FromLiteral) or len(chain) < 2:
        return ()
    op = graph.op_by_name[chain[-2].op]
    return tuple(graph.spec(ref).shape for ref in op.inputs if ref.op != end.op)


def _outgoing(graph: Graph, chain: tuple[ChainStep, ...]) -> Shape:
    op = graph.op_by_name.get(chain[-2].op) if len(chain) > 1 else None
    return op.outputs[0].shape if op else None


def _agreements(graph: Graph, lineage: Lineage) -> list[Agreement]:
    """Return couplings of numbers in the user's code. Constants of TensorFlow are left out."""
    batch = _batch_size(graph)
    return [
        Agreement(
            op=pair.op,
            literal=spell_origin(pair.literal),
            partner=spell_origin(pair.partner),
            size=pair.size,
            effects=pair.effects,
            expression=formulas[0].text,
            batch=batch,
        )
        for pair in lineage.couplings
        if (formulas := lineage.formulas.get(f"{pair.literal.op}/{pair.literal.element}"))
        and pair.op in graph.op_by_name
    ]


def _batch_size(graph: Graph) -> int | None:
    """The batch size of a graph's inputs; None if it is unknown."""
    sizes = (
        shape[names.index(BATCH)]
        for name, names in graph.axes.items()
        if BATCH in names
        and name in graph.inputs
        and (shape := graph.spec(graph.inputs[name]).shape)
    )
    return next(sizes, None)


def _concerns(coupling: Agreement, chain: tuple[ChainStep, ...], end: Origin) -> bool:
    """Whether a chain contains a coupling."""
    places = (coupling.literal, coupling.partner)
    return spell_origin(end) in places or any(step.place in places for step in chain)
