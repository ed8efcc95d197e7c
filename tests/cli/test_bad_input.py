"""Every kind of bad input: one clear message, the right exit code, nothing written."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Command

LABELS = np.arange(20) % 10
IMAGES = np.zeros((20, 32, 32, 3), np.uint8)


def prepare(folder: Path) -> None:
    """Files that are wrong in one way each."""
    (folder / "unknown_key.toml").write_text("n = 5\nfilter = 32\n")
    (folder / "own_n.toml").write_text("n = 5\n")
    (folder / "wrong_type.toml").write_text('n = "five"\n')
    (folder / "broken.toml").write_text("n = = 5\n")
    (folder / "short.bin").write_bytes(bytes(3073 * 2 + 7))
    (folder / "magic.bin").write_bytes(b"\x89PNG" + bytes(3073 * 2 - 4))
    (folder / "magic.tar.gz").write_bytes(b"not an archive")
    np.savez(folder / "no_images.npz", pictures=IMAGES, labels=LABELS)
    np.savez(folder / "labels.npz", images=IMAGES, labels=LABELS + 1)
    (folder / "exists.db").write_text("precious")
    (folder / "orphan.db-wal").write_text("steps of a run that was moved away")
    (folder / "dangling.db").symlink_to("nowhere")
    (folder / "text.db").write_text("no run " * 500)
    with sqlite3.connect(folder / "newer.db") as newer:
        newer.execute("PRAGMA application_id = 1380535891")
        newer.execute("PRAGMA user_version = 99")
    newer.close()


TRACE: list[tuple[str, list[str]]] = [
    ("unknown setting 'filter'", ["--config", "unknown_key.toml"]),
    ("invalid value for setting 'n'", ["--config", "wrong_type.toml"]),
    ("the configuration file is not valid TOML", ["--config", "broken.toml"]),
    ("the configuration file cannot be read", ["--config", "absent.toml"]),
    ("invalid value for setting 'n'", ["--n", "0"]),
    ("invalid value for setting 'ver'", ["--ver", "3"]),
    ("invalid value for setting 'device'", ["--device", "tpu"]),
    ("the batch is larger than the data", ["--batch-size", "2561"]),
    ("the data file does not exist", ["--data", "cifar10:absent"]),
    ("the CIFAR-10 file is truncated or has another format", ["--data", "cifar10:short.bin"]),
    ("the file is not CIFAR-10 in its binary version", ["--data", "cifar10:magic.bin"]),
    ("the file is not an archive of CIFAR-10, or is damaged", ["--data", "cifar10:magic.tar.gz"]),
    ("the .npz file has no array 'images'", ["--data", "npz:no_images.npz"]),
    ("a label is outside the classes of the network", ["--data", "npz:labels.npz"]),
    ("the file already exists", ["-o", "exists.db"]),
    ("the file already exists", ["-o", "orphan.db"]),
    ("the file already exists", ["-o", "dangling.db"]),
    ("the run file cannot be written", ["-o", "n" * 300]),
    ("the run file cannot be written", ["-o", "exists.db/run.db"]),
    ("invalid value for setting 'mean_axes'", ["--mean-axes", "-1,3"]),
    ("invalid value for setting 'learning_rate'", ["--learning-rate", "1e39"]),
    ("--input describes the inputs of your model, and TARGET is missing", ["--input", "x=8"]),
    ("--set passes arguments to the callable that builds your model", ["--set", "n=8"]),
    ("--set passes arguments to the callable that builds your model", ["m.keras", "--set", "n=8"]),
    ("--signature chooses a signature of a SavedModel", ["m.py:f", "--signature", "a"]),
    ("--tf1 runs a file written for TensorFlow 1, and TARGET is missing", ["--tf1"]),
    (
        "--tf1 runs a file written for TensorFlow 1; the target is not in a file",
        ["m.keras", "--tf1"],
    ),
    (
        "--tf1 runs a file written for TensorFlow 1; the target is not in a file",
        ["package.m:f", "--tf1"],
    ),
    ("invalid value for setting 'set'", ["m.py:f", "--set", "n"]),
    ("your model does not use n, mode", ["m.py:f", "--n", "3", "--mode", "eval"]),
    ("your model does not use steps", ["m.keras", "--steps", "3"]),
    ("your model does not use batch_size", ["old.py:net", "--tf1"]),
    ("your model does not use n", ["m.py:f", "--config", "own_n.toml"]),
    ("invalid value for setting 'input'", ["m.py:f", "--input", "x=8,a"]),
    ("invalid value for setting 'target'", ["m.py"]),
    ("--force replaces only readable run files", ["-o", "exists.db", "--force"]),
]


@pytest.mark.parametrize(("message", "flags"), TRACE, ids=[" ".join(flags) for _, flags in TRACE])
def test_trace_rejects(command: Command, tmp_path: Path, message: str, flags: list[str]) -> None:
    here = tmp_path / "here"
    prepare(here)
    before = content(here)
    words = ["--batch-size", "8", "-o", "run.db"]
    done = command("trace", "--quiet", *words, *flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"resnet-inspect: {message}")
    assert "\n  do:       " in done.stderr
    assert "Traceback" not in done.stderr
    assert content(here) == before


def test_a_wrong_input_or_target_says_where_and_why(command: Command) -> None:
    done = command("trace", "m.py:f", "--input", "x=8,a")
    assert (
        "  got:      x=8,a: 'a' is not a size: use an integer, or ? for an unknown size\n"
        in done.stderr
    )
    assert "  where:    TARGET\n" in command("trace", "m.py", "--input", "x=8").stderr


def content(folder: Path) -> dict[str, bytes | None]:
    """The bytes of each file in a folder; None for what cannot be read."""
    return {file.name: file.read_bytes() if file.exists() else None for file in folder.iterdir()}


def test_control_characters_in_names_are_not_obeyed(command: Command) -> None:
    done = command("shapes", "odd\x1b[31m\nname.db")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "  where:    odd\\x1b[31m\\nname.db\n" in done.stderr


def test_negative_axes_can_be_typed(command: Command) -> None:
    for words in (["--mean-axes", "-3,-2"], ["--mean-axes=-3,-2"]):
        assert "-3,-2" in command("config", "show", *words).stdout


def test_environment_variables_are_checked_too(command: Command) -> None:
    done = command("config", "show", RESNET_INSPECT_BATCHSIZE="8")
    assert done.returncode == 2
    assert done.stderr == (
        "resnet-inspect: unknown setting 'batchsize'\n"
        "  where:    environment, RESNET_INSPECT_BATCHSIZE\n"
        "  expected: one of target, input, set, signature, tf1, n, ver, filters, classes, "
        "mean_axes, bn_axis, batch_norm, stem_bn, mode, checkpoint, optimizer, learning_rate, "
        "momentum, weight_decay, update_ops, data, raw, batch_size, steps, evaluate, every, "
        "record, taps, gradients, sample, seed, device\n"
        "  got:      batchsize\n"
        "  do:       did you mean 'batch_size'?\n"
    )


READING: list[tuple[int, str, str]] = [
    (2, "the run file does not exist", "absent.db"),
    (5, "the run file is damaged, or is not a run file", "text.db"),
    (5, "the run file comes from a newer version of resnet-inspect", "newer.db"),
]


@pytest.mark.parametrize(("code", "message", "file"), READING)
def test_shapes_rejects(
    command: Command, tmp_path: Path, code: int, message: str, file: str
) -> None:
    prepare(tmp_path / "here")
    done = command("shapes", file)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"resnet-inspect: {message}\n  where:    {file}\n")


@pytest.mark.parametrize(
    "words", [[], ["nonsense"], ["shapes", "--depth", "atom"], ["trace", "--no-such-flag"]]
)
def test_unusable_command_lines(command: Command, words: list[str]) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: resnet-inspect")


@pytest.mark.tensorflow
def test_a_gpu_that_is_not_there(command: Command, tmp_path: Path) -> None:
    done = command(
        "trace", "--quiet", "--device", "gpu", real_tensorflow=True, CUDA_VISIBLE_DEVICES="-1"
    )
    assert done.returncode == 2
    assert done.stderr == (
        "resnet-inspect: TensorFlow finds no GPU\n"
        "  where:    setting 'device'\n"
        "  expected: a GPU in tensorflow.config.list_physical_devices('GPU')\n"
        "  got:      none\n"
        "  do:       use --device cpu, or install the driver and resnet-inspect[gpu]\n"
    )
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.tensorflow
@pytest.mark.parametrize("existing", [False, True])
def test_a_bad_checkpoint_leaves_an_older_run_alone(
    command: Command, tmp_path: Path, existing: bool
) -> None:
    from tests.recordings import FOLDER

    file: Any = tmp_path / "here" / "run.db"
    before = (FOLDER / "v2.db").read_bytes() if existing else None
    if before is not None:
        file.write_bytes(before)
    words = ["--n", "1", "--batch-size", "8", "--checkpoint", "absent", "-o", "run.db", "--force"]
    done = command("trace", "--quiet", *words, real_tensorflow=True)
    assert done.returncode == 2
    assert done.stderr.startswith("resnet-inspect: the checkpoint cannot be read\n")
    assert (file.read_bytes() if file.exists() else None) == before
