from __future__ import annotations

import polars as pl
import pytest

from trajectory.explain.overview import ages, drivers, event_types, features, whole_events

# Two forecasts of tea, one of milk.
EVENTS = pl.DataFrame(
    [
        ("a", 1, "TEA", "buy", "tea", 1.0, 3),
        ("a", 1, "TEA", "view", "tea", 0.5, 2),
        ("a", 1, "MILK", "buy", "tea", -0.5, 1),
        ("b", 1, "TEA", "buy", "tea", 2.5, 1),
        ("c", 1, "MILK", "buy", "milk", 2.0, 1),
        ("c", 1, "TEA", "buy", "milk", -1.0, 200),
    ],
    schema=["user", "step", "name", "event_type", "target", "value", "age"],
    orient="row",
)


def test_events_as_wholes_are_sums_over_inputs() -> None:
    rows = pl.DataFrame(
        [
            ("a", 1, 0, 5, "1", "Tea", "HOT", "buy", "x", "item", 1.0),
            ("a", 1, 0, 5, "1", "Tea", "HOT", "buy", "x", "gap", -0.25),
            ("a", 1, 1, 6, None, None, None, "view", "x", "item", 2.0),
            ("b", 1, 4, 6, "Milk", None, "COLD", "buy", "x", "item", 3.0),
        ],
        schema=[
            "user",
            "step",
            "event",
            "time",
            "item",
            "title",
            "interest",
            "event_type",
            "target",
            "feature",
            "value",
        ],
        orient="row",
    )
    found = whole_events(rows, by_interest=True)
    assert found.select("user", "value", "age", "name", "title").rows() == [
        ("a", 0.75, 2, "HOT", "Tea"),
        ("a", 2.0, 1, "something else", "an unknown item"),
        ("b", 3.0, 1, "COLD", "Milk"),
    ]
    assert whole_events(rows, by_interest=False)["name"].to_list() == ["Tea", "an unknown item", "Milk"]


def test_drivers_are_means_over_the_forecasts_of_a_target() -> None:
    found = drivers(EVENTS)
    assert found["targets"] == ["tea", "milk"]
    assert found["forecasts"] == [2, 1]
    assert found["names"] == ["TEA", "MILK"]
    assert found["nats"] == [[2.0, -1.0], [-0.25, 2.0]]


def test_event_types_and_inputs_have_shares_of_all_that_moves() -> None:
    buy, view = event_types(EVENTS)
    assert (buy["event_type"], buy["events"], buy["mean"]) == ("buy", 5, pytest.approx(0.8))
    assert buy["share"] == pytest.approx(7 / 7.5)
    assert view["share"] == pytest.approx(0.5 / 7.5)
    rows = pl.DataFrame({"feature": ["item", "gap", "item"], "value": [1.0, -1.0, 2.0]})
    assert [row["feature"] for row in features(rows)] == ["item", "gap"]
    assert [row["share"] for row in features(rows)] == [0.75, 0.25]


def test_ages_are_classes_of_how_many_events_ago() -> None:
    found = ages(EVENTS)
    assert found["labels"][:4] == ["1", "2", "3–4", "5–7"]
    assert found["labels"][-1] == "144+"
    assert found["lines"]["buy"][:4] == [pytest.approx(4 / 3), None, 1.0, None]
    assert found["lines"]["view"][1] == 0.5
    assert found["lines"]["all"][-1] == -1.0
    assert "all" not in ages(EVENTS.filter(event_type="view"))["lines"]
