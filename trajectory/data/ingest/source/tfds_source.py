"""A prepared TFDS data set of single events as a table; works without TensorFlow for sets stored as ArrayRecord."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from trajectory.schema import UserError

_CHUNK = 10_000


def read_tfds(name: str, folder: str = "") -> pl.DataFrame:
    """All splits, one after the other; every scalar feature is a column, others are left out.

    `folder` is TFDS' data_dir ("" = its default). UserError if the set is not there, not stored as ArrayRecord, or has
    no scalar features. Nothing is downloaded. About 10,000 records a second; TFDS has shuffled them, so their order
    means nothing.
    """
    import tensorflow_datasets as tfds  # half a second that other sources need not pay

    hint = f"expected it under {folder or '~/tensorflow_datasets'}; set data.tfds_dir, or prepare it with TFDS first"
    try:
        builder: Any = tfds.builder(name, data_dir=folder or None)
        splits = dict(builder.info.splits)
    except Exception as error:  # TFDS raises many kinds here, import errors of a builder's own packages among them
        raise UserError(f"TFDS data set {name!r} cannot be opened ({_line(error)}); {hint}") from None
    if not splits:
        raise UserError(f"TFDS data set {name!r} is not prepared; {hint}")
    try:
        sources = [builder.as_data_source(split=split) for split in splits]
    except (NotImplementedError, ImportError):
        raise UserError(
            f"TFDS data set {name!r} is not stored as ArrayRecord; prepare it again with file_format='array_record'"
        ) from None
    features = builder.info.features
    if not hasattr(features, "items"):
        raise UserError(f"TFDS data set {name!r} has no named features; expected one event a record, such as a user_id")
    columns = [key for key, feature in features.items() if feature.shape == () and feature.np_dtype is not None]
    if not columns:
        raise UserError(f"TFDS data set {name!r} has no scalar features; expected one event a record")
    return pl.concat([_table(source, columns) for source in sources if len(source)] or [pl.DataFrame(schema=columns)])


def _table(source: Any, columns: list[str]) -> pl.DataFrame:
    """Record by record, since that is how the format is decoded; in chunks, since Python objects are large."""
    chunks = []
    for start in range(0, len(source), _CHUNK):
        records = source.__getitems__(list(range(start, min(start + _CHUNK, len(source)))))
        chunks.append(pl.DataFrame({column: _values([record[column] for record in records]) for column in columns}))
    return pl.concat(chunks)


def _values(cells: list[Any]) -> pl.Series:
    if isinstance(cells[0], bytes):
        return pl.Series([cell.decode("utf-8", "replace") for cell in cells])
    return pl.Series(np.asarray(cells))


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
