"""Interests where a log has no taxonomy: clusters of the items' learned vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from trajectory.data.store.arrays import number_interests
from trajectory.forecasting.embeddings import item_vectors
from trajectory.run import Run
from trajectory.schema import Histories, UserError

COUNTS = (2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50)  # numbers of interests that are compared
SAMPLE = 2000  # items that the comparison looks at
NAMED = 3  # items in an interest's name


def with_interests(run: Run) -> tuple[Histories, list[str]]:
    """The histories of a run's log, with interests learned from its item vectors where it has none, which is said."""
    histories = run.experiment.histories
    if histories.interests:
        return histories, []
    histories = learned_interests(histories, item_vectors(run)["vector"].to_numpy())
    return histories, [f"the log has no interests: learned {len(histories.interests)} from the run's item vectors"]


def learned_interests(histories: Histories, vectors: np.ndarray, count: int = 0, seed: int = 0) -> Histories:
    """The same histories with clusters of the catalogue's item vectors [V, width] as interests.

    k-means on vectors of length 1, so that directions count, with `count` interests; 0 takes the number of `COUNTS`
    with the largest mean silhouette (Rousseeuw 1987). An interest is named by its number and its most frequent items;
    items outside the catalogue have none. Raises UserError where vectors and catalogue differ or `count` cannot be.
    """
    size = histories.num_items
    if len(vectors) != size or vectors.ndim != 2:
        raise UserError(
            f"expected one vector for each of the catalogue's {size} items, got an array of shape {vectors.shape}; "
            "pass those of the same run (forecasting.vectors.item_vectors)"
        )
    if count < 0 or count >= size or size < 4 or not np.isfinite(vectors).all():
        raise UserError(
            f"expected finite vectors and 1 to {size - 1} interests for {size} items (at least 4), got {count}"
        )
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    label = _clusters(unit, count or _best_count(unit, seed), seed)
    names = _names(histories, label)
    known = [names[cluster] for cluster in label] + [None] * (len(histories.items) - size)
    items = histories.items.with_columns(interest=pl.Series(known, dtype=pl.String))
    return replace(histories, items=items, interests=tuple(names), item_interest=number_interests(items, tuple(names)))


def _clusters(unit: np.ndarray, count: int, seed: int) -> np.ndarray:
    return KMeans(count, n_init=3, random_state=seed).fit(unit).labels_


def _best_count(unit: np.ndarray, seed: int) -> int:
    sample = unit[np.random.default_rng(seed).permutation(len(unit))[:SAMPLE]]
    counts = [count for count in COUNTS if count < len(sample)]
    return counts[int(np.argmax([silhouette_score(sample, _clusters(sample, count, seed)) for count in counts]))]


def _names(histories: Histories, label: np.ndarray) -> list[str]:
    """A name for each cluster; numbered so that no two are equal."""
    items = histories.items[: histories.num_items]
    title = items["item"].cast(pl.String)
    if "title" in items.columns:
        title = items["title"].cast(pl.String).fill_null(title)
    frequent = np.argsort(-np.bincount(histories.item, minlength=len(label) + 1)[1 : len(label) + 1], kind="stable")
    digits = len(str(label.max() + 1))
    return [
        f"{cluster + 1:0{digits}d}: " + " / ".join(title.gather(frequent[label[frequent] == cluster][:NAMED]))
        for cluster in range(label.max() + 1)
    ]
