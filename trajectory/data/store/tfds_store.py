"""Histories as a TFDS data set, the form in which others read them; it needs no TensorFlow at any size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import tensorflow_datasets as tfds
from tqdm.auto import tqdm

from trajectory.data.store.arrays import COLUMNS
from trajectory.progress import bars_hidden
from trajectory.schema import Histories

NAME = "stored_histories"
SPLIT = "histories"
EVENTS = 8192  # of a record
_SHARD = 1024  # records
_AT_ONCE = 64  # records
_DESCRIPTION = (
    "A record is a block of consecutive events, history after history. `user` names the histories of the block and "
    "`length` says how many of its events each has; one that does not end with it goes on in the next. Item, event "
    "type and step are index numbers."
)


def write_tfds(histories: Histories, folder: Path, version: str) -> None:
    """Writes the data set below `folder`, in the order of the histories and without TFDS' shuffler."""
    home = folder / NAME / version
    home.mkdir(parents=True)
    columns = {key: getattr(histories, key) for key in COLUMNS}
    columns = {key: values for key, values in columns.items() if 0 not in values.shape[1:]}
    info = tfds.core.DatasetInfo(
        builder=tfds.core.dataset_info.DatasetIdentity(NAME, tfds.core.Version(version), str(home), __name__),
        description=_DESCRIPTION,
        features=_features(columns),
        disable_shuffling=True,
    )
    writer = tfds.core.SequentialWriter(info, _SHARD, file_format="array_record")
    writer.initialize_splits([SPLIT])
    records, count = _records(histories, columns), -(-histories.num_events // EVENTS)
    for _ in tqdm(range(0, count, _AT_ONCE), "storing histories", delay=2, disable=bars_hidden()):
        # Each call writes what is known of the data set anew: not for each record.
        writer.add_examples({SPLIT: list(islice(records, _AT_ONCE))})
    writer.close_all()


def open_tfds(folder: Path) -> tfds.core.DatasetBuilder:
    """The TFDS builder of what `write_tfds` wrote; `.as_data_source("histories")` gives its records."""
    return tfds.builder_from_directory(next((folder / NAME).iterdir()))


def _features(columns: dict[str, np.ndarray]) -> tfds.features.FeaturesDict:
    # As bytes, tensors are written and read several times faster than as lists of numbers.
    encoding = tfds.features.Encoding.BYTES
    return tfds.features.FeaturesDict(
        {
            "user": tfds.features.Tensor(shape=(None,), dtype=np.object_),
            "length": tfds.features.Tensor(shape=(None,), dtype=np.int32, encoding=encoding),
            **{
                key: tfds.features.Tensor(shape=(None, *values.shape[1:]), dtype=values.dtype, encoding=encoding)
                for key, values in columns.items()
            },
        }
    )


def _records(histories: Histories, columns: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    users, offsets = histories.users["user"], histories.offsets
    for start in range(0, histories.num_events, EVENTS):
        stop = min(start + EVENTS, histories.num_events)
        first = int(np.searchsorted(offsets, start, "right")) - 1
        last = int(np.searchsorted(offsets, stop, "left"))
        yield {
            "user": users[first:last].cast(pl.String).to_numpy(),
            "length": np.diff(offsets[first : last + 1].clip(start, stop)).astype(np.int32),
            **{key: values[start:stop] for key, values in columns.items()},
        }
