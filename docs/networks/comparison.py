"""Compares a run with what Keras reports about its network, and with tables made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from docs.networks.calls import Account, Call
from docs.networks.expected import Expected
from resnet_inspect.analysis.browse.details import Details
from resnet_inspect.analysis.browse.outline import NodeKind, Outline, OutlineNode
from resnet_inspect.analysis.receptive.receptive_field import ReceptiveFields
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.origins import OriginKind
from resnet_inspect.analysis.sizes.shapes import shapes
from resnet_inspect.analysis.sizes.why import Computation, Explanation, Term, why
from resnet_inspect.graph import Graph
from resnet_inspect.graph.lineage import Formula, Lineage
from resnet_inspect.graph.tensors import Shape
from resnet_inspect.render.receptive_field import receptive_fields
from resnet_inspect.store.run import Run
from resnet_inspect.stored import measured_graph

ASPECTS = ("layers", "groups", "parameters", "MACs", "why", "receptive field")
# For sizes that Keras computes in Python and gives to TensorFlow as a constant.
CONSTANT = "a constant of Keras"


@dataclass
class Agreement:
    """How many facts of one aspect agree, and those that do not: place, run's and other answer."""

    facts: int = 0
    differences: list[tuple[str, ...]] = field(default_factory=list)

    def note(self, place: str, ours: object, wanted: object) -> None:
        """Count a fact. None is a missing answer."""
        self.facts += 1
        if ours != wanted:
            texts = ("missing" if answer is None else str(answer) for answer in (ours, wanted))
            self.differences.append((place, *texts))

    def __str__(self) -> str:
        agreeing = self.facts - len(self.differences)
        return f"{agreeing} of {self.facts}" if self.facts else "–"


def compared(run: Run, account: Account, expected: Expected) -> dict[str, Agreement]:
    """Return the agreements by aspect."""
    graph = measured_graph(run)
    return {
        "layers": _layers(graph, account),
        "groups": _groups(graph, account),
        "parameters": _numbers(graph, account, "params"),
        "MACs": _numbers(graph, account, "macs"),
        "why": _origins(run, expected),
        "receptive field": _fields(graph, expected),
    }


def _layers(graph: Graph, account: Account) -> Agreement:
    """Compare path, class and output shape of each call of a layer or operation."""
    ours = {"/".join((*layer.path, layer.name)): layer for layer in graph.layers}
    texts = {}
    for place, call in _calls(account, inner=False):
        layer = ours.get(place)
        shape = graph.spec(layer.output).shape if layer else None
        texts[place] = f"{call.kind} {spelled(_as_known(call.shape, shape))}"
    shapes = {place: spelled(graph.spec(layer.output).shape) for place, layer in ours.items()}
    return _agreement({place: f"{ours[place].type} {shapes[place]}" for place in ours}, texts)


def _groups(graph: Graph, account: Account) -> Agreement:
    """Compare class, inputs and output shape of each call of a model or of a user's layer."""
    flows = {
        group.name: (
            [graph.spec(ref).shape for ref in group.inputs],
            graph.spec(group.output).shape,
        )
        for group in graph.groups
    }
    wanted = {
        place: f"{call.kind} {_call(call, *flows.get(place, ([], None)))}"
        for place, call in _calls(account, inner=True)
    }
    ours = {}
    for group in graph.groups:
        inputs, shape = flows[group.name]
        ours[group.name] = f"{group.type} {', '.join(map(spelled, inputs))} → {spelled(shape)}"
    return _agreement(ours, wanted)


def _calls(account: Account, *, inner: bool) -> Iterator[tuple[str, Call]]:
    """Yield the calls that called others (`inner`), or those that did not, with their paths."""
    return ((place_of(call), call) for call in account.calls if call.inner == inner)


def _agreement(ours: Mapping[str, object], wanted: Mapping[str, object]) -> Agreement:
    """Return the agreement of two answers for each place."""
    agreement = Agreement()
    for place in dict.fromkeys((*wanted, *ours)):
        agreement.note(place, ours.get(place), wanted.get(place))
    return agreement


