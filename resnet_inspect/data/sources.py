"""Reads images by the name of their source: shapes10, cifar10:PATH or npz:PATH."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.data import shapes10
from resnet_inspect.data.images import LabelledImages
from resnet_inspect.errors import DataError

RECORD = 3073
CIFAR_CLASSES = 10
NPZ_RANK = 4
# Exceptions of the readers of compressed files for damaged content.
DAMAGE = (zlib.error, lzma.LZMAError, EOFError, zipfile.BadZipFile, RuntimeError)


def load(name: str, *, training: bool = True) -> LabelledImages:
    """Read the images of source `name`; without `training` the test part, if there is one.

    Generated images are generated once a process and cannot be written to.

    Raises DataError for a missing or damaged file, or a file of another format.
    """
    kind, _, path = name.partition(":")
    if kind == "shapes10":
        return _drawn(training)
    if not path:
        raise DataError(
            f"the data source '{kind}' needs a path",
            where="setting 'data'",
            expected=f"{kind}:PATH",
            got=name,
            fix=f"add the path after a colon, such as {kind}:my_data",
        )
    try:
        file = Path(path).expanduser()
        return _read_cifar10(file, training) if kind == "cifar10" else _read_npz(file)
    except FileNotFoundError as error:
        raise DataError(
            "the data file does not exist",
            where=str(error.filename or path),
            expected="CIFAR-10 in its binary version" if kind == "cifar10" else "an .npz file",
            got="no such file or folder",
            fix="check the path, or leave out --data for generated images",
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        # A missing home folder raises RuntimeError, a NUL in the path ValueError.
        raise DataError(
            "the data cannot be read",
            where=path,
            got=getattr(error, "strerror", None) or str(error),
            fix="check the path and its permissions",
        ) from error


@cache
def _drawn(training: bool) -> LabelledImages:
    images, labels = shapes10.draw(training=training)
    for array in (images, labels):
        array.flags.writeable = False
    return LabelledImages(images, labels, "shapes10")


def _read_cifar10(path: Path, training: bool) -> LabelledImages:
    prefix = "data_batch_" if training else "test_batch"
    if path.is_dir():
        files = sorted(file for file in path.glob("*.bin") if file.name.startswith(prefix))
        parts = {str(file): file.read_bytes() for file in files}
    elif path.suffix == ".bin":
        parts = {str(path): path.read_bytes()}
    else:
        parts = _read_archive(path, prefix)
    if not parts:
        raise DataError(
            "there are no CIFAR-10 batch files",
            where=str(path),
            expected=f"files named {prefix}*.bin (the binary version of the data set)",
            got="no such file",
            fix="use the folder or archive of the binary version, not of the Python version",
        )
    decoded = [_decode_cifar10(content, name) for name, content in parts.items()]
    images = np.concatenate([images for images, _ in decoded])
    return LabelledImages(images, np.concatenate([labels for _, labels in decoded]), str(path))


def _read_archive(path: Path, prefix: str) -> dict[str, bytes]:
    try:
        with tarfile.open(path) as archive:
            members = [m for m in archive.getmembers() if m.isfile() and m.name.endswith(".bin")]
            chosen = sorted((m for m in members if Path(m.name).name.startswith(prefix)), key=str)
            opened = [(m.name, archive.extractfile(m)) for m in chosen]
            parts = {f"{path}, {name}": file.read() for name, file in opened if file}
            # The checksum is at the end of the stream, after the data that tarfile reads.
            while archive.fileobj is not None and archive.fileobj.read(1 << 20):
                pass
            return parts
    except (*DAMAGE, tarfile.TarError, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise DataError(
            "the file is not an archive of CIFAR-10, or is damaged",
            where=str(path),
            expected="a .tar.gz of the binary version, a .bin file, or a folder of them",
            got=str(error).splitlines()[0] if str(error) else type(error).__name__,
            fix="download or unpack it again",
        ) from error


def _decode_cifar10(content: bytes, where: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Split 3,073-byte records into images [count, 32, 32, 3] and labels [count]."""
    if not content or len(content) % RECORD:
        raise DataError(
            "the CIFAR-10 file is truncated or has another format",
            where=where,
            expected=f"complete records of {RECORD} bytes, at least 1",
            got=f"{len(content)} bytes, with {len(content) % RECORD} bytes after the last record",
            fix="copy the file again, from the binary version of CIFAR-10",
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= CIFAR_CLASSES:
        index = int(np.argmax(labels >= CIFAR_CLASSES))
        raise DataError(
            "the file is not CIFAR-10 in its binary version",
            where=f"{where}, record {index}",
            expected="a label byte from 0 to 9 at the start of each record",
            got=str(labels[index]),
            fix="use a data_batch_*.bin file of the binary version of CIFAR-10",
        )
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


def _read_npz(file: Path) -> LabelledImages:
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
    except (*DAMAGE, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            "the file is not an .npz file, or is damaged",
            where=str(file),
            expected="a file written by numpy.savez, without Python objects",
            got=str(error),
            fix="write it again with numpy.savez(FILE, images=…, labels=…)",
        ) from error
    for name in ("images", "labels"):
        if name not in arrays:
            raise DataError(
                f"the .npz file has no array '{name}'",
                where=str(file),
                expected="arrays 'images' [count, height, width, channels] and 'labels' [count]",
                got=", ".join(f"'{array}'" for array in arrays) or "no arrays",
                fix="write it with numpy.savez(FILE, images=…, labels=…)",
            )
    images, labels = arrays["images"], arrays["labels"]
    numeric = images.dtype.kind in "uif" and labels.dtype.kind in "ui"
    if images.ndim != NPZ_RANK or labels.shape != images.shape[:1] or not numeric:
        raise DataError(
            "the arrays of the .npz file have wrong shapes or types",
            where=str(file),
            expected="images [count, height, width, channels], numbers; labels [count], integers",
            got=f"images {list(images.shape)} {images.dtype}, "
            f"labels {list(labels.shape)} {labels.dtype}",
            fix="write one image and one integer label per row, channels last",
        )
    if not images.size:
        raise DataError(
            "the .npz file has no images",
            where=str(file),
            expected="at least 1 image",
            got=f"images {list(images.shape)}",
            fix="write the file again with images",
        )
    if int(labels.max()) > np.iinfo(np.int64).max:
        labels = labels.astype(np.float64).clip(
            max=2.0**62
        )  # rejected later as outside the classes
    with np.errstate(all="ignore"):
        return _as_labelled(images, labels, file)


def _as_labelled(images: Any, labels: Any, file: Path) -> LabelledImages:
    kept = images if images.dtype == np.uint8 else images.astype(np.float32)
    return LabelledImages(kept, labels.astype(np.int64), str(file))
