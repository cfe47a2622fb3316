"""The baselines reach the values known for them on public data; needs the data sets, see `folder`."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from trajectory.baselines.next_item import Baseline, CoOccurrence, Markov, Popularity
from trajectory.metrics.ranking import evaluate_scorer
from trajectory.schema import Histories, Queries, Split
from trajectory.settings import base


def folder(name: str) -> Path:
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    return Path(os.environ.get("TRAJECTORY_DATA") or beside) / name


@cache
def load(name: str) -> tuple[Histories, Split]:
    """The data set in its published order, split by leave-one-out."""
    events = pl.read_parquet(folder(name) / "interactions.parquet").sort("user_id", "position")
    item = events["item_id"].to_numpy().astype(np.int32)
    length = events.group_by("user_id", maintain_order=True).len()["len"].to_numpy()
    offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    count, items = len(item), int(item.max())
    histories = Histories(
        name=name,
        fingerprint="",
        offsets=offsets,
        item=item,
        time=np.zeros(count, np.int64),
        event_type=np.ones(count, np.int8),
        value=np.full(count, np.nan, np.float32),
        quantity=np.full(count, np.nan, np.float32),
        label=np.full(count, -1, np.int8),
        step=(np.arange(count) - np.repeat(offsets[:-1], length)).astype(np.int32),
        features=np.zeros((count, 0), np.float32),
        users=pl.DataFrame(),
        items=pl.DataFrame(),
        item_interest=np.zeros(items + 1, np.int32),
        interests=(),
        event_types=("event",),
        feature_names=(),
        has_time=False,
        baskets=False,
        num_items=items,
    )
    user, start, end = np.arange(len(length)), offsets[:-1], offsets[1:]
    parts = (Queries(user, start, end - 2, end - 1), Queries(user, start, end - 1, end))
    return histories, Split("leave_one_out", end - 2, *parts, "last but one validates, last tests")


@pytest.mark.parametrize(
    ("name", "baseline", "part", "hr", "ndcg"),
    [
        ("amazon_beauty", Popularity(), "test", 0.0115, 0.0055),
        ("amazon_beauty", Markov(), "test", 0.0668, 0.0439),
        ("amazon_beauty", Markov(), "validation", None, 0.0555),
        ("amazon_beauty", CoOccurrence(), "test", 0.0769, 0.0474),
        ("amazon_beauty", CoOccurrence(), "validation", None, 0.0576),
        ("amazon_sports", Popularity(), "test", 0.0091, 0.0052),
        ("amazon_sports", Markov(), "test", 0.0368, 0.0234),
        ("amazon_sports", CoOccurrence(), "test", 0.0408, 0.0252),
    ],
)
def test_known_values(name: str, baseline: Baseline, part: str, hr: float | None, ndcg: float) -> None:
    if not folder(name).exists():
        pytest.skip(f"no data set at {folder(name)}; set TRAJECTORY_DATA to the folder that holds {name}")
    histories, split = load(name)
    baseline.fit(histories, split)
    means = evaluate_scorer(baseline, histories, split.queries(part), base().evaluation, coverage=False).means()
    assert means["ndcg@10"] == pytest.approx(ndcg, abs=0.001)
    if hr is not None:
        assert means["hr@10"] == pytest.approx(hr, abs=0.001)
