from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.data.times import WEEK
from trajectory.insights.demand import weekly_counts as weeks_of
from trajectory.insights.demand.counting_notes import around, returned
from trajectory.insights.demand.weekly_counts import first_held_out, weekly
from trajectory.schema import EVENT_TYPES, Queries, Split, UserError

# A day of 1 January 2024, a Monday, has one event; an event a day goes on for 16 weeks and two days.
DAYS = range(16 * 7 + 2)


def a_log(first_day=0, days=DAYS):
    items = [1 + day % 4 for day in days]
    histories = make_histories([items, [1]], gap=86_400, num_items=4, interests=2)
    table = histories.items.with_columns(department=np.array(["x", "x", "x", "y"]))
    return replace(histories, time=histories.time + first_day * 86_400, items=table)


def test_only_whole_weeks_count_and_every_level_adds_up_to_the_next():
    weeks = weekly(a_log())
    assert (weeks.number, str(weeks.date(0)), weeks.levels) == (16, "2024-01-01", ("item", "interest", "department"))
    np.testing.assert_array_equal(weeks.count["item"][:, 0], [3, 2, 2, 1])  # days 1 to 7, and user 1 on day 1
    np.testing.assert_array_equal(weeks.count["interest"][:, 0], [5, 3])  # c1: items 1, 3; c2: items 2, 4
    assert weeks.names["interest"] == ("c1", "c2")
    # c2 is sold in both departments, and as often; each interest has one.
    department, interest = ["x", "x", "x", "y"], ["c1", "c2", "c1", "c2"]
    sold = weeks.count["item"].sum(1)
    counts_in = {name: weeks.names["department"][weeks.above["interest"][i]] for i, name in enumerate(("c1", "c2"))}
    elsewhere = sum(n for n, own, of in zip(sold, department, interest, strict=True) if counts_in[of] != own)
    assert weeks.moved == elsewhere / sold.sum() > 0
    assert weeks.count["department"].sum() == weeks.count["item"].sum() == 16 * 7 + 1
    np.testing.assert_array_equal(weeks.to_level(weeks.count["item"], "interest"), weeks.count["interest"])


def test_a_log_that_begins_on_a_tuesday_begins_with_the_next_monday():
    weeks = weekly(a_log(first_day=1, days=range(17 * 7)))
    assert (str(weeks.date(0)), weeks.number) == ("2024-01-08", 16)


def test_a_log_without_interests_has_items_alone():
    histories = replace(a_log(), interests=())
    assert weekly(histories).levels == ("item",)


def test_of_a_long_log_the_last_weeks_count(monkeypatch):
    whole = weekly(a_log(days=range(20 * 7)))
    monkeypatch.setattr(weeks_of, "MOST_WEEKS", 18)
    last = weekly(a_log(days=range(20 * 7)))
    assert (last.number, last.date(0), last.date(17)) == (18, whole.date(2), whole.date(19))
    for level in ("item", "interest"):
        np.testing.assert_array_equal(last.count[level], whole.count[level][:, 2:])


def test_logs_without_times_or_with_few_weeks_are_refused():
    with pytest.raises(UserError, match="needs the time of each event"):
        weekly(replace(a_log(), has_time=False))
    with pytest.raises(UserError, match=r"at least 16 whole weeks.* has 1"):
        weekly(make_histories([[1] * 10], gap=86_400))


