"""Flows between interests, against chance, on tables small enough to reckon by hand and on planted migrations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.data.simulate.synthetic import Synthetic, generate
from trajectory.migrations.flows import growth, lead_times, migration_matrix, net_flows, p_of_no_change
from trajectory.migrations.migration import Settings, detect
from trajectory.migrations.recovery import histories_of
from trajectory.migrations.sessions import sessions_of

DAY = 24 * 3600


def moves(counts):
    pairs = [pair for pair, users in counts.items() for _ in range(users)]
    return pl.DataFrame(
        {"source": [a for a, _ in pairs], "destination": [b for _, b in pairs], "mass": [0.5] * len(pairs)}
    )


def test_a_table_of_independent_moves_has_no_lift():
    out, into = {"a": 2, "b": 4, "c": 8}, {"a": 4, "b": 3, "c": 5}
    found = moves({(i, j): out[i] * into[j] for i in out for j in into if i != j})
    table = migration_matrix(found)
    assert table.height == 6
    np.testing.assert_allclose(table["lift"], 1, rtol=1e-6)
    assert (table["low"] < 1).all()
    assert (table["high"] > 1).all()


def test_a_preferred_way_has_lift():
    even = dict.fromkeys([(i, j) for i in "abcdefgh" for j in "abcdefgh" if i != j], 10)
    table = migration_matrix(moves(even | {("a", "b"): 60}))
    first = table.row(0, named=True)
    assert (first["source"], first["destination"], first["users"]) == ("a", "b", 60)
    assert first["mass"] == 0.5
    assert first["lift"] == pytest.approx(60 / first["expected"])
    assert first["low"] > 1
    assert first["low"] == pytest.approx(45.78 / first["expected"], rel=1e-3)  # Garwood's limits of 60
    assert first["high"] == pytest.approx(77.23 / first["expected"], rel=1e-3)
    rows = table.group_by("source").agg(pl.col("users", "expected").sum())
    assert (rows["expected"] < rows["users"] + 1e-6).all()


def test_no_moves_no_flows():
    none = moves({("a", "b"): 1}).clear()
    assert migration_matrix(none).height == net_flows(none).height == 0


def test_net_flows_are_arrivals_less_departures():
    table = net_flows(moves({("a", "b"): 20, ("b", "c"): 5, ("c", "b"): 5}))
    assert table.select("interest", "arrived", "left", "net").rows() == [
        ("b", 25, 5, 20),
        ("c", 5, 5, 0),
        ("a", 0, 20, -20),
    ]
    assert (table["low"] <= table["net"]).all()
    assert (table["net"] <= table["high"]).all()
    assert table["low"][0] > 0 > table["high"][2]
    assert table["high"][1] == pytest.approx(-table["low"][1])


def test_growth_is_of_users_that_were_there_before():
    early = [[1] * 8 + [2] * 8] * 4  # leave interest 1 for 2 after eight days
    late = [[3] * 4] * 4
    histories = make_histories(early + late, gap=DAY, num_items=3)
    time = histories.time + np.where(histories.item == 3, 8 * DAY, 0)
    units = sessions_of(replace(histories, time=time))
    table = growth(units, 8.0)
    assert table.select("period", "interest", "before", "share", "change").rows() == [
        (1, "c2", 0.0, 1.0, 1.0),
        (1, "c3", 0.0, 0.0, 0.0),
        (1, "c1", 1.0, 0.0, -1.0),
    ]
    assert growth(units, 100.0).height == 0
    assert growth(units, 12.0).height == 0  # of the second twelve days the log has three


def test_changes_of_users_who_draw_at_random_are_not_told():
    rng = np.random.default_rng(1)
    histories = make_histories(rng.integers(1, 9, (60, 40)).tolist(), gap=DAY, num_items=8)
    table = growth(sessions_of(histories), 8.0)
    assert table.filter((pl.col("low") > 0) | (pl.col("high") < 0)).height > 0  # one in twenty by itself
    assert table["q_value"].min() > 0.05
    planted = rng.integers(1, 9, (60, 40))
    planted[:, 16:][rng.random((60, 24)) < 0.5] = 3
    found = growth(sessions_of(make_histories(planted.tolist(), gap=DAY, num_items=8)), 8.0)
    assert found.filter(pl.col("q_value") <= 0.05, pl.col("change") > 0).select("period", "interest").rows() == [
        (2, "c3")
    ]


def test_planted_sources_and_destinations_move_together():
    log = generate(Synthetic(users=150, migrating=0.8), seed=5)
    result = detect(histories_of(log), Settings(permutations=199))
    times = lead_times(result)
    assert times.height == result.moves.height > 80
    assert abs(times["drop_to_rise"].median()) < 7
    assert 7 <= times["ramp"].median() <= 28  # three weeks were planted
    one = times.row(0, named=True)
    user = log.events.filter(pl.col("user_id") == one["user"]).join(log.items, on="item_id")
    first = user.filter(pl.col("category") == one["destination"])["timestamp"].min()
    end = result.moves["end"].dt.epoch("s")[0]
    assert one["first_to_end"] == pytest.approx((end - first) / DAY, abs=1e-4)


def test_of_one_user_no_change_is_told():
    assert p_of_no_change(np.array([0.3, 0.0]), np.array([0.0, 0.0]), 1).tolist() == [1.0, 1.0]
