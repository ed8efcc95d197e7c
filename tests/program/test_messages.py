"""The texts about trainings that were not recorded, word by word."""

from __future__ import annotations

import pytest

from resnet_inspect.program.messages import explanations
from resnet_inspect.tracers.contract import Cause, MissedTraining

NOTHING = [
    "nothing was recorded: train.py did not train a model with TensorFlow "
    "(no call of fit or train_on_batch, no optimizer in a tf.function)"
]


@pytest.mark.parametrize(
    ("unrecorded", "lines"),
    [
        ([], NOTHING),
        (
            [MissedTraining(Cause.LEGACY_FIT)],
            [
                "nothing was recorded: train.py trains a model of tf_keras (Keras 2); "
                "only Keras 3 is recorded",
                "use `import keras`, or unset TF_USE_LEGACY_KERAS",
            ],
        ),
        (
            [MissedTraining(Cause.SESSION)],
            [
                "nothing was recorded: train.py runs a TensorFlow 1 session",
                "trace the function that builds the graph: "
                "resnet-inspect trace train.py:FUNCTION --tf1 --input SHAPE",
            ],
        ),
        (
            [MissedTraining(Cause.OTHER_BACKEND, "jax")],
            [
                "nothing was recorded: the Keras backend is jax; only TensorFlow is recorded",
                "set KERAS_BACKEND=tensorflow for this command if the script allows it",
            ],
        ),
        (
            [MissedTraining(Cause.ELSEWHERE)],
            ["nothing more was recorded: train.py uses its own Recorder, which writes the run"],
        ),
        (
            [MissedTraining(Cause.EAGER_LOOP, "train.py:12", "update")],
            [
                "nothing was recorded: the optimizer is applied eagerly at train.py:12, outside "
                "a tf.function",
                "decorate update with @tf.function, or add these two lines below it:",
                "    recorder = resnet_inspect.Recorder(every=10)   # and: import resnet_inspect",
                "    update = recorder.instrument(update)",
            ],
        ),
        (
            [MissedTraining(Cause.EAGER_LOOP, "train.py:12", "<module>")],
            [
                "nothing was recorded: the optimizer is applied eagerly at train.py:12, outside "
                "a tf.function",
                "move one step into a function train_step(x, y) and decorate it with @tf.function",
            ],
        ),
        (
            [MissedTraining(Cause.HIDDEN_LOOP, "train.py:7", "epoch")],
            [
                "nothing was recorded: epoch at train.py:7 loops over batches inside one "
                "tf.function",
                "to record it, move the body of the loop into a separate @tf.function",
            ],
        ),
        (
            [MissedTraining(Cause.TROUBLE, "a fit was not recorded: OSError: no such luck")],
            ["nothing was recorded: a fit was not recorded: OSError: no such luck"],
        ),
    ],
)
def test_why_nothing_was_recorded(unrecorded: list[MissedTraining], lines: list[str]) -> None:
    assert list(explanations(unrecorded, "train.py", recorded=False)) == lines


def test_of_a_recorded_program_only_what_is_missing_is_said() -> None:
    missed = [
        MissedTraining(Cause.SESSION),
        MissedTraining(Cause.LEGACY_FIT),
        MissedTraining(Cause.ELSEWHERE),
    ]
    assert list(explanations([], "train.py", recorded=True)) == []
    assert list(explanations(missed, "train.py", recorded=True))[:1] == [
        "not recorded: train.py trains a model of tf_keras (Keras 2); only Keras 3 is recorded"
    ]
