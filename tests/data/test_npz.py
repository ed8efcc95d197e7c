"""Images from .npz files: reading and errors."""

import gc
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect.data import LabelledImages, load
from resnet_inspect.errors import DataError

IMAGES = np.arange(3 * 4 * 5 * 2).reshape(3, 4, 5, 2).astype(np.uint8)
LABELS = np.array([2, 0, 1])
DAMAGED = "the file is not an .npz file, or is damaged"
UNFIT = "the arrays of the .npz file have wrong shapes or types"


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def error_of(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        load(f"npz:{path}")
    return caught.value


def test_read(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", images=IMAGES, labels=LABELS.astype(np.uint8), extra=LABELS)
    data = load(f"npz:{path}")
    assert np.array_equal(data.images, IMAGES)
    assert data.labels.tolist() == [2, 0, 1]
    assert [str(part.dtype) for part in (data.images, data.labels)] == ["uint8", "int64"]
    assert (data.source, len(data)) == (str(path), 3)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.int64, np.uint16])
def test_other_numbers_are_read_as_float32(tmp_path: Path, kind: type[np.generic]) -> None:
    images = (IMAGES / 2).astype(kind)
    data = load(f"npz:{save(tmp_path / 'a.npz', images=images, labels=LABELS)}")
    assert data.images.dtype == np.float32
    assert np.array_equal(data.images, images)


@pytest.mark.parametrize(
    ("name", "wanted", "got"),
    [
        ("labels", "images", "'labels'"),
        ("images", "labels", "'images'"),
        ("", "images", "no arrays"),
    ],
)
def test_missing_array(tmp_path: Path, name: str, wanted: str, got: str) -> None:
    arrays = {name: IMAGES} if name else {}
    assert str(error_of(save(tmp_path / "a.npz", **arrays))) == (
        f"the .npz file has no array '{wanted}'\n"
        f"  where:    {tmp_path}/a.npz\n"
        "  expected: arrays 'images' [count, height, width, channels] and 'labels' [count]\n"
        f"  got:      {got}\n"
        "  do:       write it with numpy.savez(FILE, images=…, labels=…)"
    )


def test_label_count_differs(tmp_path: Path) -> None:
    assert str(error_of(save(tmp_path / "a.npz", images=IMAGES, labels=LABELS[:2]))) == (
        f"{UNFIT}\n"
        f"  where:    {tmp_path}/a.npz\n"
        "  expected: images [count, height, width, channels], numbers; labels [count], integers\n"
        "  got:      images [3, 4, 5, 2] uint8, labels [2] int64\n"
        "  do:       write one image and one integer label per row, channels last"
    )


@pytest.mark.parametrize(
    ("images", "labels", "got"),
    [
        (IMAGES[0], LABELS, "images [4, 5, 2] uint8, labels [3] int64"),
        (IMAGES, LABELS[:, None], "images [3, 4, 5, 2] uint8, labels [3, 1] int64"),
        (IMAGES, np.int64(1), "images [3, 4, 5, 2] uint8, labels [] int64"),
        (IMAGES, LABELS.astype(float), "images [3, 4, 5, 2] uint8, labels [3] float64"),
        (IMAGES.astype(str), LABELS, "images [3, 4, 5, 2] <U3, labels [3] int64"),
        (IMAGES.astype(complex), LABELS, "images [3, 4, 5, 2] complex128, labels [3] int64"),
    ],
)
def test_wrong_rank_or_type(tmp_path: Path, images: Any, labels: Any, got: str) -> None:
    error = error_of(save(tmp_path / "a.npz", images=images, labels=labels))
    assert (error.what, error.where, error.got) == (UNFIT, f"{tmp_path}/a.npz", got)


def test_no_images(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", images=IMAGES[:0], labels=LABELS[:0])
    assert str(error_of(path)) == (
        "the .npz file has no images\n"
        f"  where:    {path}\n"
        "  expected: at least 1 image\n"
        "  got:      images [0, 4, 5, 2]\n"
        "  do:       write the file again with images"
    )


def test_missing_and_folder(tmp_path: Path) -> None:
    error = error_of(tmp_path / "none.npz")
    assert (error.what, error.expected) == ("the data file does not exist", "an .npz file")
    assert str(error_of(tmp_path)) == (
        "the data cannot be read\n"
        f"  where:    {tmp_path}\n"
        "  got:      Is a directory\n"
        "  do:       check the path and its permissions"
    )


def plain_array() -> bytes:
    body = io.BytesIO()
    np.save(body, IMAGES)
    return body.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(name, content)
        archive.writestr("labels.npy", content)
    return body.getvalue()


def damaged_deflate() -> bytes:
    body = io.BytesIO()
    np.savez_compressed(body, images=IMAGES, labels=LABELS)
    content = bytearray(body.getvalue())
    start = content.index(b"images.npy") + 40
    content[start : start + 20] = b"\xff" * 20
    return bytes(content)


def cut_zip() -> bytes:
    body = io.BytesIO()
    np.savez(body, images=IMAGES, labels=LABELS)
    return body.getvalue()[:300]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"hello" * 20, id="text"),
        pytest.param(b"", id="empty"),
        pytest.param(plain_array(), id="plain npy"),
        pytest.param(cut_zip(), id="cut"),
        pytest.param(damaged_deflate(), id="damaged deflate"),
        pytest.param(zipped("images", b"abc"), id="member that is no array"),
    ],
)
def test_not_an_npz_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    error = error_of(path)
    assert error.what in (DAMAGED, UNFIT)
    assert error.where == str(path)
    assert error.got
    del error
    gc.collect()  # an unclosed file would be warned of here


def test_python_objects(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", images=np.array([{}, []], dtype=object), labels=LABELS)
    assert str(error_of(path)) == (
        f"{DAMAGED}\n"
        f"  where:    {path}\n"
        "  expected: a file written by numpy.savez, without Python objects\n"
        "  got:      Object arrays cannot be loaded when allow_pickle=False\n"
        "  do:       write it again with numpy.savez(FILE, images=…, labels=…)"
    )


@pytest.mark.parametrize(("labels", "place", "got"), [([0, 1, 3], 2, 3), ([0, -1, 7], 1, -1)])
def test_label_outside_the_classes(labels: list[int], place: int, got: int) -> None:
    with pytest.raises(DataError) as caught:
        LabelledImages(IMAGES, np.array(labels), "mine").check(classes=3, batch_size=1)
    assert str(caught.value) == (
        "a label is outside the classes of the network\n"
        f"  where:    mine, image {place}\n"
        "  expected: labels from 0 to 2\n"
        f"  got:      {got}\n"
        "  do:       correct the labels, or set classes to their number"
    )


def test_batch_larger_than_the_data() -> None:
    data = LabelledImages(IMAGES, LABELS, "mine")
    assert data.check(classes=3, batch_size=3) is data
    with pytest.raises(DataError) as caught:
        data.check(classes=3, batch_size=4)
    assert str(caught.value) == (
        "the batch is larger than the data\n"
        "  where:    mine\n"
        "  expected: a batch size of at most 3\n"
        "  got:      4\n"
        "  do:       set --batch-size to 3 or less, or use more data"
    )
