"""Says why a program, or a part of it, was not recorded, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.tracers.contract import Seen, Sighting

TWO_LINES = (
    "    recorder = resnet_inspect.Recorder(every=10)   # and: import resnet_inspect",
    "    {name} = recorder.instrument({name})",
)


def explained(sightings: Sequence[Sighting], script: str, *, recorded: bool) -> Iterator[str]:
    """Lines about what was not recorded. Of several ways to train each is named once."""
    found: dict[Seen, Sighting] = {}
    for sighting in sightings:
        found.setdefault(sighting.kind, sighting)
    for kind in (Seen.TROUBLE, Seen.HIDDEN_LOOP, Seen.EAGER_LOOP, Seen.LEGACY_FIT):
        if kind in found:
            yield from _lines(found[kind], script, recorded=recorded)
    if recorded:
        return
    rest = (Seen.OTHER_BACKEND, Seen.ELSEWHERE, Seen.SESSION)
    other = next((found[kind] for kind in rest if kind in found), None)
    if other is not None:
        yield from _lines(other, script, recorded=False)
    elif not found:
        yield (
            f"nothing was recorded: {script} did not train a model with TensorFlow "
            "(no call of fit or train_on_batch, no optimizer in a tf.function)"
        )


def _lines(seen: Sighting, script: str, *, recorded: bool) -> Iterator[str]:
    start = "not recorded" if recorded else "nothing was recorded"
    if seen.kind is Seen.TROUBLE:
        yield f"{start}: {seen.place}"
    elif seen.kind is Seen.LEGACY_FIT:
        yield f"{start}: {script} trains a model of tf_keras (Keras 2)"
        yield "only Keras 3 is recorded; use `import keras`, or unset TF_USE_LEGACY_KERAS"
    elif seen.kind is Seen.SESSION:
        yield f"{start}: {script} runs a TensorFlow 1 session"
        yield (
            "name the function that builds the graph: "
            f"resnet-inspect trace {script}:FUNCTION --tf1 --input SHAPE"
        )
    elif seen.kind is Seen.OTHER_BACKEND:
        yield f"{start}: Keras runs on the backend {seen.place}, and only TensorFlow is recorded"
        yield "set KERAS_BACKEND=tensorflow for this command if the script allows it"
    elif seen.kind is Seen.ELSEWHERE:
        yield f"nothing more was recorded: {script} has a Recorder of its own, which writes its run"
    else:
        yield from _loop(seen, start)


def _loop(seen: Sighting, start: str) -> Iterator[str]:
    where = f" at {seen.place}" if seen.place else ""
    if seen.kind is Seen.HIDDEN_LOOP:
        yield f"{start}: {seen.function}{where} loops over batches inside one tf.function"
        yield "move the body of the loop into a @tf.function of its own, and it is recorded"
        return
    yield f"{start}: the optimizer is applied op by op{where}, outside of a tf.function"
    if seen.function in ("", "<module>"):
        yield "move one step into a function train_step(x, y) and decorate it with @tf.function"
    else:
        yield f"decorate {seen.function} with @tf.function, or add these two lines below it:"
        for line in TWO_LINES:
            yield line.format(name=seen.function)