def _call(call: Call, inputs: Sequence[Shape], shape: Shape) -> str:
    own = [*inputs, *(() for _ in call.inputs)]
    known = (_as_known(wanted, given) for wanted, given in zip(call.inputs, own, strict=False))
    return f"{', '.join(map(spelled, known))} → {spelled(_as_known(call.shape, shape))}"


def place_of(call: Call) -> str:
    """Return the path of a call."""
    return "/".join((*call.path, call.name))


def _as_known(wanted: Shape, given: Shape) -> Shape:
    """Return a shape of Keras with an unknown batch where the run does not know it either."""
    if wanted and given and given[0] is None:
        return (None, *wanted[1:])
    return wanted


def spelled(shape: Shape) -> str:
    """Return a shape as text."""
    return "×".join("batch" if size is None else str(int(size)) for size in shape or ())


def _numbers(graph: Graph, account: Account, kind: str) -> Agreement:
    """Compare the parameters or MACs of each layer in `shapes`, each group in the tree, and all."""
    table, agreement = shapes(graph), Agreement()
    wanted = {place_of(call): getattr(call, kind) for call in account.calls}
    rows = zip(graph.layers, table.rows, strict=True)
    ours = {"/".join((*layer.path, layer.name)): getattr(row, kind) for layer, row in rows}
    outline, details = Outline(graph, ops=False), Details(graph, Lineage())
    for node in _scopes(outline, outline.roots(outline.filtered())):
        members = [outline.leaves[place] for place in node.members]
        ours[node.name] = getattr(details.scope(node.name, members), kind)
    for place in dict.fromkeys((*wanted, *ours)):
        agreement.note(place, ours.get(place, 0), wanted.get(place, 0))
    agreement.note("total", getattr(table.totals, kind), getattr(account, kind))
    return agreement


def _scopes(outline: Outline, nodes: Iterable[OutlineNode]) -> Iterator[OutlineNode]:
    for node in nodes:
        if node.kind is NodeKind.SCOPE:
            yield node
            yield from _scopes(outline, outline.children(node))


def _origins(run: Run, expected: Expected) -> Agreement:
    """Compare the origins of six axes."""
    agreement = Agreement()
    for place, wanted in expected.origins.items():
        target, axes = find(run.graph, place)
        agreement.note(place, answer(why(run.graph, run.lineage, target, axes[0])), wanted)
    return agreement


def answer(explanation: Explanation) -> str:
    """Return an explanation in short: an expression and its line, or where the size comes from."""
    if explanation.computed is not None:
        return _computed(explanation.computed)
    if explanation.formula is not None:
        return _expression(explanation.formula)
    if explanation.inflow and explanation.kind is OriginKind.LITERAL:
        return f"{CONSTANT} that must equal {explanation.inflow[-1].place}"
    return explanation.reason or _origin(explanation.origin)


def _computed(computed: Computation) -> str:
    return f"{computed.text or computed.op_type}: {'; '.join(map(_term, computed.terms))}"


def _term(term: Term) -> str:
    if term.formula is None:
        return _origin(term.origin)
    calculated = f"{term.text} of " if term.text else ""
    return calculated + _expression(term.formula)


def _expression(formula: Formula) -> str:
    text = f"default `{formula.text}`" if formula.default else f"`{formula.text}`"
    return f"{text}, {PurePath(formula.source.file).name}:{formula.source.line}"


def _origin(origin: str) -> str:
    """Return an origin. Only constants have elements."""
    return CONSTANT if " element " in origin else origin


def _fields(graph: Graph, expected: Expected) -> Agreement:
    """Compare receptive fields as `shapes --receptive-field` prints them."""
    fields, agreement = ReceptiveFields(graph), Agreement()
    for place, wanted in expected.fields.items():
        ours = fields.of(graph.layer_by_name[place].output)
        agreement.note(place, receptive_fields(ours), wanted)
    return agreement
