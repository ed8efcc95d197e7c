"""Which keyword settings move which sizes of a model of the user's own: made and traced again.

Each time in a fresh graph without values: nothing runs, and what was made before is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO

import tensorflow as tf
from tensorflow.python.framework.func_graph import FuncGraph

from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.graph.lineage import Variation
from resnet_inspect.tracers.tensorflow.capture.construction import Construction
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe
from resnet_inspect.tracers.tensorflow.model.model_calls import (
    Names,
    OwnVariables,
    call_noted,
    give_names_from,
    names_given,
)
from resnet_inspect.tracers.tensorflow.model.targets import Target
from resnet_inspect.tracers.tensorflow.runtime import quiet_tensorflow
from resnet_inspect.tracers.tensorflow.sizes.retraces import Traced, compared, seen

# Seconds for all re-traces of a model, as if each took what its recorded trace took; it takes less.
AFFORDED = 8.0


def affordable(integers: Iterable[str], seconds: float) -> tuple[str, ...]:
    """The settings that are tried if making and tracing the model took `seconds`; one re-trace is
    that of the model as it is.
    """
    most = max(0, int(AFFORDED / max(seconds, 1e-3)) - 1)
    return tuple(integers)[:most]


@dataclass(frozen=True)
class Retraced:
    """What re-traces came to: a variation for each setting, and the names the unchanged one saw.

    `refused` says why there are none, where the code cannot be run without values.
    """

    variations: tuple[Variation, ...] = ()
    traced: frozenset[str] = frozenset()
    refused: str = ""


@quiet_tensorflow()
def own_variations(
    target: Target, specs: Sequence[InputSpec], settings: Sequence[str], names: Names
) -> Retraced:
    """Make and trace the model again for each of these settings, each one larger.

    `names` are those Keras had given when the model was made first.
    """
    if not settings:
        return Retraced()
    after = names_given()
    try:
        base = _trace(target, specs, {}, names)
        if base.ended:
            return Retraced(refused=base.conflicts[-1])
        varied = [
            compared(
                name,
                target.integers[name],
                target.integers[name] + 1,
                base,
                _trace(target, specs, {name: target.integers[name] + 1}, names),
            )
            for name in settings
        ]
    finally:
        give_names_from(after)
    return Retraced(tuple(varied), frozenset(base.shapes))


def _trace(
    target: Target, specs: Sequence[InputSpec], changed: dict[str, int], names: Names
) -> Traced:
    """Make the model and call it, as far as that goes; what it prints was printed before."""
    give_names_from(names)
    variables, refused = OwnVariables(values=False), ""
    with tf.Graph().as_default(), variables.collected(), redirect_stdout(StringIO()):
        graph = FuncGraph("again")
        with graph.as_default():
            made = Construction(0, {})
        try:
            model = target.make(**changed)
            with graph.as_default():
                given = [
                    tf.compat.v1.placeholder(spec.dtype, spec.sizes, name=spec.name)
                    for spec in specs
                ]
                call_noted(model, made, given, variables, {})
        except (Exception, SystemExit) as error:  # the user's own code: all it raises is a refusal
            refused = describe(error.__cause__ or error, "tracing again").op or "the model"
    shapes = {name: tuple(one.shape.as_list()) for name, one in made.variables.items()}
    return seen(graph, shapes, (refused,) if refused else (), ended=bool(refused))
