"""Reading the binary version of CIFAR-10 from a file, a folder and an archive."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_inspect.data import load

REAL = Path(__file__).parents[3] / "shared" / "cifar10"
Pictures = NDArray[np.uint8]


def pictures(count: int, seed: int) -> Pictures:
    drawn = np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3))
    return drawn.astype(np.uint8)


def records(images: Pictures, labels: list[int]) -> bytes:
    """One label byte, then the red, green and blue plane, row by row, for each picture."""
    body = b""
    for image, label in zip(images, labels, strict=True):
        body += bytes([label]) + b"".join(image[:, :, channel].tobytes() for channel in range(3))
    return body


A, B, TEST = pictures(3, 1), pictures(2, 2), pictures(4, 3)
PARTS = {
    "data_batch_2.bin": records(B, [9, 1]),
    "data_batch_1.bin": records(A, [0, 5, 2]),
    "test_batch.bin": records(TEST, [3, 3, 4, 0]),
    "readme.html": b"not a batch",
}


@pytest.fixture(params=["folder", "archive.tar.gz", "archive.tar"])
def whole_set(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    if path.suffix:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
            for name, content in PARTS.items():
                member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path
    path.mkdir()
    for name, content in PARTS.items():
        (path / name).write_bytes(content)
    return path


def test_training_part_is_every_data_batch_in_order(whole_set: Path) -> None:
    data = load(f"cifar10:{whole_set}")
    assert np.array_equal(data.images, np.concatenate([A, B]))
    assert data.labels.tolist() == [0, 5, 2, 9, 1]
    assert [str(part.dtype) for part in (data.images, data.labels)] == ["uint8", "int64"]
    assert data.source == str(whole_set)


def test_evaluation_takes_the_test_batch(whole_set: Path) -> None:
    data = load(f"cifar10:{whole_set}", training=False)
    assert np.array_equal(data.images, TEST)
    assert data.labels.tolist() == [3, 3, 4, 0]


@pytest.mark.parametrize("training", [True, False])
def test_a_single_file_is_read_for_both(tmp_path: Path, training: bool) -> None:
    file = tmp_path / "some_name.bin"
    file.write_bytes(records(A, [7, 8, 9]))
    data = load(f"cifar10:{file}", training=training)
    assert np.array_equal(data.images, A)
    assert data.labels.tolist() == [7, 8, 9]


def test_planes_are_red_green_blue_row_by_row(tmp_path: Path) -> None:
    body = bytearray(3073)
    body[0] = 6
    body[1 + 5] = 10  # red plane, row 0, column 5
    body[1 + 1024 + 2 * 32] = 20  # green plane, row 2, column 0
    body[1 + 2048 + 31 * 32 + 31] = 30  # blue plane, last pixel
    (tmp_path / "one.bin").write_bytes(body)
    image = load(f"cifar10:{tmp_path / 'one.bin'}").images[0]
    assert (image[0, 5, 0], image[2, 0, 1], image[31, 31, 2]) == (10, 20, 30)
    assert np.count_nonzero(image) == 3


@pytest.mark.skipif(not REAL.is_dir(), reason="no real pictures at ../shared/cifar10")
@pytest.mark.parametrize("training", [True, False])
def test_real_pictures(training: bool) -> None:
    data = load(f"cifar10:{REAL}", training=training)
    assert data.images.shape == (1000, 32, 32, 3)
    assert set(data.labels.tolist()) == set(range(10))
    # Neighbouring pixels of photographs are alike; of wrongly ordered planes they are not.
    values = data.images.astype(np.float64)
    neighbours = np.abs(np.diff(values, axis=2)).mean()
    assert neighbours < np.abs(values - np.roll(values, 1, axis=0)).mean() / 3
