import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from tests.raw_logs import settings
from trajectory.data.store.builder import prepare
from trajectory.insights.demand import build, demand_forecast
from trajectory.insights.demand.baselines import moving_average
from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.features import HORIZONS, Known
from trajectory.insights.demand.reconcile import reconcile
from trajectory.insights.demand.regression import forecasts
from trajectory.insights.demand.sentences import sentences
from trajectory.insights.demand.weekly_counts import Weeks
from trajectory.insights.report import write_insights
from trajectory.reports.words import Words
from trajectory.schema import UserError

LINES = Words("lines", "buy", "bought", "buying")
ORIGINS = tuple(range(13, 25))


def a_demand(levels=("item", "interest", "department"), held_out=20):
    """Six items of three interests and two departments in 24 weeks; promotions are planned for the next two."""
    rng = np.random.default_rng(0)
    above = {"item": np.array([0, 0, 1, 1, 2, 2]), "interest": np.array([0, 1, 1])}
    names = {"item": tuple("abcdef"), "interest": ("milk", "tea", "pens"), "department": ("food", "other")}
    names = {level: names[level] for level in levels}
    above = {level: group for level, group in above.items() if level in levels[:-1]}
    items = rng.poisson(np.array([[30.0], [80], [40], [60], [100], [200]]), (6, 24)).astype(float)
    items[0, -3:] *= 2
    items[4, -4:-2] *= 2
    weeks = Weeks(1_704_067_200, {"item": items}, names, above, {"item": items}, 0.0, LINES)
    count = {level: Weeks.to_level(replace(weeks, count=names), items, level) for level in levels}
    weeks = replace(weeks, count=count, net=count)
    promotions = rng.poisson(30, (6, 24 + HORIZONS, 2)).astype(float)
    promotions[:, 26:] = np.nan
    users = np.stack([np.repeat(items[:, :origin].mean(1)[None], HORIZONS, 0) for origin in ORIGINS])
    known = {}
    for level in levels:
        by_users = np.moveaxis(weeks.to_level(np.moveaxis(users, 2, 0), level), 0, 2)
        known[level] = Known(weeks.count[level], ORIGINS, by_users, weeks.to_level(promotions, level))
    found = reconcile(weeks, {level: forecasts(known[level]) for level in levels})
    return Demand(weeks, ORIGINS, known, found, known[weeks.main].users, held_out, True, {"with": 0.1, "without": 0.2})


def taken(monkeypatch, demand):
    monkeypatch.setattr(build, "forecast_demand", lambda run: demand)
    return build.build_demand(None)


@pytest.fixture(scope="module")
def part():
    with pytest.MonkeyPatch.context() as patch:
        return taken(patch, a_demand())


def test_tables_hold_every_series_and_week_and_add_up(part):
    table = part.tables["demand"]
    assert len(table) == (6 + 3 + 2) * HORIZONS
    assert str(table["week"].min()) == "2024-06-17"
    total = table.group_by("level", "weeks_ahead").agg(pl.col("forecast").sum()).group_by("weeks_ahead")
    assert (total.agg(spread=pl.col("forecast").max() - pl.col("forecast").min())["spread"] < 1e-9).all()
    assert (table["low_95"] <= table["low_80"]).all()
    assert (table["high_80"] <= table["high_95"]).all()
    planned = table.group_by("weeks_ahead").agg(pl.col("planned_mailer").null_count()).sort("weeks_ahead")
    assert planned["planned_mailer"].to_list() == [0, 0] + [11] * 6
    assert table.filter(level="interest")["from_users"].null_count() == 0


def test_an_order_fills_up_what_the_policy_has_left(part):
    table = part.tables["reorder"]
    assert set(table["level"]) == {"item", "interest"}
    lacking = (table["order_up_to"] - table["stock_if_followed"]).clip(lower_bound=0)
    np.testing.assert_allclose(table["order_quantity"], lacking)
    assert (table["safety_stock"] > 0).all()


def said_of(part, **columns):
    """The page's sentences where the table of demand holds `columns`, and nothing was held out."""
    tables = part.tables | {"demand": part.tables["demand"].with_columns(**columns)}
    results = {"interest": {"by_horizon": pl.DataFrame(part.measured["interest"]["by_horizon"])}}
    return " ".join(sentences(a_demand(held_out=None), tables, results))


def of_series(milk, tea, pens):
    """Times what was sold lately, by series."""
    return pl.col("recent") * pl.col("name").replace_strict({"milk": milk, "tea": tea, "pens": pens}, default=1.0)


