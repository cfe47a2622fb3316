"""What is known of a log's items as arrays: vectors of their texts, codes of category, brand and price, behaviour."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.content.text import text_vectors
from trajectory.data.ingest.source.side_files import ITEM, as_known, read_side, say_known, usable_rows
from trajectory.data.pipeline.co_occurrence import training_pairs
from trajectory.data.pipeline.splits import training_events
from trajectory.schema import CODES, Histories, ItemContent, Split, UserError

TEXT = "text"
PRICE = "price"
TINY = 1e-9
SHRINKAGE = 0.1  # share of the largest variance that is added to each
PRICES = 10  # buckets of equally many items


def join(contents: Sequence[ItemContent]) -> ItemContent:
    """The content of several domains' items, one domain after the other."""
    vectors = {
        name: np.concatenate([content.vectors[name][i > 0 :] for i, content in enumerate(contents)])
        for name in contents[0].vectors
    }
    codes = {
        name: np.concatenate([content.codes[name][i > 0 :] for i, content in enumerate(contents)])
        for name in contents[0].codes
    }
    return ItemContent(vectors, codes, np.concatenate([c.frozen[i > 0 :] for i, c in enumerate(contents)]))


def with_behaviour(content: ItemContent, histories: Histories, split: Split, beside: float) -> ItemContent:
    """Content whose frozen features, where it has any, tell what training has of the items too.

    To what is frozen of an item's content is added that of what lies beside it in histories: a step of propagation
    (simplified graph convolution, Wu et al. 2019) over co-occurrence, which counts as much as its own where training
    has `beside` of it. The last number is log(1 + an item's training events).
    """
    if not content.frozen.shape[1]:
        return content
    pairs = training_pairs(histories, split)
    pairs.setdiag(0)
    count = np.asarray(pairs.sum(axis=1))
    frozen = _unit(content.frozen + count / (count + beside) * _unit(pairs @ content.frozen))
    item = histories.item[training_events(histories, split)]
    events = np.bincount(item, minlength=len(frozen))[: len(frozen)]
    popular = np.log1p(events * (np.arange(len(events)) > 0))
    return content._replace(frozen=np.concatenate([frozen, popular[:, None]], 1).astype(np.float32))


def item_content(histories: Histories, config: ConfigDict) -> ItemContent:
    """What `config.content` names of the items of the catalogue.

    A field that the log has not is there too, unknown of every item: a model that learned it elsewhere can be used.
    Raises UserError if nothing is known of any item, or a file of vectors does not fit.
    """
    i = config.content
    items = histories.items[: histories.num_items]
    vectors = {name: _from_file(items, Path(path), name) for name, path in sorted(i.files.items())}
    if i.text and TEXT not in vectors:
        vectors[TEXT] = text_vectors(texts(items, i.text), Path(config.data.prepared_dir) / "text")
    codes = {name: _codes(items, name) for name in i.codes}
    known = [values for values in (*vectors.values(), *codes.values()) if values.any()]
    if not known:
        raise UserError(
            "content.by or init.item_vectors asks for content, but nothing is known of the items: none of "
            f"{', '.join((*i.text, *i.codes))} is in the item table, which has {', '.join(items.columns)}"
        )
    above = {name: np.pad(_centred(values), ((1, 0), (0, 0))) for name, values in vectors.items()}
    frozen = (
        _whitened(np.concatenate(list(above.values()), 1), i.frozen) if above else np.zeros((len(items) + 1, i.frozen))
    )
    return ItemContent(above, {name: np.pad(values, (1, 0)) for name, values in codes.items()}, frozen)


def _centred(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors without what all items of the domain have in common; zeros, where nothing is known, stay zeros.

    What a domain's items are alike in (that they are books) hides what tells them apart (Huang et al. 2021,
    WhiteningBERT), and is another thing in the next domain.
    """
    known = np.asarray(vectors.any(axis=1))
    if not known.any():
        return vectors.astype(np.float32)
    x = (vectors - vectors[known].mean(axis=0)) * known[:, None]
    return _unit(x).astype(np.float32)


def _whitened(vectors: np.ndarray, size: int) -> np.ndarray:
    """Unit vectors float32 [n, size] along the directions in which these differ most, each weighed by how much less.

    Principal components over the root of their variance plus a share of the largest (Huang et al. 2021). Each domain
    has its own: only products of two are ever used.
    """
    variance, direction = np.linalg.eigh(vectors.T @ vectors / len(vectors))
    x = vectors @ (direction / np.sqrt(np.maximum(variance, 0) + SHRINKAGE * variance[-1]))[:, ::-1][:, :size]
    return _unit(np.pad(x, ((0, 0), (0, size - x.shape[1])))).astype(np.float32)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), TINY)


def texts(items: pl.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Each item's words: what is known of it in these columns, with commas between."""
    text_columns = [pl.col(name).cast(pl.String) for name in columns if name in items.columns]
    if not text_columns:
        return [""] * items.height
    return (
        items.select(pl.concat_str(text_columns, separator=", ", ignore_nulls=True).fill_null("")).to_series().to_list()
    )


def _codes(items: pl.DataFrame, name: str) -> np.ndarray:
    """Code int32 [V] of each item's word, or of its price's bucket; 0 = not known."""
    if name not in items.columns:
        return np.zeros(items.height, np.int32)
    if name == PRICE:
        price = items[name].cast(pl.Float64).to_numpy()
        known = np.isfinite(price)
        bounds = np.quantile(price[known], np.linspace(0, 1, PRICES + 1)[1:-1]) if known.any() else []
        return np.where(known, 1 + np.digitize(np.where(known, price, 0), bounds), 0).astype(np.int32)
    words = items[name].cast(pl.String)
    distinct = words.unique().drop_nulls().to_list()
    code = {word: 1 + zlib.crc32(f"{name}:{word.strip().lower()}".encode()) % (CODES - 1) for word in distinct}
    return np.array([code.get(word, 0) for word in words], np.int32)


def _from_file(items: pl.DataFrame, path: Path, name: str) -> np.ndarray:
    """Vectors float32 [V, any] of the items that the file of `item` and `vector` has, zeros for the others."""
    setting = f"content.files.{name}"
    table = read_side(path, setting, {**ITEM, "vector": ("vector",)})
    kind = table.schema["vector"]
    if not isinstance(kind, pl.List | pl.Array) or not kind.inner.is_numeric():  # type: ignore[union-attr]
        raise UserError(f"{setting}={path} holds {kind} in the column vector; expected lists of numbers")
    table = table.with_columns(pl.col("vector").cast(pl.List(pl.Float32)))
    complete = pl.col("vector").list.eval(pl.element().is_finite().fill_null(False)).list.all()
    table = usable_rows(table, path, setting, complete & (pl.col("vector").list.len() > 0))
    lengths = table["vector"].list.len().unique().sort().to_list()
    if len(lengths) > 1:
        raise UserError(f"{setting}={path} has vectors of {lengths[0]} to {lengths[-1]} numbers")
    item = as_known(table["item"], items["item"])
    say_known(table["item"], item, items["item"], path, setting, "item")
    table = table.with_columns(item).unique("item", keep="first", maintain_order=True)
    values = table["vector"].list.to_array(lengths[0]).to_numpy()
    ids = items.select("item").with_row_index("row")
    both = ids.join(table.with_row_index("from").select("item", "from"), on="item")
    vectors = np.zeros((items.height, values.shape[1]), np.float32)
    vectors[both["row"].to_numpy()] = values[both["from"].to_numpy()]
    return vectors
