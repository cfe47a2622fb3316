"""Tables for people: right items, names, order, and probabilities that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.forecasting import tables
from trajectory.forecasting.newcomers import whole_histories
from trajectory.forecasting.paths import Paths

HISTORIES = make_histories([[1, 2], [4, 3]], num_items=4, interests=2)
QUERIES = whole_histories(HISTORIES)
PROBABILITY = np.array(  # [2 users, 2 steps, 5]
    [[[0, 0.1, 0.2, 0.3, 0.4], [0, 0.4, 0.3, 0.2, 0.1]], [[0, 1, 0, 0, 0], [0, 0.25, 0.25, 0.25, 0.25]]], np.float32
)
VISITED = np.maximum.accumulate(PROBABILITY, axis=1)
ITEM = np.array([[[4, 1], [3, 2]], [[1, 3], [1, 0]]], np.int32)
LOG = np.log(np.array([[[0.4, 0.5], [0.3, 0.9]], [[1, 0.25], [1, 1]]], np.float32))
PATHS = Paths(PROBABILITY, VISITED, ITEM, LOG, np.zeros_like(LOG), VISITED[:, -1])


def test_next_items_without_seen_ones_are_renormalised():
    score = np.log(np.maximum(PROBABILITY[:, 1], 1e-30))
    seen = np.array([[1, 2], [4, 0]], np.int32)
    table = tables.next_items(HISTORIES, QUERIES, score, seen, 3)
    assert table["user"].to_list() == ["u0", "u0", "u1", "u1", "u1"]
    assert table["rank"].to_list() == [1, 2, 1, 2, 3]
    assert table["item"].to_list() == ["i3", "i4", "i1", "i2", "i3"]
    np.testing.assert_allclose(table["probability"], [2 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3], rtol=1e-5)
    everything = tables.next_items(HISTORIES, QUERIES, score, None, 10)
    np.testing.assert_allclose(
        everything.group_by("user").agg(pl.col("probability").sum())["probability"], 1, rtol=1e-5
    )


def test_steps_ahead_by_probability():
    table = tables.steps_ahead(HISTORIES, QUERIES, PATHS, 2)
    first = table.filter(pl.col("user") == "u0")
    assert first["step"].to_list() == [1, 1, 2, 2]
    assert first["item"].to_list() == ["i4", "i3", "i1", "i2"]
    np.testing.assert_allclose(first["visited"], [0.4, 0.3, 0.4, 0.3])
    assert table.filter((pl.col("user") == "u1") & (pl.col("step") == 1)).height == 1, "impossible items are left out"


def test_visited_is_of_all_steps():
    table = tables.visited_within(HISTORIES, QUERIES, PATHS, 4)
    assert table.filter(pl.col("user") == "u0")["item"].to_list() == ["i1", "i4", "i2", "i3"]
    assert table.filter(pl.col("user") == "u1")["visited"].to_list() == [1, 0.25, 0.25, 0.25]


def test_likeliest_path_and_its_steps():
    table = tables.likeliest_paths(HISTORIES, QUERIES, PATHS)
    assert table.columns == ["user", "step", "item", "title", "probability"]
    assert table["item"].to_list() == ["i3", "i2", "i1"], "a path may end before the last step"
    np.testing.assert_allclose(table["probability"], [0.3, 0.9, 1.0], rtol=1e-6)


def test_interest_shares_sum_over_items():
    shares = tables.interest_shares(HISTORIES, PATHS)
    np.testing.assert_allclose(shares[0], [[0, 0.4, 0.6], [0, 0.6, 0.4]], atol=1e-6)
    none = replace(HISTORIES, interests=(), item_interest=np.zeros(5, np.int32))
    np.testing.assert_allclose(tables.interest_shares(none, PATHS), 1, atol=1e-6)


@pytest.mark.parametrize("titles", [None, ["A", None, "C", "D"]])
def test_titles_are_given_where_there_are_some(titles):
    histories = (
        HISTORIES if titles is None else replace(HISTORIES, items=HISTORIES.items.with_columns(title=pl.Series(titles)))
    )
    table = tables.visited_within(histories, QUERIES, PATHS, 4).filter(pl.col("user") == "u0")
    assert table["title"].to_list() == ([None] * 4 if titles is None else ["A", "D", None, "C"])
