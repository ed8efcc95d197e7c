"""Computes the numbers of answers again, from the tables of run files, with NumPy and SciPy only.

No reader of the program is used: the stored bytes are decoded here as store/schema.sql describes.
"""

from __future__ import annotations

import math
import sqlite3
import struct
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy import stats

Numbers = list[float]


class File:
    """One run file, read by SQL."""

    def __init__(self, path: str | Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def rows(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, given).fetchall()

    def scalar(self, name: str) -> Numbers:
        rows = self.rows("SELECT value FROM scalar WHERE name = ? ORDER BY step", name)
        return [math.nan if value is None else value for (value,) in rows]

    def ending(self, name: str, steps: int = 5) -> float:
        return float(np.mean(self.scalar(name)[-steps:]))

    @property
    def steps(self) -> list[int]:
        """The recorded steps."""
        return [step for (step,) in self.rows("SELECT DISTINCT step FROM summary ORDER BY step")]

    def output(self, layer: str, what: str) -> list[Any]:
        """A column of the summaries of a layer's output, by step."""
        query = (
            f"SELECT {what} FROM summary JOIN tap ON tap.id = tap WHERE layer = ?"
            " AND output AND kind = 'activation' ORDER BY step"
        )
        return [value for (value,) in self.rows(query, layer)]

    def layers(self, prefix: str) -> list[str]:
        """Layers with a recorded output and this prefix."""
        query = "SELECT layer FROM tap WHERE output AND kind = 'activation' ORDER BY id"
        return [layer for (layer,) in self.rows(query) if layer.startswith(prefix)]

    def norms(self) -> dict[int, tuple[float, float]]:
        """‖w‖ and ‖Δw‖ of all weights, by step."""
        norms = {}
        for step, body in self.rows("SELECT step, body FROM updates ORDER BY step"):
            pairs = np.array(list(msgspec.msgpack.decode(body).values()))
            norms[step] = tuple(np.sqrt(np.square(pairs).sum(axis=0)))
        return norms

    def normalization(self, layer: str, step: int) -> np.ndarray:
        """Rows: batch mean, batch variance, moving mean, moving variance."""
        query = "SELECT body FROM normalization WHERE layer = ? AND step = ?"
        ((body,),) = self.rows(query, layer, step)
        return np.frombuffer(zlib.decompress(body), "<f4").reshape(4, -1).astype(np.float64)

    def normalized(self) -> list[str]:
        return [layer for (layer,) in self.rows("SELECT DISTINCT layer FROM normalization")]

    def dead(self, layer: str) -> tuple[int, int]:
        """The number of channels that were never above 0, and of all channels."""
        query = (
            "SELECT body FROM channels JOIN tap ON tap.id = tap WHERE layer = ?"
            " AND output AND kind = 'activation'"
        )
        total: Any = 0
        for (body,) in self.rows(query, layer):
            packed = zlib.decompress(body)[8:]
            assert struct.unpack("<qq", packed[:16])[0] > 0
            planes = np.frombuffer(packed[16 : 16 + (len(packed) - 16) // 2], np.uint8)
            active = planes.reshape(8, -1).T.copy().view("<i8").ravel()
            total = total + active
        return int((total == 0).sum()), len(total)

    def histograms(self, layer: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Edges [k, 2] and counts [k] of a layer's output, by step."""
        return [_bins(zlib.decompress(body)) for body in self.output(layer, "sketch")]


def _bins(body: bytes) -> tuple[np.ndarray, np.ndarray]:
    count = len(body) // 6
    gaps, counts = (
        np.frombuffer(part, np.uint8).reshape(size, count).T.copy().view(f"<u{size}").ravel()
        for part, size in ((body[: 2 * count], 2), (body[2 * count :], 4))
    )
    bins = np.cumsum(gaps.astype(np.int64))
    edges = np.stack([_edge(bins), _edge(bins + 1)], axis=1)
    edges[(bins == 2047) | (bins == 2048)] = 0.0
    return edges, counts.astype(np.float64)


def _edge(bins: np.ndarray) -> np.ndarray:
    """The number at which a bin begins: the top twelve bits of a float32, in ascending order."""
    codes = (np.abs(bins - 2048).astype(np.uint32) << np.uint32(20)).view(np.float32)
    sizes: np.ndarray = np.sign(bins - 2048) * codes.astype(np.float64)
    return sizes


def earth_mover(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """In pooled standard deviations, by inverse distribution functions on a fine grid."""
    grid = (np.arange(200_000) + 0.5) / 200_000
    quantiles, variances = [], []
    for edges, counts in (a, b):
        share = counts / counts.sum()
        ends = np.cumsum(share)
        place = np.minimum(np.searchsorted(ends, grid), len(share) - 1)
        inside = (grid - (ends[place] - share[place])) / share[place]
        low, high = edges[place].T
        quantiles.append(low + np.clip(inside, 0, 1) * (high - low))
        middles = edges.mean(axis=1)
        variances.append(share @ (middles - share @ middles) ** 2)
    return float(np.abs(quantiles[0] - quantiles[1]).mean() / np.sqrt(np.mean(variances)))


def movement(run: File, layers: Sequence[str]) -> float:
    """Mean over layers and neighbouring recorded steps."""
    every = [run.histograms(name) for name in layers]
    return float(np.mean([[earth_mover(*pair) for pair in pairwise(h)] for h in every]))


def displacement(run: File, layers: Sequence[str]) -> float:
    """Mean over layers, from the first step to the last."""
    every = [run.histograms(name) for name in layers]
    return float(np.mean([earth_mover(h[0], h[-1]) for h in every]))


def channel_spread(run: File) -> float:
    """The spread of the first shortcut's channels, at the last step."""
    return float(np.log(np.sqrt(run.normalization("bn00_branch2a", run.steps[-1])[1])).std())


def gap(run: File) -> float:
    """The distance between ln of moving and of batch variances, at the last step."""
    variances = [run.normalization(name, run.steps[-1])[[1, 3]] for name in run.normalized()]
    gaps = [np.abs(np.diff(np.log(pair + 1e-3), axis=0)).mean() for pair in variances]
    return float(np.mean(gaps))


def moved(run: File) -> float:
    """‖Δw‖/‖w‖, mean over recorded steps."""
    return float(np.mean([change / size for size, change in run.norms().values()]))


def zeros(run: File, step: int) -> float:
    """Share of zeros, mean over ReLUs, at the first (0) or last (-1) recorded step."""
    names = run.layers("relu")
    counts = [(run.output(n, "zeros")[step], run.output(n, "count")[step]) for n in names]
    return float(np.mean([none / count for none, count in counts]))


def compared(a: Numbers, b: Numbers) -> tuple[float, float, float, float]:
    """Both means, the mean of the differences, and half of Student's interval, by SciPy."""
    differences = np.subtract(a, b)
    if len(a) < 2:
        return a[0], b[0], float(differences[0]), math.inf
    low, high = stats.t.interval(
        0.95, len(a) - 1, loc=differences.mean(), scale=stats.sem(differences)
    )
    return float(np.mean(a)), float(np.mean(b)), float(differences.mean()), float(high - low) / 2


Of = Callable[[File], float]
READ = ("relu00_branch2a", "relu00_branch2b", "relu10_branch2a", "relu10_branch2b",
        "relu20_branch2a", "relu20_branch2b", "Reshape")  # fmt: skip


def entropy(run: File) -> float:
    return run.ending("cross_entropy")


def last_norm(run: File) -> float:
    return run.norms()[run.steps[-1]][0]


def evaluated(run: File) -> float:
    return run.ending("eval_cross_entropy", 1)


def evaluated_by_batch(run: File) -> float:
    return run.ending("eval_cross_entropy_by_batch", 1)


# Words of each comparing claim, with both variants and what is measured of each.
COMPARED: dict[str, list[tuple[str, tuple[str, Of], tuple[str, Of]]]] = {
    "batch-norm": [
        (f"At rate {rate} {words}", (f"with BN, rate {rate}", of), (f"without BN, rate {rate}", of))
        for rate in (0.01, 0.1)
        for words, of in (
            ("layer inputs move less with BN between", lambda run: movement(run, READ)),
            ("layer inputs move less with BN from the first", lambda run: displacement(run, READ)),
            ("the cross entropy after", entropy),
        )
    ],
    "stem": [
        ("channels of the shortcut", ("version 2 with bn_conv1", channel_spread),
         ("version 2", channel_spread)),
        ("changes the cross entropy", ("version 2 with bn_conv1", entropy),
         ("version 2", entropy)),
    ],
    "sparsity": [
        (f"version {ver}: the mean share", (f"version {ver}", lambda run: zeros(run, -1)),
         (f"version {ver}", lambda run: zeros(run, 0)))
        for ver in (1, 2)
    ],
    "l2": [
        ("end larger", ("without L2", last_norm), ("with L2", last_norm)),
        ("differs without the term", ("without L2", entropy), ("with L2", entropy)),
    ],
    "optimizers": [
        ("changes the weights more", ("momentum 0.9", moved), ("momentum 0", moved)),
        *((f"differs with {name} in place", (name, entropy), ("momentum 0.9", entropy))
          for name in ("momentum 0", "momentum 0.5", "momentum 0.99", "sgd at rate 1",
                       "adam at rate 0.001")),
    ],
    "update-ops": [
        ("closer", ("without update ops", gap), ("with update ops", gap)),
        ("In evaluation after", ("without update ops", evaluated), ("with update ops", evaluated)),
        ("still worse", ("with update ops", evaluated),
         ("with update ops", evaluated_by_batch)),
    ],
    "axes": [("differs with BN over axis 1", ("BN over axis 1", entropy), ("right axes", entropy))],
}  # fmt: skip


def check(study: str, statements: Sequence[Any], files: dict[str, list[str]]) -> int:
    """Check each comparison of an answer against the run files.

    `statements` are the answer's statements as in JSON. Returns the number of comparisons.
    """
    for words, *sides in COMPARED[study]:
        (statement,) = [each for each in statements if words in each["claim"]]
        values = [[of(File(file)) for file in files[variant]] for variant, of in sides]
        a, b, difference, half = compared(*values)
        numbers = list(statement["numbers"].values())
        loose = 2e-3 if "move less" in words else 1e-6
        assert np.allclose(numbers[:3], [a, b, difference], rtol=loose, atol=1e-9), (words, a, b)
        assert numbers[4] == len(values[0])
        if numbers[3] is None:
            assert math.isinf(half)
            assert statement["verdict"] == "not decided"
        else:
            tolerance = max(3e-4, 20 * loose)
            assert math.isclose(numbers[3], half, rel_tol=tolerance, abs_tol=1e-9), (words, half)
            decided = abs(difference) > half and len(values[0]) >= 3
            assert (statement["verdict"] == "not decided") == (not decided), words
    return len(COMPARED[study])