def test_demand_is_of_sales_by_their_quantity_less_returns():
    log = a_log()
    monday = int(weekly(log).start)
    event_type = np.where(log.time < monday + WEEK, 1, 2).astype(np.int8)  # views in the first week, purchases after
    back = {"user": ["u0", "u0", "nobody"], "item": ["i1", "i2", "i2"], "quantity": [1.0, 9.0, None]}
    outside = pl.DataFrame(back).with_columns(
        event_type=pl.lit("return"), time=pl.lit(monday + 2 * WEEK), value=pl.lit(None, pl.Float64)
    )
    log = replace(
        log, event_type=event_type, quantity=np.full(log.num_events, 3, np.float32), roles=EVENT_TYPES, outside=outside
    )
    weeks = weekly(log)
    np.testing.assert_array_equal(weeks.net["item"][:2, :4], [[0, 6, 5, 3], [0, 6, -7, 6]])
    np.testing.assert_array_equal(weeks.count["item"][:2, :4], [[0, 6, 5, 3], [0, 6, 0, 0]])  # the rest is taken later
    assert weeks.count["item"].sum() == weeks.net["item"].sum() == 3 * (15 * 7) - 11
    assert (weeks.returned, weeks.words.unit) == (11, "pieces")
    assert returned(weeks) == (
        " Less what came back: 11 pieces; 4 of them are taken off the weeks of the returns, 7 off later weeks, as more "
        "of an item came back than was sold, and 0 off none, as too little of the item was sold until the log's end."
    )
    outside = outside.with_columns(time=pl.lit(monday + 15 * WEEK))  # no week follows, 6 of i2 were sold in this
    told = returned(weekly(replace(log, outside=outside)))
    assert "11 pieces; 7 of them are taken off the weeks of the returns, 0 off later weeks" in told
    assert ", and 4 off none," in told
    late = weekly(replace(log, outside=outside.with_columns(time=pl.lit(monday + 20 * WEEK))))
    assert (late.number, late.returned, late.later) == (weeks.number, 0, 11), "returns do not make the log longer"
    assert returned(late).startswith(" 11 pieces that came back after the log's last event of another type are not")


def test_what_is_sold_and_comes_back_outside_the_whole_weeks_is_said():
    log = a_log(
        first_day=1, days=range(17 * 7 + 2)
    )  # from Tuesday on: six days before the first Monday, two after the last Sunday
    assert around(weekly(a_log(days=range(16 * 7)))) == ""
    log = replace(log, roles=EVENT_TYPES, event_types=("purchase",))
    back = {"user": ["u0"], "item": ["i1"], "quantity": [2.0], "event_type": ["return"], "value": [None]}
    outside = pl.DataFrame(back, schema_overrides={"value": pl.Float64}).with_columns(time=pl.lit(int(log.time.min())))
    weeks = weekly(replace(log, outside=outside))
    days = log.time // 86_400
    sold = int(((days < weeks.start // 86_400) | (days >= weeks.begins(weeks.number) // 86_400)).sum())
    assert sold
    assert weeks.around == (sold, 2)
    assert around(weeks) == (
        f" Not counted are {sold} {weeks.words.unit} sold and 2 {weeks.words.unit} that came back before 2024-01-08 or "
        f"from 2024-04-29 on: these days are in none of its {weeks.number} weeks."
    )


def test_a_log_without_sales_has_no_demand():
    with pytest.raises(UserError, match=r"demand needs sales: .*\(view, purchase\).*event_types.purchase=input"):
        weekly(replace(a_log(), roles={"view": ("input", "target"), "purchase": ("input", "target")}))


def test_held_out_weeks_begin_with_the_first_monday_at_or_after_the_cut():
    weeks, none = weekly(make_histories([[1] * 7 * 20], gap=86_400)), np.zeros(0, np.int64)
    empty = Queries(none, none, none, none)
    for cut, first in (
        ("2024-05-06T00:00:00+00:00", 18),
        ("2024-04-30T00:00:00+00:00", 18),
        ("2024-01-08T00:00:00+00:00", 16),  # fewer weeks are too few to learn from
        ("2024-05-14T00:00:00+00:00", None),
    ):
        assert first_held_out(weeks, Split("temporal", none, empty, empty, "", {"test": cut})) == first
    assert first_held_out(weeks, Split("leave_last", none, empty, empty, "")) is None
    assert weeks.begins(2) - weeks.start == 2 * WEEK


def test_an_item_without_a_title_is_named_by_its_id():
    histories = a_log()
    table = histories.items.with_columns(title=pl.Series(["tea", None, "", "rice"]).replace("", None))
    names = weekly(replace(histories, items=table)).names["item"]
    assert names == ("tea", str(table["item"][1]), str(table["item"][2]), "rice")
