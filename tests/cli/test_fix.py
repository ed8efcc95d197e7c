"""`fix`: verdicts, exit codes, diffs, and what it writes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resnet_inspect.cli.commands.fix import _bytes
from resnet_inspect.errors import UsageError
from tests.cli.conftest import Command
from tests.explain.answers import PROGRAMS
from tests.frameworks import FAKES, PACKAGE

UNCLOSED = "'(' was never closed (train.py, line 1)"


def sums(folder: Path) -> dict[str, str]:
    """The checksum of each file below a folder."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder in which commands run."""
    return tmp_path / "here"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "code", "out"),
    [
        ("print('done')\n", 0, "nothing to fix: train.py ran without an error\n"),
        ("{}['loss']\n", 6, "not a shape error: KeyError at train.py:1: 'loss'\n"),
        ("import sys; sys.exit(4)\n", 6, "not a shape error: train.py exited with code 4\n"),
        ("x = (\n", 6, f"not a shape error: SyntaxError at train.py:1: {UNCLOSED}\n"),
    ],
)
def test_programs_without_a_shape_error(
    command: Command, here: Path, source: str, code: int, out: str
) -> None:
    (here / "train.py").write_text(source)
    before = sums(here)
    done = command("fix", "train.py")
    assert (done.returncode, done.stdout) == (code, out), done.stderr
    assert done.stderr == "resnet-inspect: running train.py ...\n"
    assert sums(here) == before


@pytest.mark.slow
def test_arguments_of_the_script(command: Command, here: Path) -> None:
    (here / "package").mkdir()
    (here / "package" / "train.py").write_text("import sys\nsys.exit(' '.join(sys.argv[1:]))\n")
    done = command("fix", "--steps", "2", "-m", "package.train", "--steps", "--apply")
    assert done.returncode == 6
    assert done.stdout == (
        "not a shape error: -m package.train exited with code 1, last output: --steps --apply\n"
    )


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("none.py",), "the script does not exist\n  where:    none.py\n"),
        (("-m", "none"), "the module cannot be run\n  where:    -m none\n"),
        (("--steps", "0", "train.py"), "the number is too small\n  where:    flag --steps\n"),
        (("--choose", "0", "train.py"), "the number is too small\n  where:    flag --choose\n"),
        (("--memory-limit", "much", "train.py"), "the size cannot be read\n"),
        (("--time-limit", "0", "train.py"), "the time is too short\n"),
    ],
)
def test_wrong_command_lines(
    command: Command, here: Path, words: tuple[str, ...], error: str
) -> None:
    (here / "train.py").write_text("print('done')\n")
    done = command("fix", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"resnet-inspect: {error}" in done.stderr


@pytest.mark.parametrize(
    ("text", "size"), [("8G", 8 * 10**9), ("1.5gb", 15 * 10**8), ("300 ", 300), ("2M", 2 * 10**6)]
)
def test_sizes(text: str, size: int) -> None:
    assert _bytes(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "1X", "1 2"])
def test_wrong_sizes(text: str) -> None:
    with pytest.raises(UsageError):
        _bytes(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "last"),
    [
        (signal.SIGINT, 130, "resnet-inspect: stopped"),
        (signal.SIGTERM, 143, "resnet-inspect: running train.py ..."),
        (signal.SIGHUP, 129, "resnet-inspect: running train.py ..."),
    ],
)
def test_signals_end_everything(
    here: Path, tmp_path: Path, number: signal.Signals, code: int, last: str
) -> None:
    here.mkdir()
    mark, temporary = f"mark-{tmp_path.name}", tmp_path / "temporary"
    temporary.mkdir()
    (here / "train.py").write_text(
        "import subprocess, sys\n"
        "open('started', 'w').close()\n"
        f"subprocess.run([sys.executable, '-c', 'import time; time.sleep(99)', '{mark}'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "resnet_inspect", "fix", "train.py"],
        cwd=here,
        env=os.environ | {"PYTHONPATH": f"{FAKES}:{PACKAGE}", "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not running(mark):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    error = process.communicate(timeout=30)[1]
    assert (process.returncode, error.splitlines()[-1]) == (code, last)
    assert not running(mark)
    assert list(temporary.iterdir()) == []


def running(mark: str) -> bool:
    """Whether a process has a text in its command line."""
    files = Path("/proc").glob("[0-9]*/cmdline")
    texts = []
    for file in files:
        try:
            texts.append(file.read_bytes())
        except OSError:
            continue
    return any(mark.encode() in text for text in texts)


@pytest.fixture
def program(here: Path, command: Command) -> Path:  # noqa: ARG001 - makes the folder
    """A program that compares image-shaped outputs with labels; its lines end with CRLF."""
    file = here / "train.py"
    source = (PROGRAMS / "own" / "no_flatten.py").read_bytes()
    file.write_bytes(source.replace(b"\n", b"\r\n"))
    file.chmod(0o750)
    return file


@pytest.mark.tensorflow
def test_repairs_are_offered_and_applied(command: Command, program: Path, here: Path) -> None:
    before = program.read_bytes()
    done = command("fix", "--json", "train.py", real_tensorflow=True)
    assert done.returncode == 1, done.stderr
    assert program.read_bytes() == before
    assert [file.name for file in here.iterdir()] == ["train.py"]
    document = json.loads(done.stdout)
    assert (document["verdict"], document["program"]) == ("repaired", "train.py")
    best = document["offered"][0]
    assert best["title"].startswith("insert Flatten() before Dense(")
    assert best["evidence"]["steps"] == 3
    assert best["evidence"]["keeps_batch"] is True
    done = command("fix", "--apply", "train.py", real_tensorflow=True)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"\n   3 training steps run, loss [\d.]+ → [\d.]+, batch axis kept\n", done.stdout
    )
    assert done.stderr.endswith(f"resnet-inspect: changed train.py: {best['title']}\n")
    assert program.stat().st_mode & 0o777 == 0o750
    after = program.read_bytes()
    assert after.count(b"\n") == after.count(b"\r\n") == before.count(b"\n") + 1
    program.write_bytes(before)
    patch = best["diff"].encode()
    subprocess.run(["git", "apply", "-"], cwd=here, input=patch, check=True)
    assert program.read_bytes() == after
    done = command("fix", "train.py", real_tensorflow=True)
    assert (done.returncode, done.stdout) == (
        0,
        "nothing to fix: train.py ran 4 training steps without an error\n",
    )


@pytest.mark.tensorflow
def test_a_file_that_changed_meanwhile_is_not_written(command: Command, program: Path) -> None:
    with program.open("ab") as file:
        file.write(b"\r\n")
    source = program.read_bytes()
    program.write_bytes(b"open(__file__, 'a').write('#')\r\n" + source)
    done = command("fix", "--in-place", "--apply", "train.py", real_tensorflow=True)
    assert done.returncode == 2
    assert "resnet-inspect: the file changed while repairs were tested\n" in done.stderr
    assert b"Flatten" not in program.read_bytes()


@pytest.mark.tensorflow
def test_no_repair_passes(command: Command, here: Path) -> None:
    """The sizes differ in each run, so that no number repairs them."""
    (here / "train.py").write_text(
        "import time\n"
        "import numpy as np\n"
        "import tensorflow as tf\n"
        "count = time.time_ns() % 9973 + 11\n"
        "left, right = (np.random.rand(2, count + at) for at in range(2))\n"
        "tf.matmul(left, right, transpose_b=True)\n"
    )
    done = command("fix", "train.py", real_tensorflow=True)
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("no repair of train.py ")
