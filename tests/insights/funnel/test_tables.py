"""The table of the funnel, by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.insights.funnel.cases import log
from tests.insights.funnel.test_views import EVENTS
from trajectory.insights.funnel.tables import funnel_table, with_q_values
from trajectory.insights.funnel.views import views
from trajectory.results.insights import Funnel
from trajectory.schema import UserError

COUNTED = ("level", "id", "interest", "sessions", "carts", "purchases")


def table_of(events):
    histories = log(events)
    return funnel_table(histories, views(histories, histories.item))


def test_sessions_are_counted_by_item_and_interest():
    table = table_of(EVENTS)
    assert table.select(COUNTED).rows() == [
        ("item", "i1", "c1", 3, 1, 1),
        ("item", "i3", "c1", 1, 0, 0),
        ("interest", "c1", "c1", 3, 1, 1),
    ], "item 2 was never viewed"
    assert set(table.columns) == set(Funnel.COLUMNS)


def test_rates_lie_within_their_intervals():
    table = table_of(EVENTS)
    for step in ("cart", "purchase", "purchase_of_cart"):
        assert (table[f"{step}_low"] < table[step]).all()
        assert (table[step] < table[f"{step}_high"]).all()


def test_a_log_without_carts_has_no_rates_of_them():
    table = table_of([event for event in EVENTS if event[3] != "cart"])
    assert table["carts"].null_count() == table["cart_low"].null_count() == table.height
    assert table["purchase_of_cart"].null_count() == table.height
    assert table["purchase"].null_count() == 0


def test_there_is_no_rate_of_carts_where_there_is_no_cart():
    table = table_of([("ann", 0, 1, "view"), ("ann", 1, 1, "cart"), ("bob", 0, 2, "view")]).filter(level="item")
    assert table.sort("id")["purchase_of_cart"].is_null().to_list() == [False, True]
    assert table["cart"].is_not_null().all()


def test_only_units_of_enough_sessions_are_compared_with_all():
    counts = pl.DataFrame({"sessions": [1000, 1000, 30, 19], "purchases": [100, 100, 15, 19]})
    q_value = with_q_values(counts)["q_value"].to_list()
    assert q_value[3] is None
    assert q_value[2] < 1e-4
    assert min(q_value[:2]) > 0.05


def test_units_that_are_all_alike_are_rarely_said_to_differ():
    rng = np.random.default_rng(0)
    sessions = np.full(2_000, 50)
    table = with_q_values(pl.DataFrame({"sessions": sessions, "purchases": rng.binomial(sessions, 0.1)}))
    assert (table["q_value"] <= 0.05).sum() <= 1


def test_the_result_draws_a_level_and_names_those_there_are():
    result = Funnel(table_of(EVENTS))
    assert result.plot().to_dict()["datasets"]
    with pytest.raises(UserError, match="expected one of interest, item"):
        result.plot("department")
