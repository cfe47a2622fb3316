"""Whether planted long-term and new interests fall into different segments."""

from __future__ import annotations

import polars as pl
import pytest

from trajectory.data.simulate.base import START
from trajectory.data.simulate.synthetic import Synthetic, write
from trajectory.data.times import WEEK
from trajectory.insights.segments.recovery import STRONG, planted_interests, score


def test_pairs_are_counted_by_hand():
    truth = pl.DataFrame({"user": list("abcde"), "interest": ["x"] * 5, "new": [False, False, False, True, True]})
    members = pl.DataFrame({"user": list("abcde"), "segment": ["1", "1", "2", "2", "3"]})
    told = score(members, truth)
    assert told["different"] == pytest.approx(5 / 6)  # c and d share a segment
    assert told["alike"] == pytest.approx(2 / 8)  # a and b, in both orders, of 6 and 2
    assert told["purity"] == pytest.approx(4 / 5)
    assert (told["long_term"], told["new"]) == (3, 2)
    apart = score(members.with_columns(segment=truth["new"].cast(pl.String)), truth)
    assert (apart["different"], apart["alike"], apart["purity"], apart["rand"]) == (1, 1, 1, 1)


def test_truth_is_of_the_week_before_the_moment(tmp_path):
    write(Synthetic(users=200, interests=5), tmp_path)
    week = 40
    truth = planted_interests(tmp_path, START + week * WEEK, 20)
    migrations = pl.read_parquet(tmp_path / "truth" / "migrations.parquet").with_columns(pl.col("user").cast(pl.String))
    mix = pl.read_parquet(tmp_path / "truth" / "interest_mix.parquet").filter(pl.col("week") == week - 1)
    new = truth.filter("new").join(migrations, on="user")
    assert new.height == truth["new"].sum() > 20
    assert (new["interest"] == new["destination"]).all()
    assert new["week"].is_between(week - 20, week - 1).all()
    still = truth.filter(~pl.col("new"))
    assert not set(still["user"]) & set(migrations["user"])
    largest = mix.with_columns(pl.col("user").cast(pl.String), top=pl.max_horizontal(pl.exclude("user", "week")))
    assert (still.join(largest, on="user")["top"] >= STRONG).all()
    assert planted_interests(tmp_path / "truth", START) is None
