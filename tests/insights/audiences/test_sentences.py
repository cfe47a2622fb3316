"""What a merchant is told of audiences: whom to address, and nobody where the ranking did not hold."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from trajectory.insights.audiences.evaluate import OURS
from trajectory.insights.audiences.sentences import sentences

ROWS = pl.DataFrame(
    {"kind": "interest", "target": ["tea", "tea", "pots"], "probability": [0.5, 0.25, 0.7], "days": [3.0, 5.0, None]}
)
AUDIENCE = SimpleNamespace(
    goods=SimpleNamespace(kind="interest", names=("tea", "pots")),
    model=SimpleNamespace(chosen=[0, 1]),
    probability=np.array([[0.5, 0.1], [0.25, 0.7], [0.15, 0.1]]),
    lapsed=np.ones((3, 2), bool),
    days=28,
)


def told(low: float, high: float, auc_low: float = 0.7) -> list:
    ours = {"auc": 0.8, "low": auc_low, "high": 0.9, "lift": 3.0}
    leads = {"recency": {"difference": 0.0, "low": low, "high": high}}
    measured = {"arriving": {"groups": 2, "methods": {OURS: ours}, "leads": leads}}
    return sentences(measured, AUDIENCE, ROWS, datetime(2024, 5, 1))


def test_the_largest_audience_is_to_be_addressed():
    do, sure = told(0.01, 0.05)
    assert (do.kind, do.table, sure.kind) == ("do", "audiences", "sure")
    assert do.startswith(
        "Address 2 users for tea: none bought of it in the last 12 weeks, and 1 of them are expected to"
    )
    assert "(38% on average, 30% of all such users); half of them come again within 4 days" in do


@pytest.mark.parametrize(
    ("low", "high", "auc_low", "why"),
    [(-0.05, -0.01, 0.7, "ranked by recency more buyers came first"), (-0.05, 0.05, 0.49, "no better than chance")],
)
def test_nobody_is_addressed_by_a_ranking_that_did_not_hold(low, high, auc_low, why):
    first, _ = told(low, high, auc_low)
    assert first.kind == "sure"
    assert first.startswith("Address nobody by these audiences: ")
    assert why in first
