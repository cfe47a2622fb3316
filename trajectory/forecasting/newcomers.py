"""Histories of new users in their own ids, read for a trained run: unknown items are reported, nothing is dropped unsaid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from configs.common import base
from trajectory.data.arrays import flatten
from trajectory.data.cleaning import clean, summary
from trajectory.data.domains import known
from trajectory.data.log import read_log
from trajectory.schema import Histories, Queries, UserError


def read_histories(path: Path, trained: Histories, data: ConfigDict, user: str = "") -> tuple[Histories, list[str]]:
    """The log at `path` as histories in the item indices of `trained`, and a list of things to tell the user.

    `data` is the run's config.data: its columns and kinds are expected again where its source was a file. `user` names
    the only user of a log without a user column. Unknown items become index 0: the model sees that something happened.
    """
    mine = data.copy_and_resolve_references()
    mine.source, mine.item_column = str(path), ""
    if data.source in known():
        mine.columns = base().data.columns
    mine.single_user = user or mine.single_user
    mine.cleaning.min_user_events = mine.cleaning.min_item_events = 1
    cleaned = clean(read_log(mine), mine)
    notes = [summary(cleaned)] if cleaned.counts else []
    histories = flatten(cleaned, mine, trained.name)
    if tuple(histories.feature_names) != tuple(trained.feature_names):
        raise UserError(
            f"the model was trained with the features {list(trained.feature_names)}, "
            f"but {path} has {list(histories.feature_names)}"
        )
    numbers = trained.items.select(pl.col("item").cast(pl.String)).with_row_index("number", offset=1)
    own = histories.items.select(pl.col("item").cast(pl.String)).join(
        numbers, on="item", how="left", maintain_order="left"
    )
    number = np.append(0, own["number"].fill_null(0).to_numpy()).astype(np.int32)
    number[number > trained.num_items] = 0
    unknown = own["item"].to_numpy()[number[1:] == 0]
    if len(unknown):
        count = int((number[histories.item] == 0).sum())
        shown = ", ".join(map(str, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        notes.append(f"{len(unknown)} items ({count} events) are unknown to the model: {shown}")
    kind_number = np.array([0] + [trained.kinds.index(k) + 1 if k in trained.kinds else 0 for k in histories.kinds])
    if (strange := [k for k in histories.kinds if k not in trained.kinds]) and trained.kinds != ("event",):
        notes.append(f"kinds the model was not trained on: {', '.join(strange)}")
    return replace(
        histories,
        item=number[histories.item],
        kind=kind_number[histories.kind].astype(np.int8),
        items=trained.items,
        item_interest=trained.item_interest,
        interests=trained.interests,
        kinds=trained.kinds,
        num_items=trained.num_items,
        has_time=trained.has_time and histories.has_time,
    ), notes


def whole_histories(histories: Histories) -> Queries:
    """One query per user: what comes after the whole history."""
    start, stop = histories.offsets[:-1], histories.offsets[1:]
    return Queries(np.arange(histories.num_users), start, stop, stop)