def test_sentences_name_what_moves_most(part):
    said = said_of(
        part, forecast=of_series(0.8, 1.2, 1.0), low_80=of_series(0.7, 1.1, 0.9), high_80=of_series(0.9, 1.3, 1.1)
    )
    assert "expect more of tea (+20%) than" in said
    assert "Expect less of milk (-20%): order less" in said


def test_of_what_may_as_well_stay_no_change_is_told(part):
    said = said_of(
        part, forecast=of_series(0.8, 1.2, 1.0), low_80=of_series(0.5, 0.9, 0.9), high_80=of_series(1.1, 1.5, 1.1)
    )
    assert "expect more" not in said
    assert "Expect less" not in said


def test_of_a_forecast_that_orders_do_not_go_by_no_change_is_told(part):
    ordered = part.tables["reorder"].with_columns(rule=pl.lit("last week"))
    other = replace(part, tables=part.tables | {"reorder": ordered})
    said = said_of(
        other, forecast=of_series(0.8, 1.2, 1.0), low_80=of_series(0.7, 1.1, 0.9), high_80=of_series(0.9, 1.3, 1.1)
    )
    assert "is not to be relied on" in said
    assert "expect more" not in said
    assert "Expect less" not in said


def test_what_was_sold_in_the_running_week_is_not_ordered_again(monkeypatch, part):
    demand = a_demand()
    sold = np.array([10.0, 0, 5000, 0, 0, 0])
    later = taken(monkeypatch, replace(demand, weeks=replace(demand.weeks, begun=sold)))
    before, now = (p.tables["reorder"].filter(level="item").sort("id") for p in (part, later))
    first = part.tables["demand"].filter(level="item", weeks_ahead=1).sort("id")["forecast"].to_numpy()
    less = np.minimum(sold, first)
    np.testing.assert_allclose(before["expected_demand"] - now["expected_demand"], less)
    np.testing.assert_allclose(before["order_up_to"] - now["order_up_to"], less)
    np.testing.assert_allclose(now["stock_if_followed"], (before["stock_if_followed"] - sold).clip(lower_bound=0))
    assert now["sold_this_week"].to_list() == sold.tolist()
    assert later.tables["reorder"].filter(level="interest")["sold_this_week"].sum() == sold.sum()
    note = next(block.note for block in later.blocks if getattr(block, "title", "") == "What to order now")
    assert "since the running week began" in note


def test_the_page_tells_how_far_it_held(part):
    assert any("In 4 weeks held out the forecast was off by" in sentence for sentence in part.sentences)
    assert part.measured["weeks"] == 4
    assert part.measured["first_week"] == "2024-05-20"


def test_what_need_not_be_ordered_is_not_among_the_largest_orders(part):
    reorder = part.tables["reorder"].with_columns(
        order_quantity=pl.when(pl.col("name") == "tea").then(9.0).otherwise(0), order_up_to=pl.lit(9.0)
    )
    demand, tables = a_demand(held_out=None), part.tables | {"reorder": reorder}
    results = {"interest": {"by_horizon": pl.DataFrame(part.measured["interest"]["by_horizon"])}}
    assert any(
        said.endswith("95% certainty: tea (9 lines); order what you lack.")
        for said in sentences(demand, tables, results)
    )
    tables["reorder"] = reorder.with_columns(order_quantity=pl.lit(0.0))
    assert any(said.startswith("Nothing is to be ordered now") for said in sentences(demand, tables, results))


def test_orders_are_of_items_and_not_of_groups(part):
    """What is in stock of one item does not serve those who want another of its group."""
    table = pl.DataFrame(part.measured["interest"]["by_horizon"])
    first = pl.col("name") == pl.col("name").filter(level="item").first()
    lines = pl.when(first).then(7.0).otherwise(9.0)
    reorder = part.tables["reorder"].with_columns(order_quantity=lines, order_up_to=lines)
    reorder = reorder.filter((pl.col("level") != "item") | first)
    results = {level: {"by_horizon": table} for level in ("item", "interest")}
    said = sentences(a_demand(held_out=None), part.tables | {"reorder": reorder}, results)
    (orders,) = [sentence for sentence in said if sentence.startswith("Have in stock")]
    assert f": {reorder.filter(level='item')['name'][0]} (7 lines); order what you lack. " in orders
    assert re.search(r"Of single items what orders go by was off by \d+\.\d%\.$", orders)


