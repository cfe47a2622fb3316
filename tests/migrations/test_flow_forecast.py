"""Flow forecasts, on states small enough to reckon by hand."""

from __future__ import annotations

import numpy as np
import pytest

from trajectory.migrations.flow_forecast import Moves, flow_forecast_matrix, share_forecasts

NAMES = ("a", "b", "c")
NOW = np.array([[0.6, 0.4, 0.0], [0.2, 0.3, 0.5]])
NEXT = np.array([[0.3, 0.5, 0.2], [0.2, 0.3, 0.5]])


def test_what_is_left_goes_where_more_is_taken_up():
    flow = Moves(NOW, NEXT).flow()
    np.testing.assert_allclose(flow, [[0, 0.1, 0.2], [0, 0, 0], [0, 0, 0]])


def test_flows_balance_every_change():
    rng = np.random.default_rng(0)
    now, following = rng.dirichlet(np.ones(5), (2, 40))
    flow = Moves(now, following).flow()
    np.testing.assert_allclose(flow.sum(0) - flow.sum(1), (following - now).sum(0), atol=1e-12)
    assert np.trace(flow) == 0


def test_the_matrix_names_flows_against_chance():
    rng = np.random.default_rng(0)
    now = np.tile([0.25, 0.25, 0.25, 0.25], (400, 1))
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j] + [(0, 1)] * 8
    following = now.copy()
    for row, (one, other) in enumerate(pairs[i] for i in rng.integers(len(pairs), size=400)):
        following[row, one] -= 0.2
        following[row, other] += 0.2
    table = flow_forecast_matrix(now, following, (*NAMES, "d"))
    first = table.row(0, named=True)
    assert (first["source"], first["destination"]) == ("a", "b")
    assert first["low"] > 1
    assert first["low"] < first["lift"] < first["high"]
    assert first["lift"] == pytest.approx(first["users"] / first["expected"])
    moved = (following - now)[:, 1] > 0
    own = np.where(moved & ((following - now)[:, 0] < 0), 0.2, 0)
    assert first["users"] == pytest.approx(own.sum())
    assert (first["high"] - first["low"]) * first["expected"] == pytest.approx(2 * 1.96 * own.std() * 20)
    assert table["users"].sum() == pytest.approx(400 * 0.2)


def test_where_nothing_moves_nothing_flows():
    table = flow_forecast_matrix(NOW, NOW, NAMES)
    assert table.height == 0
    assert table.columns == ["source", "destination", "users", "expected", "lift", "low", "high"]


def test_changes_are_means_over_users():
    table = share_forecasts(NOW, NEXT, NAMES)
    assert table["interest"].to_list() == ["c", "b", "a"]
    np.testing.assert_allclose(table["change"], [0.1, 0.05, -0.15])
    assert table["q_value"].is_between(0.3, 1).all()  # of two users nothing can be told
    np.testing.assert_allclose(table["now"], [0.25, 0.35, 0.4])
    np.testing.assert_allclose(table["high"] - table["low"], 2 * 1.96 * np.array([0.1, 0.05, 0.15]) / np.sqrt(2))
