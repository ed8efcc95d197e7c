"""Re-traces the user's model with larger keyword settings, to find the sizes that depend on them.

A setting is increased by 1. One that gives the size of an input is doubled, because strides hide
a smaller change.

Each re-trace uses a new graph without values. Nothing runs, and existing objects are not changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO

import tensorflow as tf
from tensorflow.python.framework.func_graph import FuncGraph

from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.graph import Note
from resnet_inspect.graph.lineage import Variation
from resnet_inspect.tracers.tensorflow.capture.construction import Construction
from resnet_inspect.tracers.tensorflow.failures.exceptions import failed_op
from resnet_inspect.tracers.tensorflow.model.model_calls import (
    Names,
    UserVariables,
    call_recorded,
    layer_name_counts,
    restore_layer_names,
)
from resnet_inspect.tracers.tensorflow.model.models import Model
from resnet_inspect.tracers.tensorflow.model.targets import Target
from resnet_inspect.tracers.tensorflow.runtime import quiet_tensorflow
from resnet_inspect.tracers.tensorflow.sizes.retraces import TracedShapes, compared, seen

# Limit for all re-traces of a model, in seconds. A re-trace is assumed to take as long as the
# recorded trace, although it is faster.
RETRACE_SECONDS = 8.0


def settings_to_retrace(integers: Iterable[str], seconds: float) -> tuple[str, ...]:
    """Return the settings to re-trace if building and tracing the model took `seconds`.

    One re-trace is reserved for the unchanged model.
    """
    most = max(0, int(RETRACE_SECONDS / max(seconds, 1e-3)) - 1)
    return tuple(integers)[:most]


@dataclass(frozen=True)
class RetraceResult:
    """The results of re-traces: a variation for each setting, and the names in the unchanged trace.

    `failed` is the reason if the code cannot be re-traced, else empty.
    """

    variations: tuple[Variation, ...] = ()
    traced: frozenset[str] = frozenset()
    failed: str = ""

    def notes(self, settings: Iterable[str], *, complete: bool) -> Iterator[Note]:
        """Yield a note on the settings that were not varied.

        `complete` is whether the recorded trace had no error.
        """
        varied = {variation.setting for variation in self.variations}
        missing = ", ".join(setting for setting in settings if setting not in varied)
        if self.failed or (complete and missing):
            reason = self.failed or "re-tracing the model would take too long"
            yield Note("settings", f"sizes that depend on {missing} are unknown: {reason}")


@quiet_tensorflow()
def model_variations(
    target: Target, specs: Sequence[InputSpec], settings: Sequence[str], names: Names
) -> RetraceResult:
    """Build and trace the model again for each of these settings, with a larger value.

    `names` are the names that Keras had used before the model was first built.
    """
    if not settings:
        return RetraceResult()
    after = layer_name_counts()
    try:
        base = _trace(target, specs, {}, names)
        if base.ended:
            return RetraceResult(failed=f"{base.conflicts[-1]} cannot be traced without values")

        def variation(name: str, after: int) -> Variation:
            changed = _trace(target, specs, {name: after}, names)
            return compared(name, target.integers[name], after, base, changed)

        variations = []
        for name in settings:
            before = target.integers[name]
            first = variation(name, before + 1)
            resized = any(f"{spec.name}:0" in first.shapes for spec in specs)
            variations.append(variation(name, 2 * before) if resized else first)
    finally:
        restore_layer_names(after)
    return RetraceResult(tuple(variations), frozenset(base.shapes))


def _trace(
    target: Target, specs: Sequence[InputSpec], changed: dict[str, int], names: Names
) -> TracedShapes:
    """Build the model and call it, until an error; its output is dropped."""
    restore_layer_names(names)
    variables, failed = UserVariables(values=False), ""
    with tf.Graph().as_default(), variables.collected(), redirect_stdout(StringIO()):
        graph = FuncGraph("again")
        with graph.as_default():
            construction = Construction(0, {})
        try:
            model = target.make(**changed)
            with graph.as_default():
                inputs = [
                    tf.compat.v1.placeholder(spec.dtype, sizes, name=spec.name)
                    for spec, sizes in zip(specs, _sizes(specs, model), strict=True)
                ]
                call_recorded(model, construction, inputs, variables, {})
        except (Exception, SystemExit) as error:  # the user's code may raise anything
            failed = failed_op(error.__cause__ or error) or "the model"
    shapes = {
        name: tuple(variable.shape.as_list()) for name, variable in construction.variables.items()
    }
    return seen(graph, shapes, (failed,) if failed else (), ended=bool(failed))


def _sizes(specs: Sequence[InputSpec], model: Model) -> list[tuple[int | None, ...]]:
    """Return the sizes of the inputs of a re-traced model.

    Those that it declares may depend on the changed setting. The batch is not changed.
    """
    declared = model.inputs or ()
    if [len(own.sizes) for own in declared] != [len(spec.sizes) for spec in specs]:
        return [spec.sizes for spec in specs]
    return [
        tuple(
            size if size is not None and axis else before
            for axis, (size, before) in enumerate(zip(own.sizes, spec.sizes, strict=True))
        )
        for own, spec in zip(declared, specs, strict=True)
    ]