@pytest.mark.parametrize(("error", "advised"), [(1.04, False), (0.5, True)])
def test_nothing_is_advised_by_a_forecast_as_far_off_as_all_of_demand(part, error, advised):
    table = pl.DataFrame(part.measured["interest"]["by_horizon"]).with_columns(wape=pl.lit(error))
    said = sentences(a_demand(held_out=None), part.tables, {"interest": {"by_horizon": table}})
    assert any("Have in stock" in one for one in said) == advised
    assert any("How far these forecasts of demand hold is not known" in one for one in said) == advised
    assert said[0].startswith("Do not order by this: in the last") != advised


def test_recent_sales_are_those_that_the_forecast_counts(monkeypatch):
    """Returns beyond a week's sales are off later weeks, in what is shown as in what is forecast from."""
    demand = a_demand()
    net = {level: count.copy() for level, count in demand.weeks.count.items()}
    for count in net.values():
        count[0, -1] -= 500
    found = taken(monkeypatch, replace(demand, weeks=replace(demand.weeks, net=net)))
    table = found.tables["demand"].filter(level="interest", weeks_ahead=1)
    counted = dict(zip(demand.weeks.names["interest"], demand.weeks.count["interest"][:, -4:].mean(1), strict=True))
    assert dict(table.select("name", "recent").iter_rows()) == pytest.approx(counted)


def test_pictures_name_series_as_the_log_does(monkeypatch):
    demand = a_demand(levels=("item",))
    names = {"item": ("SQ01", "aB", "tea", "Pens", "e", "f")}
    found = taken(monkeypatch, replace(demand, weeks=replace(demand.weeks, names=names)))
    svg = next(block.svg for block in found.blocks if hasattr(block, "svg"))
    assert all(f">{name}<" in svg for name in names["item"])


def test_a_table_of_no_rises_and_falls_is_a_sentence(monkeypatch):
    demand = a_demand()
    few = {level: count / 100 for level, count in demand.weeks.count.items()}
    found = taken(monkeypatch, replace(demand, weeks=replace(demand.weeks, count=few, net=few)))
    assert not any(getattr(block, "title", "").startswith("Largest rises") for block in found.blocks)
    assert "are not listed: of no category with at least 20 lines a week lately do they leave the interval" in words(
        found
    )


def test_what_hardly_changes_is_no_rise_and_no_fall(part):
    high = of_series(0.9995, 0.9, 0.9)
    said = said_of(part, forecast=of_series(0.999, 0.8, 0.8), high_80=high)
    assert "Expect less of" in said
    assert "milk (" not in said.split("Expect less of")[1].split("order less")[0]
    assert "(-0%)" not in said


def words(part):
    return " ".join(block.words for block in part.blocks if hasattr(block, "words"))


def test_quantities_that_a_setting_leaves_out_are_not_said_to_be_missing(monkeypatch):
    counted = taken(monkeypatch, a_demand())
    assert "one piece each, as the log states no quantities" in words(counted)
    left_out = taken(monkeypatch, replace(a_demand(), lines=True))
    assert "states no quantities" not in words(left_out)
    assert "each line of a sale as one piece, as data.columns.quantity is" in words(left_out)
    orders = [sentence for sentence in left_out.sentences if sentence.startswith("Have in stock")]
    assert re.search(
        r"These are lines of sales, not pieces\. Of single items what orders go by was off by [\d.]+%\.$", orders[0]
    )


def test_what_is_left_out_and_grouped_is_that_of_the_prepared_log(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "interactions.csv").write_text("user_id,item_id,quantity\n1,1,3\n1,2,3\n1,2,3\n1,3,1\n")
    (tmp_path / "log" / "items.csv").write_text("item_id,title,category\n1,milk,cold\n2,milk,dairy\n3,tea,z\n")
    data = settings(tmp_path / "log", item_column="title", prepared_dir=str(tmp_path / "prepared"), duplicates="keep")
    lines, grouped = demand_forecast.lines_and_groups(prepare(data), data)
    assert not lines
    assert grouped.startswith("All items of one title are one item")
    assert f"{1 / 4:.1%} of the events in another category." in grouped
    data.columns.quantity = "-"
    assert demand_forecast.lines_and_groups(prepare(data), data)[0]


def test_items_and_categories_that_count_elsewhere_are_said(monkeypatch):
    demand = a_demand()
    demand = replace(demand, grouped="Said of items.", weeks=replace(demand.weeks, moved=0.123))
    said = words(taken(monkeypatch, demand))
    assert "Said of items. So that sums add up" in said
    assert "12.3% of all are of another" in said
    assert "So that sums add up" not in words(taken(monkeypatch, a_demand()))


