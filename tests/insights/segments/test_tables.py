"""The tables of segments."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.insights.segments.cases import LONG, NEW, planted
from trajectory.insights.customers.sums import Money
from trajectory.insights.segments.segmentation import segmentation
from trajectory.insights.segments.tables import members_table, profiles_table
from trajectory.migrations.groups import read_segments


def test_profiles_add_up():
    states, _ = planted()
    found = segmentation(states)
    profiles = profiles_table(found, Money(None, pl.Series([]), np.zeros(0)))
    assert sorted(profiles["users"]) == [NEW] * 3 + [LONG] * 3
    assert profiles["share_of_users"].sum() == pytest.approx(1)
    assert profiles["share_of_value"].sum() == pytest.approx(1)
    new = profiles.filter("new_members")
    assert (new["drift"] > 0.7).all()  # 0.8 of what they buy went from one interest to the next
    assert (profiles.filter(~profiles["new_members"])["drift"] < 0.05).all()
    assert profiles.filter(profiles["segment"] == "c1, moved here")["path"].item().startswith("c2 8")


def test_the_table_of_users_is_read_by_migrations(tmp_path):
    states, _ = planted()
    found = segmentation(states)
    members_table(found).write_parquet(tmp_path / "segments.parquet")
    again = read_segments(tmp_path / "segments.parquet", states.histories)
    assert again.tolist() == [found.names[code] for code in found.label]
