"""The recorded data of one run, with the derived values that several rules share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

from resnet_inspect.analysis.check.computations import (
    class_shares,
    entropy,
    glorot_norm,
    label_shares,
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

# Ops that return the values of their input unchanged.
PASS_THROUGH_OPS = frozenset(
    ("Identity", "Reshape", "Squeeze", "ExpandDims", "StopGradient", "Cast")
)
KERNEL_OPS = frozenset(("MatMul", "BatchMatMulV2", "Conv2D", "Conv3D", "DepthwiseConv2dNative",
                        "Conv2DBackpropInput", "Einsum"))  # fmt: skip
LOOKUP_OPS = frozenset(("ResourceGather", "GatherV2"))
SOFTMAX_LOSSES = frozenset(("categorical_crossentropy", "sparse_categorical_crossentropy",
                            "categorical_focal_crossentropy"))  # fmt: skip
BINARY_LOSSES = frozenset(("binary_crossentropy", "binary_focal_crossentropy"))
REGRESSION_LOSSES = frozenset(("mean_squared_error", "mean_absolute_error", "huber", "log_cosh",
                               "mean_absolute_percentage_error",
                               "mean_squared_logarithmic_error"))  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """The data of a run. `course` reads the summaries of one tap at all recorded steps."""

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
        """How the network is trained; empty if that was not recorded."""
        return self.graph.training or Training()

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Loss, output and labels of each training objective."""
        return self.training.objectives

    @cached_property
    def meanings(self) -> Meanings:
        """Meanings of axes, such as batch or channel."""
        return Meanings(self.graph, self.lineage)

    @cached_property
    def dangers(self) -> tuple[Danger, ...]:
        """Axis operations that are probably mistakes."""
        return dangers(self.graph, self.lineage, self.meanings, everywhere=True)

    def place(self, name: str) -> Place:
        """Return the layer, tensor or variable of a name."""
        return place_named(self.graph, name)

    @cached_property
    def loss(self) -> Mapping[int, float]:
        """The loss by step: of the batch if recorded, else Keras' mean over the epoch so far."""
        for name in ("batch_loss", "loss"):
            if self.scalars.get(name):
                return self.scalars[name]
        return {}

    @cached_property
    def tap_of(self) -> dict[tuple[str, str], Tap]:
        """Taps by name of tensor or variable, and kind."""
        return {(tap.tensor, tap.kind): tap for tap in self.taps}

    def summaries(self, ref: TensorRef, kind: str = "activation") -> Mapping[int, TensorSummary]:
        """Return the summaries of a tensor by step, or of a tensor with the same values."""
        for tensor in (ref, *self._forwarded_from(ref)):
            tap = self.tap_of.get((str(tensor), kind))
            if tap is not None:
                return self.course(tap)
        return {}

    def _forwarded_from(self, ref: TensorRef) -> Iterator[TensorRef]:
        while (
            (op := self.graph.op_by_name.get(ref.op)) and op.type in PASS_THROUGH_OPS and op.inputs
        ):
            ref = op.inputs[0]
            yield ref

    def producer(self, ref: TensorRef) -> Op | None:
        """Return the op that computed the values of a tensor, ignoring pass-through ops."""
        *_, last = (ref, *self._forwarded_from(ref))
        return self.graph.op_by_name.get(last.op)

    def weight(self, variable: str) -> Mapping[int, TensorSummary]:
        """Return the summaries of a variable before each recorded step."""
        tap = self.tap_of.get((variable, "weight"))
        return self.course(tap) if tap is not None else {}

    def gradient(self, variable: str) -> Mapping[int, TensorSummary]:
        """Return the summaries of a variable's gradient at the recorded steps."""
        tap = self.tap_of.get((variable, "gradient"))
        return self.course(tap) if tap is not None else {}

    @cached_property
    def kernels(self) -> tuple[tuple[Layer, Variable], ...]:
        """Trainable variables of two axes or more, except biases, each with its first layer."""
        known = self.graph.variable_by_name
        kernels: dict[str, tuple[Layer, Variable]] = {}
        for layer in self.graph.layers:
            for name in layer.variables:
                variable = known[name]
                bias = "bias" in name.rpartition("/")[2]  # those of attention have several axes
                if variable.trainable and not bias and len(variable.spec.shape or ()) > 1:
                    kernels.setdefault(name, (layer, variable))
        return tuple(kernels.values())

    def update_ratios(self, variable: str) -> list[float]:
        """Return ‖Δw‖/‖w‖ of a variable at the recorded steps.

        ‖w‖ is at least that of Glorot's initial weights: a kernel that starts small must grow.
        """
        usual = glorot_norm(self.graph.variable_by_name[variable])
        every = (by[variable] for by in self.updates.values() if variable in by)
        return [ratio for ratio in relative_updates(every, usual) if math.isfinite(ratio)]

    @cached_property
    def median_update_ratio(self) -> float | None:
        """The median of ‖Δw‖/‖w‖ over kernels and recorded steps, without the first step."""
        every = [
            value for _, variable in self.kernels for value in self.update_ratios(variable.name)[1:]
        ]  # the first step moves kernels of zeros, and optimizer moments are not warm
        return median(every) if every else None

    @cached_property
    def update_ratio_by_step(self) -> dict[int, float]:
        """The median of ‖Δw‖/‖w‖ over kernels at each recorded step."""
        usual = {variable.name: glorot_norm(variable) for _, variable in self.kernels}
        medians = {}
        for step, by in self.updates.items():
            every = (by[name].relative(least) for name, least in usual.items() if name in by)
            if known := [ratio for ratio in every if ratio is not None]:
                medians[step] = median(known)
        return medians

    def parts(self, name: str) -> list[BatchPart]:
        """Return one part of the batch, such as the labels, at each recorded step."""
        return [by[name] for by in self.batches.values() if name in by]

    @cached_property
    def inputs(self) -> dict[str, list[BatchPart]]:
        """The parts of the batch that the network takes as inputs, by name."""
        labels = {objective.labels for objective in self.objectives}
        names = dict.fromkeys(name for by in self.batches.values() for name in by)
        known = self.training.inputs
        usual = [n for n in names if n not in labels and n.split("/")[0] in ("x", "images")]
        kept = [n for n in names if n in known] if known else usual
        return {name: self.parts(name) for name in kept}

    def units(self, objective: Objective) -> int | None:
        """Return the size of the last axis of an output; None if unknown."""
        if objective.output is None or objective.output.op not in self.graph.op_by_name:
            return None
        shape = self.graph.spec(objective.output).shape
        return shape[-1] if shape else None

    def layer_of(self, ref: TensorRef | None) -> Layer | None:
        """Return the layer that computed the values of a tensor."""
        op = self.producer(ref) if ref is not None else None
        return self.graph.layer_of_op.get(op.name) if op is not None else None

    def name_of(self, ref: TensorRef | None) -> str:
        """Return the name of the layer that computed a tensor, else of its op."""
        layer = self.layer_of(ref)
        return layer.name if layer is not None else (ref.op if ref is not None else "")

    def baseline_loss(self, objective: Objective) -> float | None:
        """Return the chance level of one objective: the entropy or variance of its labels.

        That is the loss of the best constant prediction. None if it is not known.
        """
        parts = self.parts(objective.labels)
        if not parts:
            return None
        if objective.loss in SOFTMAX_LOSSES:
            shares = class_shares(parts, objective.ignore_class)
            return -sum(p * math.log(p) for p in shares.values()) if shares else None
        if objective.loss in BINARY_LOSSES and parts[0].features == 1:
            mean = sum(part.mean * part.examples for part in parts) / sum(o.examples for o in parts)
            return entropy(mean) if 0 < mean < 1 else None
        if objective.loss in BINARY_LOSSES and self.is_multi_label(objective):
            each = label_shares(parts)
            return sum(map(entropy, each)) / len(each)
        if objective.loss == "mean_squared_error" and parts[0].features == 1:
            return median(part.std for part in parts) ** 2
        return None

    @cached_property
    def chance_loss(self) -> float | None:
        """Chance level of the total loss; None if it is not known, as with sample weights."""
        if self.has_sample_weights:
            return None
        levels = [self.baseline_loss(objective) for objective in self.objectives]
        if not levels or None in levels:
            return None
        pairs = zip(levels, self.objectives, strict=True)
        return sum((level or 0.0) * objective.weight for level, objective in pairs)

    @cached_property
    def has_sample_weights(self) -> bool:
        """Whether examples have weights."""
        return any("sample_weight" in by for by in self.batches.values())

    def upstream(
        self, names: Sequence[str], stop: Callable[[Op], bool] = lambda _: False
    ) -> set[str]:
        """Return all ops that lead to these ops, including them; paths end where `stop` is true."""
        known = self.graph.op_by_name
        reached = {name for name in names if name in known}
        waiting = list(reached)
        while waiting:
            op = known[waiting.pop()]
            if stop(op):
                continue
            new = {ref.op for ref in op.inputs if ref.op in known} - reached
            reached |= new
            waiting += new
        return reached

    def forward_consumers(self, op: Op) -> Iterator[Op]:
        """Yield the ops of the forward pass that take an output of an op."""
        for index in range(len(op.outputs) or 1):
            for name in self.graph.consumers.get(TensorRef(op.name, index), ()):
                user = self.graph.op_by_name[name]
                if user.phase is Phase.FORWARD:
                    yield user

    @cached_property
    def kernel_ops(self) -> dict[str, tuple[Op, ...]]:
        """The ops that multiply by each kernel; none for a kernel that a loop's body reads."""
        ops_of: dict[str, tuple[Op, ...]] = {}
        for layer, variable in self.kernels:
            waiting = [self.graph.op_by_name[name] for name in variable.readers]
            users: dict[str, Op] = {}
            while waiting:
                op = waiting.pop()
                for user in self.forward_consumers(op):
                    if user.type in KERNEL_OPS:
                        users[user.name] = user
                    elif user.type in PASS_THROUGH_OPS or user.type == "ReadVariableOp":
                        waiting.append(user)
            if not variable.readers:
                inside = (self.graph.op_by_name[name] for name in layer.ops)
                users = {op.name: op for op in inside if op.type in KERNEL_OPS}
            ops_of[variable.name] = tuple(users.values())
        return ops_of

    def downstream(self, names: Iterable[str]) -> set[str]:
        """Return the ops of the forward pass that depend on these ops, including them."""
        reached = set(names)
        waiting = [self.graph.op_by_name[name] for name in reached]
        while waiting:
            users = self.forward_consumers(waiting.pop())
            new = {op.name: op for op in users if op.name not in reached}
            reached |= new.keys()
            waiting += new.values()
        return reached

    def reaches_kernels(self, op: Op) -> bool:
        """Whether the output of an op reaches another op with weights."""
        known = self.graph.op_by_name
        later = self.downstream([op.name]) - {op.name}
        return any(known[name].type in KERNEL_OPS for name in later)

    def is_lookup_table(self, variable: Variable) -> bool:
        """Whether rows of a variable are looked up, as in an embedding."""
        readers = [self.graph.op_by_name[name] for name in variable.readers]
        users = [user for reader in readers for user in self.forward_consumers(reader)]
        return not {op.type for op in (*readers, *users)}.isdisjoint(LOOKUP_OPS)

    @cached_property
    def without_gradients(self) -> frozenset[str]:
        """Trainable variables recorded without a gradient, as those of a teacher model."""
        tensors: dict[str, set[str]] = {}
        for tap in self.taps:
            tensors.setdefault(tap.kind, set()).add(tap.tensor)
        gradients = tensors.get("gradient", set())
        others = tensors.get("weight", set()) - gradients
        known = {variable.name for variable in self.graph.variables if variable.trainable}
        return frozenset(others & known) if gradients & known else frozenset()

    def is_reconstruction(self, objective: Objective) -> bool:
        """Whether the labels equal an input of the network, as for an autoencoder."""
        labels = _statistics(self.parts(objective.labels))
        return bool(labels) and any(_statistics(parts) == labels for parts in self.inputs.values())

    @cached_property
    def output_ops(self) -> list[str]:
        """The ops that make the trained outputs."""
        return [
            objective.output.op for objective in self.objectives if objective.output is not None
        ]

    @cached_property
    def input_dependent_ops(self) -> set[str]:
        """The ops of the forward pass that depend on an input of the network."""
        return self.downstream(self.input_ops)

    @cached_property
    def input_ops(self) -> set[str]:
        """The ops of the network's inputs."""
        return {ref.op for ref in self.graph.inputs.values()}

    def is_multi_label(self, objective: Objective) -> bool:
        """Whether several labels can be true at once: rows of zeros and ones, a unit each."""
        parts, units = self.parts(objective.labels), self.units(objective)
        return bool(parts) and units == parts[0].features and any(part.multi_hot for part in parts)

    @cached_property
    def forward_ops(self) -> tuple[Op, ...]:
        """Ops of the forward pass."""
        return tuple(op for op in self.graph.ops if op.phase == Phase.FORWARD)


def _statistics(parts: Sequence[BatchPart]) -> list[tuple[object, ...]]:
    """Return what is compared to see whether two parts of the batch are equal."""
    return [(part.features, part.mean, part.std, part.counts) for part in parts]