def test_the_page_can_be_written(part, tmp_path):
    page = write_insights([part], tmp_path, "made up").read_text()
    assert "Largest rises and falls" in page
    assert (tmp_path / "reorder.parquet").exists()


def test_where_nothing_was_held_out_nothing_is_claimed(monkeypatch):
    found = taken(monkeypatch, a_demand(held_out=None))
    assert found.measured == {}
    assert not any("held out" in sentence for sentence in found.sentences)
    assert _says(
        found, "How far its forecasts hold is not known: the run has learned from all weeks; train with a split"
    )
    late = replace(a_demand(held_out=None), unseen="no whole week begins after the test cut")
    found = taken(monkeypatch, late)
    assert any("is not known, as no whole week begins after the test cut" in text for text in found.sentences)
    assert _says(found, "not known: no whole week begins after the test cut; an earlier one (")


def _says(part, text):
    return any(text in getattr(block, "words", "") for block in part.blocks)


def test_a_log_of_items_alone_works(monkeypatch):
    found = taken(monkeypatch, a_demand(levels=("item",)))
    assert set(found.tables["demand"]["level"]) == set(found.tables["reorder"]["level"]) == {"item"}


def test_what_came_is_not_known_after_the_end():
    found = demand_forecast.outcomes(np.arange(20.0)[None], (17, 19))
    np.testing.assert_array_equal(found[:, :3, 0], [[17, 18, 19], [19, np.nan, np.nan]])


def test_a_log_without_times_is_refused():
    class Run:
        class experiment:
            histories = replace(make_histories([[1, 2]]), has_time=False)

    with pytest.raises(UserError, match="needs the time"):
        build.build_demand(Run)


def test_two_weeks_held_out_are_reported_as_two(monkeypatch):
    part = taken(monkeypatch, a_demand(held_out=22))
    assert any("In 2 weeks held out" in sentence and "1 to 2 weeks ahead" in sentence for sentence in part.sentences)


def test_one_week_held_out_is_one_week(monkeypatch):
    part = taken(monkeypatch, a_demand(held_out=23))
    assert any("In 1 week held out" in sentence and " at 1 week ahead" in sentence for sentence in part.sentences)


def orders(part):
    """What stands first, what stands below the orders, and the rule of each level's orders."""
    note = next(block.note for block in part.blocks if getattr(block, "title", "") == "What to order now")
    return part.sentences[0], note, dict(part.tables["reorder"].select("level", "rule").unique().iter_rows())


@pytest.mark.parametrize("held_out", [20, None])
def test_orders_go_by_a_simple_rule_that_was_surely_nearer_than_the_forecast(monkeypatch, held_out):
    demand = a_demand(held_out=held_out)
    far = {level: 5 * said for level, said in demand.forecast.items()}
    part = taken(monkeypatch, replace(demand, forecast=far))
    first, note, rules = orders(part)
    assert rules == {"item": "moving average", "interest": "moving average"}
    assert "The forecast is not to be relied on" in first
    assert first.endswith("which is more than chance. Orders go by a moving average of 4 weeks.")
    assert note.count("Orders go by a moving average of 4 weeks.") == 2
    mean = demand.weeks.count["interest"][:, -4:].mean(1)
    table = part.tables["reorder"].filter(level="interest").sort("name")
    by_name = dict(zip(demand.weeks.names["interest"], 2 * mean, strict=True))
    np.testing.assert_allclose(table["expected_demand"], [by_name[name] for name in table["name"]])


def test_orders_stay_with_a_forecast_that_is_ahead_or_behind_within_chance(monkeypatch):
    demand = a_demand()
    perfect = {level: np.nan_to_num(demand.observed(level), nan=50.0) for level in demand.forecast}
    first, note, rules = orders(taken(monkeypatch, replace(demand, forecast=perfect)))
    assert rules == {"item": "forecast", "interest": "forecast"}
    assert "Orders go by" not in first + note
    rng, near = np.random.default_rng(0), {}
    for level, count in demand.weeks.count.items():
        mean = moving_average(count, demand.origins).forecast
        near[level] = mean * np.exp(rng.normal(0, 0.05, mean.shape))
    first, note, rules = orders(taken(monkeypatch, replace(demand, forecast=near)))
    assert rules == {"item": "forecast", "interest": "forecast"}
    assert first.startswith("Orders go by the forecast, though in the last 4 weeks of this log it was off by")
    assert "a moving average of 4 weeks by" in first
    assert first in note
