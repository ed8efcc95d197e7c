"""Explains why a program, or a part of it, was not recorded, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.commands import Command, spelled
from resnet_inspect.tracers.contract import Cause, MissedTraining

TWO_LINES = (
    "    recorder = resnet_inspect.Recorder(every=10)   # and: import resnet_inspect",
    "    {name} = recorder.instrument({name})",
)


def explanations(
    unrecorded: Sequence[MissedTraining], script: str, *, recorded: bool
) -> Iterator[str]:
    """Lines about trainings that were not recorded, once for each cause."""
    by_cause: dict[Cause, MissedTraining] = {}
    for training in unrecorded:
        by_cause.setdefault(training.cause, training)
    for cause in (Cause.TROUBLE, Cause.HIDDEN_LOOP, Cause.EAGER_LOOP, Cause.LEGACY_FIT):
        if cause in by_cause:
            yield from _lines(by_cause[cause], script, recorded=recorded)
    if recorded:
        return
    rest = (Cause.OTHER_BACKEND, Cause.ELSEWHERE, Cause.SESSION)
    other = next((by_cause[cause] for cause in rest if cause in by_cause), None)
    if other is not None:
        yield from _lines(other, script, recorded=False)
    elif not by_cause:
        yield (
            f"nothing was recorded: {script} did not train a model with TensorFlow "
            "(no call of fit or train_on_batch, no optimizer in a tf.function)"
        )


def _lines(missed: MissedTraining, script: str, *, recorded: bool) -> Iterator[str]:
    start = "not recorded" if recorded else "nothing was recorded"
    if missed.cause is Cause.TROUBLE:
        yield f"{start}: {missed.place}"
    elif missed.cause is Cause.LEGACY_FIT:
        yield f"{start}: {script} trains a model of tf_keras (Keras 2); only Keras 3 is recorded"
        yield "use `import keras`, or unset TF_USE_LEGACY_KERAS"
    elif missed.cause is Cause.SESSION:
        yield f"{start}: {script} runs a TensorFlow 1 session"
        shown = Command("trace", (f"{script}:FUNCTION",), ("--tf1", "--input", "SHAPE"))
        yield f"trace the function that builds the graph: {spelled(shown)}"
    elif missed.cause is Cause.OTHER_BACKEND:
        yield f"{start}: the Keras backend is {missed.place}; only TensorFlow is recorded"
        yield "set KERAS_BACKEND=tensorflow for this command if the script allows it"
    elif missed.cause is Cause.ELSEWHERE:
        yield f"nothing more was recorded: {script} uses its own Recorder, which writes the run"
    else:
        yield from _loop(missed, start)


def _loop(missed: MissedTraining, start: str) -> Iterator[str]:
    where = f" at {missed.place}" if missed.place else ""
    if missed.cause is Cause.HIDDEN_LOOP:
        yield f"{start}: {missed.function}{where} loops over batches inside one tf.function"
        yield "to record it, move the body of the loop into a separate @tf.function"
        return
    yield f"{start}: the optimizer is applied eagerly{where}, outside a tf.function"
    if missed.function in ("", "<module>"):
        yield "move one step into a function train_step(x, y) and decorate it with @tf.function"
    else:
        yield f"decorate {missed.function} with @tf.function, or add these two lines below it:"
        for line in TWO_LINES:
            yield line.format(name=missed.function)
