"""Explains why a program, or a part of it, was not recorded, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeGuard

from resnet_inspect import paths
from resnet_inspect.commands import Command, spelled
from resnet_inspect.errors import InspectError
from resnet_inspect.script.tracebacks import failing_line
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.tracers.contract import Cause, MissedTraining
from resnet_inspect.tracers.error_texts import cause as cause_of

TWO_LINES = (
    "    recorder = resnet_inspect.Recorder(every=10)   # and: import resnet_inspect",
    "    {name} = recorder.instrument({name})",
)


def explanations(
    unrecorded: Sequence[MissedTraining],
    script: str,
    *,
    recorded: bool,
    error: BaseException | None = None,
) -> Iterator[str]:
    """Lines about trainings that were not recorded, once for each cause.

    `error` is the exception that ended the script. An InspectError is reported elsewhere.
    """
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
    elif not by_cause and _stops(error):
        yield from _stopped(error, script)
    elif not by_cause and not isinstance(error, InspectError):
        yield (
            f"nothing was recorded: {script} did not train a model with TensorFlow "
            "(no call of fit or train_on_batch, no optimizer in a tf.function)"
        )


def failed_training(file: Path, error: BaseException | None) -> Iterator[str]:
    """A line with the command that reads the run in `file`, if its failure is not explained.

    `error` is the exception that ended the script. A run that is still open ends with it.
    """
    try:
        with Run.open(file) as run:
            info = run.info
    except InspectError:
        return
    if info.failure is not None:
        kind = info.failure.kind
    elif info.status is Status.RUNNING and isinstance(error, Exception):
        kind = type(error).__name__
    else:
        return
    shown = spelled(Command("check", (file,)))
    yield f"the training failed with {kind}; see why: {shown}"


def _stops(error: BaseException | None) -> TypeGuard[BaseException]:
    """Whether a script stopped before its end: `sys.exit()` and `sys.exit(0)` are an end."""
    if isinstance(error, SystemExit):
        return error.code not in (None, 0)
    return error is not None and not isinstance(error, InspectError)


def _stopped(error: BaseException, script: str) -> Iterator[str]:
    """Lines about a script that stopped before its first training step: where, and the error."""
    line = failing_line(error)
    where = f" at {paths.short(line.filename)}:{line.lineno}" if line is not None else ""
    if isinstance(error, KeyboardInterrupt):
        how = "was stopped with Ctrl-C"
    elif isinstance(error, SystemExit):
        how = f"exited with code {error.code if isinstance(error.code, int) else 1}"
    else:
        how = f"stopped with {type(error).__name__}"
    yield f"nothing was recorded: {script} {how}{where}, before its first training step"
    if line is not None and line.line:
        yield f"    {paths.printable(line.line)}"
    if isinstance(error, Exception):
        yield f"error: {paths.printable(cause_of(error))}"
        yield "correct the error, then run the script again"


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
