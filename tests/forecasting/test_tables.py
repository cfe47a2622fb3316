"""Tables for people: right items, names, order, and probabilities that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import GivenForecast, make_histories
from trajectory.forecasting import tables
from trajectory.inference.beam_search import Beams
from trajectory.inference.new_users import whole_histories
from trajectory.inference.step_forecast import WithinDays

HISTORIES = make_histories([[1, 2], [4, 3]], num_items=4, interests=2)
QUERIES = whole_histories(HISTORIES)
PROBABILITY = np.array(  # [2 users, 2 steps, 5]
    [[[0, 0.1, 0.2, 0.3, 0.4], [0, 0.4, 0.3, 0.2, 0.1]], [[0, 1, 0, 0, 0], [0, 0.25, 0.25, 0.25, 0.25]]], np.float32
)
VISITED = np.maximum.accumulate(PROBABILITY, axis=1)
SHARES = np.array([[[0, 0.45, 0.55], [0, 0.6, 0.4]], [[0, 1, 0], [0, 0.5, 0.5]]], np.float32)
INTERESTS = np.array([[[0, 0.4, 0.6], [0, 0.8, 0.9]], [[0, 1, 0], [0, 1, 0.5]]], np.float32)
DAYS = np.array([[[0.5, 1, 2], [1, 2, 4]], [[5, 10, 20], [10, 20, 40]]])
FORECAST = GivenForecast(PROBABILITY, SHARES, VISITED, INTERESTS, DAYS)
SOON = WithinDays(VISITED[:, -1] / 2, INTERESTS[:, -1] / 2)
BEAMS = Beams(
    np.array([[[3, 2], [4, 1]], [[1, 0], [0, 0]]], np.int32),
    np.log(
        np.array([[[0.3, 0.9], [0.4, 0.5]], [[1, 1], [0, 0]]], np.float32),
        where=[[[1], [1]], [[1], [0]]],
        out=np.full((2, 2, 2), -np.inf, np.float32),
    ),
)


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
    table = tables.items_at_steps(HISTORIES, QUERIES, FORECAST, 2)
    first = table.filter(pl.col("user") == "u0")
    assert first["step"].to_list() == [1, 1, 2, 2]
    assert first["item"].to_list() == ["i4", "i3", "i1", "i2"]
    np.testing.assert_allclose(first["probability_within"], [0.4, 0.3, 0.4, 0.3])
    assert table.filter((pl.col("user") == "u1") & (pl.col("step") == 1)).height == 1, "impossible items are left out"


def test_what_comes_within_steps_is_of_all_of_them():
    table = tables.items_within_steps(HISTORIES, QUERIES, FORECAST, 4)
    assert table.filter(pl.col("user") == "u0")["item"].to_list() == ["i1", "i4", "i2", "i3"]
    assert table.filter(pl.col("user") == "u1")["probability"].to_list() == [1, 0.25, 0.25, 0.25]


def test_most_likely_path_and_its_steps():
    table = tables.most_likely_path(HISTORIES, QUERIES, BEAMS)
    assert table.columns == ["user", "step", "item", "title", "probability", "path_probability", "calibrated"]
    assert table["item"].to_list() == ["i3", "i2", "i1"], "a path may end before the last step"
    np.testing.assert_allclose(table["probability"], [0.3, 0.9, 1.0], rtol=1e-6)
    np.testing.assert_allclose(table["path_probability"], [0.27, 0.27, 1.0], rtol=1e-6)


@pytest.mark.parametrize("titles", [None, ["A", None, "C", "D"]])
def test_titles_are_given_where_there_are_some(titles):
    histories = (
        HISTORIES if titles is None else replace(HISTORIES, items=HISTORIES.items.with_columns(title=pl.Series(titles)))
    )
    table = tables.items_within_steps(histories, QUERIES, FORECAST, 4).filter(pl.col("user") == "u0")
    assert table["title"].to_list() == ([None] * 4 if titles is None else ["A", "D", None, "C"])


def of(table, **values):
    return table.filter(pl.all_horizontal(pl.col(name) == value for name, value in values.items()))


def test_statements_say_what_comes_at_and_within_steps_of_items_and_interests():
    table = tables.statements(HISTORIES, QUERIES, FORECAST, 2)
    assert table.schema == tables.STATEMENTS
    assert set(table["statement"]) == {"at_step", "within_steps", "time"}
    at = of(table, user="u0", statement="at_step", level="item", step=1)
    assert at["id"].to_list() == ["i4", "i3"]
    np.testing.assert_allclose(at["probability"], [0.4, 0.3])
    within = of(table, user="u0", statement="within_steps", level="item", step=2)
    assert within["id"].to_list() == ["i1", "i4"], "equal ones in item order"
    interests = of(table, user="u0", statement="at_step", level="interest", step=1)
    assert interests["title"].to_list() == ["c2", "c1"]
    np.testing.assert_allclose(interests["probability"], [0.55, 0.45], atol=1e-6)
    reached = of(table, user="u0", statement="within_steps", level="interest", step=2)
    np.testing.assert_allclose(reached["probability"], [0.9, 0.8], atol=1e-6)
    assert of(table, user="u1", statement="at_step", level="item", step=1).height == 1, "what cannot come is left out"


def test_statements_of_the_next_days_name_the_days():
    table = tables.within_days(HISTORIES, QUERIES, SOON, 7.0, 2)
    assert table.schema == tables.STATEMENTS
    soon = of(table, user="u1", statement="within_days", level="item")
    assert (soon["id"].to_list()[0], soon["days"].to_list()[0], soon["step"].null_count()) == ("i1", 7.0, soon.height)
    assert of(table, user="u0", level="interest")["id"].to_list() == ["c2", "c1"]


def test_statements_of_time_are_a_median_and_an_interval():
    table = tables.statements(HISTORIES, QUERIES, FORECAST, 2)
    time = of(table, user="u1", statement="time")
    assert time.select("step", "days_low", "days", "days_high").rows() == [(1, 5, 10, 20), (2, 10, 20, 40)]
    assert not of(tables.statements(HISTORIES, QUERIES, replace(FORECAST, quantiles=None), 2), statement="time").height


def test_times_count_from_the_end_of_the_log_on():
    """The first user's last event is 8 days before the log's."""
    time = HISTORIES.time.copy()
    time[: HISTORIES.offsets[1]] = time[HISTORIES.offsets[1] - 1] - 8 * 86_400
    late = replace(HISTORIES, time=time)
    soon = tables.within_days(late, QUERIES, SOON, 7.0, 2)
    assert set(soon["user"]) == {"u1"}, "the days of the other are over"
    before, after = (tables.statements(h, QUERIES, FORECAST, 2).filter(statement="time") for h in (HISTORIES, late))
    assert of(before, user="u1").equals(of(after, user="u1"))
    assert of(after, user="u0")["days_low"][0] < of(before, user="u0")["days_low"][0], "8 days of it are over"
    assert of(after, user="u0")["days"][0] > 0
    first, second = of(after, user="u0")["days"]
    assert second - first == pytest.approx(1), "the second step follows the first as far as before"
    calibrated = tables.statements(late, QUERIES, replace(FORECAST, calibrated=True), 2).filter(statement="time")
    assert calibrated["calibrated"].to_list() == [False, False, True, True], "silence was not calibrated"


def test_a_log_without_interests_has_statements_of_items_only():
    none = replace(HISTORIES, interests=(), item_interest=np.zeros(5, np.int32))
    assert set(tables.statements(none, QUERIES, FORECAST, 2)["level"].drop_nulls()) == {"item"}
    assert set(tables.within_days(none, QUERIES, SOON, 7.0, 2)["level"]) == {"item"}


def test_paths_are_rows_of_steps_with_the_chance_of_the_whole():
    table = tables.path_statements(HISTORIES, QUERIES, BEAMS, "item")
    assert table.schema == tables.STATEMENTS
    assert table.select("user", "rank", "step", "id").rows() == [
        ("u0", 1, 1, "i3"),
        ("u0", 1, 2, "i2"),
        ("u0", 2, 1, "i4"),
        ("u0", 2, 2, "i1"),
        ("u1", 1, 1, "i1"),
    ]
    np.testing.assert_allclose(table["path_probability"], [0.27, 0.27, 0.2, 0.2, 1], rtol=1e-6)
    np.testing.assert_allclose(table["probability"], [0.3, 0.9, 0.4, 0.5, 1], rtol=1e-6)
    interests = tables.path_statements(HISTORIES, QUERIES, BEAMS._replace(path=BEAMS.path % 3), "interest")
    assert interests["id"].to_list() == [None, "c2", "c1", "c1", "c1", None]


def test_no_step_is_foretold_before_the_one_it_follows():
    backwards = replace(FORECAST, quantiles=DAYS[:, ::-1])
    found = tables.statements(HISTORIES, QUERIES, backwards, 1).filter(statement="time", user="u0")
    assert found.select("days_low", "days", "days_high").rows() == [(1, 2, 4), (1, 2, 4)]


def test_each_row_says_whether_it_is_calibrated():
    """What sampling and beam search say never is, whatever was fitted to the steps."""
    for calibrated in (True, False):
        forecast = replace(FORECAST, calibrated=calibrated)
        assert tables.statements(HISTORIES, QUERIES, forecast, 2)["calibrated"].to_list().count(calibrated) > 20
        assert set(tables.statements(HISTORIES, QUERIES, forecast, 2)["calibrated"]) == {calibrated}
        assert set(tables.items_at_steps(HISTORIES, QUERIES, forecast, 2)["calibrated"]) == {calibrated}
        assert set(tables.items_within_steps(HISTORIES, QUERIES, forecast, 2)["calibrated"]) == {calibrated}
    uncalibrated = (
        tables.within_days(HISTORIES, QUERIES, SOON, 7.0, 2),
        tables.path_statements(HISTORIES, QUERIES, BEAMS, "item"),
        tables.most_likely_path(HISTORIES, QUERIES, BEAMS),
        tables.next_items(HISTORIES, QUERIES, np.log(np.maximum(PROBABILITY[:, 1], 1e-30)), None, 3),
    )
    for table in uncalibrated:
        assert set(table["calibrated"]) == {False}


def test_items_at_a_step_say_whether_they_are_in_its_set():
    members = PROBABILITY >= 0.3  # of the first user at step 1: 4 and 3
    forecast = replace(FORECAST, calibrated=True, in_sets=members)
    table = tables.statements(HISTORIES, QUERIES, forecast, 4)
    first = of(table, user="u0", statement="at_step", level="item", step=1)
    assert first.select("id", "in_set_90").rows() == [("i4", True), ("i3", True), ("i2", False), ("i1", False)]
    said = (pl.col("statement") == "at_step") & (pl.col("level") == "item")
    assert first["set_size_90"].to_list() == [2] * 4
    assert (
        of(tables.statements(HISTORIES, QUERIES, forecast, 1), user="u0", level="item", step=1)["set_size_90"][0] == 2
    )
    assert table.filter(said)["in_set_90"].null_count() == 0
    assert table.filter(~said)["in_set_90"].is_null().all(), "sets are of items at a step alone"
    steps = tables.items_at_steps(HISTORIES, QUERIES, forecast, 2)
    assert of(steps, user="u1", step=2).select("item", "in_set_90", "set_size_90").rows() == [
        ("i1", False, 0),
        ("i2", False, 0),
    ]
    for without in (
        tables.statements(HISTORIES, QUERIES, FORECAST, 4),
        tables.items_at_steps(HISTORIES, QUERIES, FORECAST, 2),
    ):
        assert without["in_set_90"].is_null().all(), "no sets were fitted"
        assert without["set_size_90"].is_null().all()
