"""Networks without groups, as Keras' functional models are: layers of one op, made in code."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, TensorSpec, Variable

WEIGHTED = ("Conv2D", "Dense", "Embedding", "LSTM", "LayerNormalization", "MultiHeadAttention")


class Network:
    """A network under construction. Calls add layers and return their names."""

    def __init__(self, *inputs: str, width: int = 4) -> None:
        inputs = inputs or ("x",)
        self.widths = dict.fromkeys(inputs, width)
        self.ops = [
            Op(name, "Placeholder", outputs=(TensorSpec((8, width), "float32"),)) for name in inputs
        ]
        self.inputs = {name: TensorRef(name) for name in inputs}
        self.layers: list[Layer] = []
        self.variables: list[Variable] = []

    def layer(
        self, kind: str, *takes: str, name: str = "", width: int = 0, path: Sequence[str] = ()
    ) -> str:
        """Add a layer with the name that Keras would give it, or with another one."""
        usual = {"Conv2D": "conv2d", "Dense": "dense", "Add": "add", "ReLU": "re_lu"}
        count = sum(layer.type == kind for layer in self.layers)
        bare = usual.get(kind, kind.lower())
        name = name or (f"{bare}_{count}" if count else bare)
        self.widths[name] = width or self.widths[takes[0]]
        refs = tuple(TensorRef(taken) for taken in takes)
        spec = TensorSpec((8, self.widths[name]), "float32")
        self.ops.append(Op(name, f"{kind}Op", Phase.FORWARD, inputs=refs, outputs=(spec,)))
        owned = (f"{name}/kernel",) if kind in WEIGHTED else ()
        shape = TensorSpec((self.widths[takes[0]], self.widths[name]), "float32")
        self.variables += [Variable(variable, shape, True, (), (name,)) for variable in owned]
        made = Layer(name, kind, tuple(path), name, (name,), refs, TensorRef(name), owned)
        self.layers.append(made)
        return name

    def op(self, kind: str, *takes: str, name: str, shape: Sequence[int], dtype: str) -> str:
        """Add an op outside of layers."""
        refs = tuple(TensorRef(taken) for taken in takes)
        spec = TensorSpec(tuple(shape), dtype)
        self.widths[name] = shape[-1] if shape else 1
        self.ops.append(Op(name, kind, Phase.FORWARD, inputs=refs, outputs=(spec,)))
        return name

    def chain(self, taken: str, *kinds: str, width: int = 0) -> str:
        """Add a chain of layers and return the last."""
        for kind in kinds:
            taken = self.layer(kind, taken, width=width)
        return taken

    def residual(self, taken: str, *kinds: str) -> str:
        """Add a chain and the sum of its output and its input."""
        return self.layer("Add", self.chain(taken, *kinds), taken)

    @property
    def graph(self) -> Graph:
        """The network."""
        return Graph(
            tuple(self.ops),
            variables=tuple(self.variables),
            layers=tuple(self.layers),
            inputs=self.inputs,
        )
