"""Files that are rejected as CIFAR-10, and the error texts."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from resnet_inspect.data import load
from resnet_inspect.errors import DataError

RECORD = 3073


def error_of(path: Path, *, training: bool = True) -> DataError:
    with pytest.raises(DataError) as caught:
        load(f"cifar10:{path}", training=training)
    return caught.value


def archive(path: Path, content: bytes, name: str = "c/data_batch_1.bin", level: int = 6) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=level) as opened:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        opened.addfile(member, io.BytesIO(content))
    return path


def test_missing(tmp_path: Path) -> None:
    assert str(error_of(tmp_path / "data_batch_1.bin")) == (
        "the data file does not exist\n"
        f"  where:    {tmp_path}/data_batch_1.bin\n"
        "  expected: CIFAR-10 in its binary version\n"
        "  got:      no such file or folder\n"
        "  do:       check the path, or leave out --data for generated images"
    )


@pytest.mark.parametrize("name", ["missing", "missing.tar.gz"])
def test_missing_folder_or_archive(tmp_path: Path, name: str) -> None:
    error = error_of(tmp_path / name)
    assert (error.what, error.where) == ("the data file does not exist", str(tmp_path / name))


@pytest.mark.parametrize(("size", "beyond"), [(2 * RECORD - 1, 3072), (RECORD + 1, 1), (0, 0)])
def test_truncated_or_empty(tmp_path: Path, size: int, beyond: int) -> None:
    file = tmp_path / "data_batch_1.bin"
    file.write_bytes(bytes(size))
    assert str(error_of(file)) == (
        "the CIFAR-10 file is truncated or has another format\n"
        f"  where:    {file}\n"
        "  expected: complete records of 3073 bytes, at least 1\n"
        f"  got:      {size} bytes, with {beyond} bytes after the last record\n"
        "  do:       copy the file again, from the binary version of CIFAR-10"
    )


def test_wrong_label_byte(tmp_path: Path) -> None:
    body = bytearray(3 * RECORD)
    body[RECORD] = 10
    file = tmp_path / "data_batch_1.bin"
    file.write_bytes(body)
    assert str(error_of(tmp_path)) == (
        "the file is not CIFAR-10 in its binary version\n"
        f"  where:    {file}, record 1\n"
        "  expected: a label byte from 0 to 9 at the start of each record\n"
        "  got:      10\n"
        "  do:       use a data_batch_*.bin file of the binary version of CIFAR-10"
    )


@pytest.mark.parametrize(("training", "prefix"), [(True, "data_batch_"), (False, "test_batch")])
def test_folder_without_batches(tmp_path: Path, training: bool, prefix: str) -> None:
    for name in ("data_batch_1", "test_batch", "batches.meta"):  # as the Python version has them
        (tmp_path / name).write_bytes(b"\x80\x04}.")
    assert str(error_of(tmp_path, training=training)) == (
        "there are no CIFAR-10 batch files\n"
        f"  where:    {tmp_path}\n"
        f"  expected: files named {prefix}*.bin (the binary version of the data set)\n"
        "  got:      no such file\n"
        "  do:       use the folder or archive of the binary version, not of the Python version"
    )


def test_empty_folder_and_archive_without_batches(tmp_path: Path) -> None:
    packed = archive(tmp_path / "python.tar.gz", b"x", "cifar-10-batches-py/data_batch_1")
    for path in (tmp_path, packed):
        error = error_of(path)
        assert (error.what, error.where) == ("there are no CIFAR-10 batch files", str(path))


def test_record_in_an_archive_is_named(tmp_path: Path) -> None:
    error = error_of(archive(tmp_path / "a.tar.gz", bytes(RECORD) + b"\x0b" + bytes(RECORD - 1)))
    assert error.where == f"{tmp_path}/a.tar.gz, c/data_batch_1.bin, record 1"
    assert error.got == "11"


def not_an_archive(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "a.tar.gz"
    whole = archive(path, np.random.default_rng(0).bytes(5 * RECORD)).read_bytes()
    path.write_bytes({"text": b"hello" * 300, "empty": b"", "cut": whole[:6000]}[kind])
    return path


@pytest.mark.parametrize("kind", ["text", "empty", "cut"])
def test_not_an_archive(tmp_path: Path, kind: str) -> None:
    path = not_an_archive(tmp_path, kind)
    error = error_of(path)
    assert str(error) == (
        "the file is not an archive of CIFAR-10, or is damaged\n"
        f"  where:    {path}\n"
        "  expected: a .tar.gz of the binary version, a .bin file, or a folder of them\n"
        f"  got:      {error.got}\n"
        "  do:       download or unpack it again"
    )
    assert error.got


def test_damaged_deflate_stream(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 6, 9 * RECORD).astype(np.uint8)
    path = archive(tmp_path / "a.tar.gz", noise.tobytes())
    body = bytearray(path.read_bytes())
    body[1000:9000] = b"\x55" * 8000
    path.write_bytes(body)
    assert error_of(path).what == "the file is not an archive of CIFAR-10, or is damaged"


def test_damage_that_only_the_checksum_shows(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", bytes(3 * RECORD), level=0)
    body = bytearray(path.read_bytes())
    body[2000] ^= 0xFF  # one pixel of the first image
    path.write_bytes(body)
    assert error_of(path).what == "the file is not an archive of CIFAR-10, or is damaged"


def test_batch_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1.bin").mkdir()
    error = error_of(tmp_path)
    assert (error.what, error.got) == ("the data cannot be read", "Is a directory")
    assert error.where.startswith(str(tmp_path))


@pytest.mark.parametrize("kind", ["cifar10", "npz"])
@pytest.mark.parametrize("colon", ["", ":"])
def test_no_path(kind: str, colon: str) -> None:
    with pytest.raises(DataError) as caught:
        load(kind + colon)
    assert str(caught.value) == (
        f"the data source '{kind}' needs a path\n"
        "  where:    setting 'data'\n"
        f"  expected: {kind}:PATH\n"
        f"  got:      {kind}{colon}\n"
        f"  do:       add the path after a colon, such as {kind}:my_data"
    )


@pytest.mark.parametrize("kind", ["cifar10", "npz"])
def test_unknown_home_folder(kind: str) -> None:
    with pytest.raises(DataError):
        load(f"{kind}:~no-such-user-here/pictures")
