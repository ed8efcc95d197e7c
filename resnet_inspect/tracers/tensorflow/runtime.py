"""Loading TensorFlow without its chatter, and choosing a device.

TensorFlow's C++ side writes notices straight to file descriptor 2 while it is imported, before
any log level applies. They are held back and thrown away only if the import succeeds.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from typing import Any

from resnet_inspect.errors import DeviceError, FrameworkMissingError
from resnet_inspect.tracers.contract import Environment

PACKAGES = ("tensorflow", "keras", "numpy")


def load_tensorflow() -> Any:
    """Import TensorFlow and return it; raises FrameworkMissingError where it is not installed."""
    if "tensorflow" not in sys.modules:  # else a program has it, whose environment is its own
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with _held_back_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tensorflow
    except ImportError as error:
        raise FrameworkMissingError(
            "TensorFlow cannot be imported",
            where=f"Python {sys.version.split()[0]} at {sys.prefix}",
            expected="the package tensorflow (only tracing needs it, reading runs does not)",
            got=str(error),
            fix="pip install 'resnet-inspect[cpu]', or [gpu] for a machine with an NVIDIA GPU",
        ) from error
    return tensorflow


def choose_device(tensorflow: Any, wanted: str) -> tuple[str, Environment]:
    """The device to place ops on, such as /GPU:0, and what to tell of it.

    `wanted` is auto, cpu or gpu; auto takes the first GPU there is. Raises DeviceError if a GPU
    is wanted and TensorFlow finds none.
    """
    gpus = [] if wanted == "cpu" else tensorflow.config.list_physical_devices("GPU")
    if wanted == "gpu" and not gpus:
        raise DeviceError(
            "there is no GPU that TensorFlow can use",
            where="setting 'device'",
            expected="a GPU in tensorflow.config.list_physical_devices('GPU')",
            got="none",
            fix="use --device cpu, or install the driver and resnet-inspect[gpu]",
        )
    if gpus:
        details = tensorflow.config.experimental.get_device_details(gpus[0])
        name = f"GPU:0 ({details.get('device_name', 'unnamed')})"
    else:
        name = f"CPU:0 ({os.cpu_count()} cores)"
    return ("/GPU:0" if gpus else "/CPU:0"), Environment(name, _versions())


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        for distribution in (package, f"{package}-cpu"):
            try:
                found[package] = metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
            break
    return found


@contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """No warnings of TensorFlow's Python side in the body, where calls are only tried."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; give it out again if the body fails."""
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, AttributeError):  # closed, or full
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(saved, 2)
            held.seek(0)
            with suppress(OSError):
                os.write(2, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
