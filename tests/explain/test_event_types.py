"""What views, carts and purchases add: sums of the events of each type, and a sentence that names the strongest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest

import trajectory as tj
from tests.explain.cases import HISTORIES, run_of
from trajectory.explain.event_types import by_type, sentence

MONDAY, TUESDAY, FRIDAY = datetime(2024, 5, 6, 12), datetime(2024, 5, 7, 12), datetime(2024, 5, 10, 12)
ROWS = pl.DataFrame(
    [
        ("ann", 0, MONDAY, "5", "Tea", "view", "x", 1, "item", 1.0),
        ("ann", 0, MONDAY, "5", "Tea", "view", "x", 1, "gap", -0.25),
        ("ann", 1, TUESDAY, "6", "Pot", "view", "x", 1, "item", -1.0),
        ("ann", 2, FRIDAY, None, None, "cart", "x", 1, "item", 0.25),
        ("ann", 0, MONDAY, "5", "Tea", "view", "x", 2, "item", 0.0),
        ("bob", 0, FRIDAY, "6", "Pot", "purchase", "y", 1, "item", -2.0),
        ("bob", 0, FRIDAY, "6", "Pot", "purchase", "y", 1, "gap", 3.0),
    ],
    schema=["user", "event", "time", "item", "title", "event_type", "target", "step", "feature", "value"],
    orient="row",
)


def test_each_type_has_the_sum_of_its_events_their_share_and_the_strongest_of_them() -> None:
    found = by_type(ROWS)
    assert found.rows() == [
        ("ann", "x", 1, "view", 2, -0.25, 0.875, "6", "Pot", TUESDAY, -1.0),
        ("ann", "x", 1, "cart", 1, 0.25, 0.125, None, None, FRIDAY, 0.25),
        ("ann", "x", 2, "view", 1, 0.0, 0.0, "5", "Tea", MONDAY, 0.0),
        ("bob", "y", 1, "purchase", 1, 1.0, 1.0, "6", "Pot", FRIDAY, 1.0),
    ]
    for sums in (found, ROWS):  # what the types add is all that events add
        assert sums.group_by("user", "step").agg(pl.col("value").sum()).sort("user", "step").rows() == [
            ("ann", 1, 0.0),
            ("ann", 2, 0.0),
            ("bob", 1, 1.0),
        ]


def test_a_run_of_several_types_says_what_each_adds_to_each_forecast(tmp_path) -> None:
    found = run_of(tmp_path).explain(target="interest", at_steps=(1, 2), method="gradient_times_input")
    types = found.tables["by_type"]
    assert all(column in tj.Explanation.TABLES["by_type"] for column in types.columns)
    of_events = found.frame.group_by("user", "step", "event_type").agg(
        pl.col("event").n_unique(), pl.col("value").cast(pl.Float64).sum().alias("sum")
    )
    both = types.join(of_events, on=["user", "step", "event_type"], how="full")
    assert both.height == types.height == of_events.height
    assert both["events"].to_list() == both["event"].to_list()
    assert both["value"].to_list() == pytest.approx(both["sum"].to_list())
    shares = types.group_by("user", "step").agg(pl.col("share").sum())["share"].to_list()
    assert shares == pytest.approx([1.0] * len(shares))


def test_a_run_of_one_type_has_no_such_table(tmp_path) -> None:
    alone = replace(HISTORIES, event_type=HISTORIES.event_type * 0 + 1, event_types=("purchase",))
    assert run_of(tmp_path, histories=alone).explain(target="item", method="gradient_times_input").tables == {}
    assert said(("Tea", "purchase", MONDAY, 1.0), histories=alone) == ""


def said(*rows, histories=HISTORIES) -> str:
    events = pl.DataFrame(rows, schema=["title", "event_type", "time", "value"], orient="row")
    return sentence(events, histories)


def test_the_sentence_names_what_speaks_for_it_and_the_types_that_speak_against() -> None:
    rows = [
        ("Tea", "view", MONDAY, 0.5),
        ("Tea", "view", TUESDAY, 0.5),
        ("Pot", "cart", TUESDAY, 0.4),
        ("Cup", "view", MONDAY, -0.3),
        ("Cup", "purchase", MONDAY, -0.7),
        ("Rice", "purchase", FRIDAY, -0.01),
    ]
    assert said(*rows) == (
        "Mostly 2 views of Tea (the last one 3 days ago) and a cart of Pot (3 days ago) speak for it; purchases and "
        "other views against"
    )
    timeless = replace(HISTORIES, has_time=False)
    assert said(*rows, histories=timeless).startswith("Mostly 2 views of Tea and a cart of Pot speak for it")
    assert said(("Tea", "view", MONDAY, 0.5), ("Pot", "add_to_list", TUESDAY, 0.1)) == (
        "Mostly a view of Tea (a day ago) and an add to list event of Pot (less than a day ago) speak for it"
    )
    assert said(("Tea", "event", MONDAY, 0.5)) == "Mostly an event of Tea (less than a day ago) speaks for it"


def test_what_adds_little_beside_the_first_is_not_named() -> None:
    rows = [("Tea", "view", MONDAY, 2.2), ("Pot", "view", MONDAY, 0.1), ("Cup", "purchase", MONDAY, -0.09)]
    assert said(*rows) == "Mostly a view of Tea (less than a day ago) speaks for it"


def test_where_many_things_add_alike_those_named_are_not_said_to_be_most_of_it() -> None:
    rows = [(name, "view", MONDAY, 0.3) for name in "ABCDE"]
    assert said(*rows).startswith("Above all a view of A (less than a day ago) and a view of B")


def test_where_little_speaks_for_it_that_is_said_and_where_nothing_does_much_nothing_is() -> None:
    assert said(("Tea", "view", MONDAY, 0.01), ("Pot", "purchase", MONDAY, -0.4)) == (
        "Nothing speaks for it much; purchases speak against it"
    )
    assert said(("Tea", "view", MONDAY, 0.01), ("Pot", "purchase", MONDAY, -0.01)) == ""


def test_lines_of_one_basket_are_one_purchase() -> None:
    rows = [("Tea", "purchase", MONDAY, 1.0), ("Tea", "purchase", MONDAY, 1.0)]
    assert said(*rows, histories=replace(HISTORIES, baskets=True)).startswith("Mostly a purchase of Tea")
    assert said(*rows).startswith("Mostly 2 purchases of Tea")
