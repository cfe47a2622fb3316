"""Goods whose season is over, told by the same weeks of the year before."""

import numpy as np
import polars as pl
import pytest

from tests.insights.demand.test_build import LINES, taken
from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.features import HORIZONS, Known
from trajectory.insights.demand.season import a_year_before, season_over
from trajectory.insights.demand.weekly_counts import Weeks

WEEKS = 56
NAMES = ("cards", "milk", "novelty", "fashion")
ORIGINS = tuple(range(13, WEEKS + 1))


def a_demand(number=WEEKS) -> Demand:
    """Cards sell before Christmas alone, milk always, a novelty lately, fashion ever more; all go on as lately."""
    count = np.array([[5.0] * WEEKS, [100.0] * WEEKS, [0.0] * WEEKS, [10.0] * WEEKS])
    count[0, :4], count[0, -4:] = 60, 60  # the four weeks before, and the last ones
    count[2, -4:] = 50
    count[3] = np.linspace(20, 90, WEEKS)
    count = count[:, WEEKS - number :]
    weeks = Weeks(1_704_067_200, {"item": count}, {"item": NAMES}, {}, {"item": count}, 0.0, LINES)
    origins = tuple(range(13, number + 1))
    lately = np.stack([np.repeat(count[:, max(o - 4, 0) : o].mean(1)[None], HORIZONS, 0) for o in origins])
    known = {"item": Known(count, origins, lately, None)}
    return Demand(weeks, origins, known, {"item": lately}, lately, number - 8, True, {"with": 0.1, "without": 0.2})


def test_a_peak_that_ended_a_year_before_is_a_season_and_nothing_else_is():
    demand = a_demand()
    np.testing.assert_array_equal(a_year_before(demand.weeks, "item", 2), demand.weeks.count["item"][:, 4:6])
    assert season_over(demand, "item").tolist() == [True, False, False, False]


def test_a_log_of_less_than_a_year_tells_no_season():
    demand = a_demand(51)
    assert np.isnan(a_year_before(demand.weeks, "item", 2)).all()
    assert not season_over(demand, "item").any()


def test_what_is_out_of_season_is_asked_about_and_not_among_the_largest_orders(monkeypatch):
    part = taken(monkeypatch, a_demand())
    table = part.tables["reorder"].sort("name")
    assert table.filter("season_over")["name"].to_list() == ["cards"]
    assert table["a_year_before"].to_list() == pytest.approx([10, 2 * np.linspace(20, 90, WEEKS)[4:6].mean(), 200, 0])
    told = " ".join(part.sentences)
    assert "Their season seems to be over" in told
    assert "cards (10 lines in the 2 weeks a year before); 1 items in all" in told
    assert any("Their season seems to be over" in getattr(block, "words", "") for block in part.blocks)
    largest = next((text for text in part.sentences if text.startswith("Have in stock")), "")
    assert "cards" not in largest
    cards, others = table.filter(name="cards"), table.filter(pl.col("name") != "cards")
    assert cards["expected_demand"].item() == pytest.approx(10), "as the year before"
    assert cards["rule"].item() == "the same weeks a year before"
    assert (others["expected_demand"] > 10).any()
    assert part.tables["demand"].filter(pl.col("name") == "cards")["season_over"].all()
    short = taken(monkeypatch, a_demand(51))
    assert "season over" not in " ".join(short.sentences)
    assert short.tables["reorder"]["a_year_before"].null_count() == 4
