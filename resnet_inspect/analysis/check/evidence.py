"""What rules look at: all of a run, and the questions that several of them ask of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

from resnet_inspect.analysis.check.computations import (
    class_shares,
    entropy,
    label_shares,
    usual_length,
)
from resnet_inspect.analysis.sizes.dangers import Danger, dangers
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.graph import (
    Failure,
    Graph,
    Layer,
    Objective,
    Op,
    Phase,
    Place,
    TensorRef,
    Training,
    Variable,
    place_named,
)
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import (
    BatchPart,
    ChannelActivity,
    Normalization,
    NotFinite,
    Origin,
    Tap,
    TensorSummary,
    Update,
    relative_updates,
)

# Ops that hand on what they take, as far as numbers go.
PASSING = frozenset(("Identity", "Reshape", "Squeeze", "ExpandDims", "StopGradient", "Cast"))
KERNEL_OPS = frozenset(("MatMul", "BatchMatMulV2", "Conv2D", "Conv3D", "DepthwiseConv2dNative",
                        "Conv2DBackpropInput", "Einsum"))  # fmt: skip
TABLES = frozenset(("ResourceGather", "GatherV2"))
SOFTMAX_LOSSES = frozenset(("categorical_crossentropy", "sparse_categorical_crossentropy",
                            "categorical_focal_crossentropy"))  # fmt: skip
BINARY_LOSSES = frozenset(("binary_crossentropy", "binary_focal_crossentropy"))
REGRESSION_LOSSES = frozenset(("mean_squared_error", "mean_absolute_error", "huber", "log_cosh",
                               "mean_absolute_percentage_error",
                               "mean_squared_logarithmic_error"))  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """A run as rules see it. `course` reads what one tensor held at all recorded steps."""

    graph: Graph
    lineage: Lineage = field(default_factory=Lineage)
    failure: Failure | None = None
    origin: Origin | None = None
    steps: Sequence[int] = ()
    recorded: Sequence[int] = ()
    scalars: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    taps: Sequence[Tap] = ()
    course: Callable[[Tap], Mapping[int, TensorSummary]] = lambda _: {}
    sizes: Mapping[Tap, int] = field(default_factory=dict)
    not_finite: Mapping[Tap, Mapping[int, NotFinite]] = field(default_factory=dict)
    updates: Mapping[int, Mapping[str, Update]] = field(default_factory=dict)
    activity: Mapping[str, ChannelActivity] = field(default_factory=dict)
    normalizations: Callable[[str], Mapping[int, Normalization]] = lambda _: {}
    batches: Mapping[int, Mapping[str, BatchPart]] = field(default_factory=dict)
    gradient_norms: Mapping[int, float] = field(default_factory=dict)

    @cached_property
    def training(self) -> Training:
        """What the network is trained for; empty where that is not known."""
        return self.graph.training or Training()

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What its outputs are trained for."""
        return self.training.objectives

    @cached_property
    def meanings(self) -> Meanings:
        """What axes mean."""
        return Meanings(self.graph, self.lineage)

    @cached_property
    def dangers(self) -> tuple[Danger, ...]:
        """What is done to axes and hardly meant."""
        return dangers(self.graph, self.lineage, self.meanings, everywhere=True)

    def place(self, name: str) -> Place:
        """The place in the network that a name stands for."""
        return place_named(self.graph, name)

    @cached_property
    def loss(self) -> Mapping[int, float]:
        """The loss of each batch, where that was recorded; Keras' own is a mean since its epoch
        began.
        """
        for name in ("batch_loss", "loss"):
            if self.scalars.get(name):
                return self.scalars[name]
        return {}

    @cached_property
    def tap_of(self) -> dict[tuple[str, str], Tap]:
        """Taps by tensor (or variable) and kind."""
        return {(tap.tensor, tap.kind): tap for tap in self.taps}

    def held(self, ref: TensorRef, kind: str = "activation") -> Mapping[int, TensorSummary]:
        """What a tensor held at the recorded steps, itself or what only hands it on."""
        for one in (ref, *self._behind(ref)):
            tap = self.tap_of.get((str(one), kind))
            if tap is not None:
                return self.course(tap)
        return {}

    def _behind(self, ref: TensorRef) -> Iterator[TensorRef]:
        while (op := self.graph.op_by_name.get(ref.op)) and op.type in PASSING and op.inputs:
            ref = op.inputs[0]
            yield ref

    def maker(self, ref: TensorRef) -> Op | None:
        """The op whose numbers a tensor holds, ops that only hand on left out."""
        *_, last = (ref, *self._behind(ref))
        return self.graph.op_by_name.get(last.op)

    def weight(self, variable: str) -> Mapping[int, TensorSummary]:
        """What a variable held before each recorded step."""
        tap = self.tap_of.get((variable, "weight"))
        return self.course(tap) if tap is not None else {}

    def gradient(self, variable: str) -> Mapping[int, TensorSummary]:
        """The gradient of the loss with respect to a variable at the recorded steps."""
        tap = self.tap_of.get((variable, "gradient"))
        return self.course(tap) if tap is not None else {}

    @cached_property
    def kernels(self) -> tuple[tuple[Layer, Variable], ...]:
        """Trainable variables of two axes or more, with the layer that has each first; no biases,
        of which those of attention have several axes, too.
        """
        known = self.graph.variable_by_name
        found: dict[str, tuple[Layer, Variable]] = {}
        for layer in self.graph.layers:
            for name in layer.variables:
                variable = known[name]
                bias = "bias" in name.rpartition("/")[2]
                if variable.trainable and not bias and len(variable.spec.shape or ()) > 1:
                    found.setdefault(name, (layer, variable))
        return tuple(found.values())

    def ratios(self, variable: str) -> list[float]:
        """‖Δw‖/‖w‖ of a variable at the recorded steps; ‖w‖ is at least that of Glorot's initial
        weights, since a kernel that begins small must grow first.
        """
        usual = usual_length(self.graph.variable_by_name[variable])
        every = (by[variable] for by in self.updates.values() if variable in by)
        return [one for one in relative_updates(every, usual) if math.isfinite(one)]

    @cached_property
    def ratio(self) -> float | None:
        """The median of ‖Δw‖/‖w‖ over kernels and recorded steps, but the first."""
        every = [
            value for _, one in self.kernels for value in self.ratios(one.name)[1:]
        ]  # at the first step moments are not warm, and zeros are left behind
        return median(every) if every else None

    @cached_property
    def ratio_of_step(self) -> dict[int, float]:
        """The median of ‖Δw‖/‖w‖ over kernels at each recorded step."""
        usual = {one.name: usual_length(one) for _, one in self.kernels}
        found = {}
        for step, by in self.updates.items():
            every = (by[name].relative(least) for name, least in usual.items() if name in by)
            if known := [one for one in every if one is not None]:
                found[step] = median(known)
        return found

    def parts(self, name: str) -> list[BatchPart]:
        """A part of the batch at each recorded step."""
        return [by[name] for by in self.batches.values() if name in by]

    @cached_property
    def inputs(self) -> dict[str, list[BatchPart]]:
        """The parts of the batch that the network takes, by name."""
        labels = {one.labels for one in self.objectives}
        names = dict.fromkeys(name for by in self.batches.values() for name in by)
        known = self.training.inputs
        usual = [n for n in names if n not in labels and n.split("/")[0] in ("x", "images")]
        kept = [n for n in names if n in known] if known else usual
        return {name: self.parts(name) for name in kept}

    def units(self, objective: Objective) -> int | None:
        """The size of the last axis of an output."""
        if objective.output is None or objective.output.op not in self.graph.op_by_name:
            return None
        shape = self.graph.spec(objective.output).shape
        return shape[-1] if shape else None

    def layer_of(self, ref: TensorRef | None) -> Layer | None:
        """The layer that made a tensor, or what it hands on."""
        op = self.maker(ref) if ref is not None else None
        return self.graph.layer_of_op.get(op.name) if op is not None else None

    def name_of(self, ref: TensorRef | None) -> str:
        """The layer that made a tensor, or its op."""
        layer = self.layer_of(ref)
        return layer.name if layer is not None else (ref.op if ref is not None else "")

    def chance(self, objective: Objective) -> float | None:
        """The loss of the best answer that looks at no input, from the labels that were fed: their
        entropy, or their variance. None where that is not known.
        """
        parts = self.parts(objective.labels)
        if not parts:
            return None
        if objective.loss in SOFTMAX_LOSSES:
            shares = class_shares(parts, objective.ignore_class)
            return -sum(p * math.log(p) for p in shares.values()) if shares else None
        if objective.loss in BINARY_LOSSES and parts[0].features == 1:
            mean = sum(one.mean * one.examples for one in parts) / sum(o.examples for o in parts)
            return entropy(mean) if 0 < mean < 1 else None
        if objective.loss in BINARY_LOSSES and self.several(objective):
            each = label_shares(parts)
            return sum(map(entropy, each)) / len(each)
        if objective.loss == "mean_squared_error" and parts[0].features == 1:
            return median(one.std for one in parts) ** 2
        return None

    @cached_property
    def idle_loss(self) -> float | None:
        """The loss of the best answers that look at no input, None where that is not known, as
        where examples have weights.
        """
        if self.weighted:
            return None
        each = [self.chance(one) for one in self.objectives]
        if not each or None in each:
            return None
        pairs = zip(each, self.objectives, strict=True)
        return sum((one or 0.0) * objective.weight for one, objective in pairs)

    @cached_property
    def weighted(self) -> bool:
        """Whether examples have weights, as those of rare classes may."""
        return any("sample_weight" in by for by in self.batches.values())

    def before(
        self, names: Sequence[str], stop: Callable[[Op], bool] = lambda _: False
    ) -> set[str]:
        """The ops that lead to some ops, those included; a way ends at an op that `stop`s it."""
        known = self.graph.op_by_name
        found = {name for name in names if name in known}
        waiting = list(found)
        while waiting:
            op = known[waiting.pop()]
            if stop(op):
                continue
            new = {ref.op for ref in op.inputs if ref.op in known} - found
            found |= new
            waiting += new
        return found

    def after(self, op: Op) -> Iterator[Op]:
        """The ops of the forward pass that take what an op made."""
        for place in range(len(op.outputs) or 1):
            for name in self.graph.consumers.get(TensorRef(op.name, place), ()):
                user = self.graph.op_by_name[name]
                if user.phase is Phase.FORWARD:
                    yield user

    @cached_property
    def kernel_ops(self) -> dict[str, tuple[Op, ...]]:
        """The ops that multiply by each kernel; none for one that a loop's body reads."""
        found: dict[str, tuple[Op, ...]] = {}
        for layer, variable in self.kernels:
            waiting = [self.graph.op_by_name[name] for name in variable.readers]
            of_one: dict[str, Op] = {}
            while waiting:
                op = waiting.pop()
                for user in self.after(op):
                    if user.type in KERNEL_OPS:
                        of_one[user.name] = user
                    elif user.type in PASSING or user.type == "ReadVariableOp":
                        waiting.append(user)
            if not variable.readers:
                inside = (self.graph.op_by_name[name] for name in layer.ops)
                of_one = {op.name: op for op in inside if op.type in KERNEL_OPS}
            found[variable.name] = tuple(of_one.values())
        return found

    def behind(self, names: Iterable[str]) -> set[str]:
        """The ops of the forward pass that depend on some ops, those included."""
        found = set(names)
        waiting = [self.graph.op_by_name[name] for name in found]
        while waiting:
            new = {op.name: op for op in self.after(waiting.pop()) if op.name not in found}
            found |= new.keys()
            waiting += new.values()
        return found

    def reaches_kernels(self, op: Op) -> bool:
        """Whether other layers with weights come behind an op."""
        known = self.graph.op_by_name
        return any(known[one].type in KERNEL_OPS for one in self.behind([op.name]) - {op.name})

    def looked_up(self, variable: Variable) -> bool:
        """Whether it is a table of which rows are taken."""
        readers = [self.graph.op_by_name[name] for name in variable.readers]
        users = [user for one in readers for user in self.after(one)]
        return not {one.type for one in (*readers, *users)}.isdisjoint(TABLES)

    @cached_property
    def not_asked(self) -> frozenset[str]:
        """Variables that were recorded, though no gradient of theirs, as of a teacher's model."""
        held: dict[str, set[str]] = {}
        for tap in self.taps:
            held.setdefault(tap.kind, set()).add(tap.tensor)
        asked = held.get("gradient", set())
        kept = held.get("weight", set()) - asked
        known = {one.name for one in self.graph.variables if one.trainable}
        return frozenset(kept & known) if asked & known else frozenset()

    def gives_back(self, objective: Objective) -> bool:
        """Whether its labels are an input of the network, as those of an autoencoder."""
        labels = self.parts(objective.labels)
        told = [(one.features, one.mean, one.std, one.counts) for one in labels]
        return bool(told) and any(
            [(one.features, one.mean, one.std, one.counts) for one in parts] == told
            for parts in self.inputs.values()
        )

    @cached_property
    def outputs(self) -> list[str]:
        """The ops that make what the network is judged by."""
        return [one.output.op for one in self.objectives if one.output is not None]

    @cached_property
    def fed(self) -> set[str]:
        """The ops of the forward pass that depend on an input of the network."""
        return self.behind(self.sources)

    @cached_property
    def sources(self) -> set[str]:
        """The ops of the network's inputs."""
        return {ref.op for ref in self.graph.inputs.values()}

    def several(self, objective: Objective) -> bool:
        """Whether its labels are rows of zeros and ones, a unit for each, of which any number may
        be right at once.
        """
        parts, units = self.parts(objective.labels), self.units(objective)
        return bool(parts) and units == parts[0].features and any(one.multi_hot for one in parts)

    @cached_property
    def forward(self) -> tuple[Op, ...]:
        """Ops of the forward pass."""
        return tuple(op for op in self.graph.ops if op.phase == Phase.FORWARD)
