"""Records the batch that `fit`, `evaluate` or `predict` of Keras read when they failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from resnet_inspect.graph.crash import Batch
from resnet_inspect.tracers.frame_locals import locals_of
from resnet_inspect.tracers.full_tracebacks import Entry
from resnet_inspect.tracers.tensorflow.failures.values import ValueRecorder

ITERATOR = "epoch_iterator"  # a local name of Keras' loops over batches


def batch_of(entries: Sequence[Entry], record: ValueRecorder) -> Batch | None:
    """Return the batch of the innermost loop of Keras over batches; None without such a loop."""
    for entry in reversed(entries):
        if ITERATOR in entry.frame.f_code.co_varnames:
            local = locals_of(entry.frame)
            iterator = local.get(ITERATOR)
            if hasattr(iterator, "data_adapter"):
                try:
                    return _batch(iterator, local.get("begin_step"), record)
                except Exception:  # private names of Keras, which may change
                    return None
    return None


def _batch(iterator: Any, step: int | None, record: ValueRecorder) -> Batch:
    adapter = iterator.data_adapter
    spec = getattr(getattr(iterator, "_distributed_dataset", None), "element_spec", None)
    count = iterator.num_batches
    batches = int(count) if count is not None else None
    return Batch(
        spec=None if spec is None else record(spec),
        source=type(adapter).__name__,
        step=step,
        batches=batches,
        examples=_examples(adapter, step, batches),
    )


def _examples(adapter: Any, step: int | None, batches: int | None) -> int | None:
    """Return the number of examples in a batch, None if unknown."""
    size, total = getattr(adapter, "_batch_size", None), getattr(adapter, "_num_samples", None)
    dataset = getattr(adapter, "_dataset", None)
    if isinstance(dataset, tf.data.Dataset):
        size, total = _of_dataset(dataset)
    if step is None or not size or not total:
        return None
    is_last = batches is not None and step == batches - 1
    return int(total - size * step) if is_last and size * batches > total else int(size)


def _of_dataset(dataset: Any) -> tuple[int | None, int | None]:
    """Return the batch size of a dataset and its number of examples, None if unknown."""
    while dataset is not None:
        size = getattr(dataset, "_batch_size", None)
        inner = getattr(dataset, "_input_dataset", None)
        if size is not None and inner is not None:
            total = int(inner.cardinality())
            return int(tf.get_static_value(size) or 0) or None, total if total > 0 else None
        dataset = inner
    return None, None
