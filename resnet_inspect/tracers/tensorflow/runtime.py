"""Loads TensorFlow without its log output, and chooses a device.

TensorFlow's C++ code writes notices to file descriptor 2 during the import, before any log level
applies. They are captured, and discarded only if the import succeeds.
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
    """Import TensorFlow and return it; raises FrameworkMissingError if it is not installed."""
    if "tensorflow" not in sys.modules:  # a program that has imported it sets its own log level
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with _captured_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tensorflow
    except ImportError as error:
        raise FrameworkMissingError(
            "TensorFlow cannot be imported",
            where=f"Python {sys.version.split()[0]} at {sys.prefix}",
            expected="the package tensorflow, which is needed to record runs but not to read them",
            got=str(error),
            fix="pip install 'resnet-inspect[cpu]', or [gpu] on a machine with an NVIDIA GPU",
        ) from error
    return tensorflow


def choose_device(tensorflow: Any, wanted: str) -> tuple[str, Environment]:
    """The device to place ops on, such as /GPU:0, and its description.

    `wanted` is auto, cpu or gpu; auto takes the first GPU, or the CPU if there is no GPU. Raises
    DeviceError if `wanted` is gpu and TensorFlow finds no GPU.
    """
    gpus = [] if wanted == "cpu" else tensorflow.config.list_physical_devices("GPU")
    if wanted == "gpu" and not gpus:
        raise DeviceError(
            "TensorFlow finds no GPU",
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
    versions = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        for distribution in (package, f"{package}-cpu"):
            try:
                versions[package] = metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
            break
    return versions


@contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Suppress TensorFlow's Python warnings in the body, for calls that may fail."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _captured_stderr() -> Iterator[None]:
    """Capture writes to file descriptor 2; write them to it again if the body fails."""
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, AttributeError):  # closed, or full
        yield
        return
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(saved, 2)
            captured.seek(0)
            with suppress(OSError):
                os.write(2, captured.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
