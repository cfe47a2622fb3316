"""What changed is counted by plain polars from the events, and told where it is more than chance."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from tests.builders import fake_run, make_histories, with_returns
from trajectory.data.store.arrays import events_table
from trajectory.data.times import DAY
from trajectory.insights.changes.build import build_changes
from trajectory.insights.changes.counted import DAYS, changes
from trajectory.schema import EVENT_TYPES, Histories, UserError


def shop(users: int = 200, days: int = 70, years: int = 0, seed: int = 0) -> Histories:
    """Users who buy of four items in two interests; in the last DAYS days item 1 twice as often, all else as before."""
    rng = np.random.default_rng(seed)
    lists, times = [], []
    for _ in range(users):
        at = np.sort(rng.choice(days * 24, days // 7, replace=False)) * 3600 + years * 364 * DAY
        earlier = np.sort(rng.choice(days * 24, days // 7, replace=False)) * 3600
        moments = np.concatenate([earlier, at]) if years else at
        late = moments >= (days - DAYS) * DAY + years * 364 * DAY
        item = np.where(late & (rng.random(len(moments)) < 0.25), 1, rng.integers(1, 5, len(moments)))
        lists.append(item.tolist())
        times.append(moments)
    histories = make_histories(lists, num_items=4, interests=2)
    start = int(datetime(2024, 1, 1).timestamp()) // DAY * DAY
    moment = np.concatenate(times) + start
    moment[-1] = start + days * DAY + years * 364 * DAY - 1  # the last second of the last day
    event = histories.num_events
    return replace(
        histories,
        time=moment,
        event_type=np.full(event, 2, np.int8),
        quantity=rng.integers(1, 4, event).astype(np.float32),
        value=rng.integers(1, 9, event).astype(np.float32),
        roles=EVENT_TYPES,
    )


def windows(histories: Histories) -> tuple[pl.DataFrame, pl.DataFrame]:
    events = events_table(histories)
    end = events["time"].max().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    span = timedelta(days=DAYS)
    time = pl.col("time")
    return events.filter(time >= end - 2 * span, time < end - span), events.filter(time >= end - span, time < end)


def test_totals_are_those_of_the_events():
    histories = shop()
    before, after = windows(histories)
    rows = {row["measure"]: row for row in changes(histories).totals.iter_rows(named=True)}
    assert list(rows) == ["customers", "orders", "pieces", "sales value"]
    for name, count in {
        "customers": lambda part: part["user"].n_unique(),
        "orders": lambda part: part.select("user", "step").n_unique(),
        "pieces": lambda part: part["quantity"].sum(),
        "sales value": lambda part: part["value"].sum(),
    }.items():
        assert (rows[name]["before"], rows[name]["after"]) == (count(before), count(after))
        assert rows[name]["change"] == pytest.approx(count(after) / count(before) - 1)
        assert rows[name]["low"] <= rows[name]["change"] <= rows[name]["high"]
        assert rows[name]["year_before"] is None


def test_what_is_bought_more_is_told_and_what_is_not_is_not():
    histories = shop()
    before, after = windows(histories)
    found = changes(histories).goods.filter(level="item").sort("name")
    for part, column in ((before, "before"), (after, "after")):
        assert (
            part.group_by("item").agg(pl.col("quantity").sum()).sort("item")["quantity"].to_list()
            == found[column].to_list()
        )
    part = build_changes(fake_run(histories=histories, config=ConfigDict({})))
    said = [one for one in part.sentences if one.table == "changes"]
    assert [one.partition("(")[0] for one in said] == [
        "Interests bought more than in the 28 days before: c1 ",
        "Interests bought less than in the 28 days before: c2 ",  # whose items were taken for item 1's sake
    ]
    assert all(one.kind == "change" for one in part.sentences)


@pytest.mark.parametrize("times", [1, 3, 1 / 3])
def test_each_sentence_says_what_the_events_say(times):
    histories = shop()
    late = histories.time >= histories.time.max() + 1 - DAYS * DAY
    histories = replace(histories, value=np.where(late, times * histories.value, histories.value).astype(np.float32))
    before, after = windows(histories)
    said = build_changes(fake_run(histories=histories, config=ConfigDict({}))).sentences
    texts = " ".join(said)
    totals = {"customers": "user", "orders": ["user", "step"]}
    counted = {name: [part.select(of).n_unique() for part in (before, after)] for name, of in totals.items()}
    counted |= {name: [part[name.split()[-1]].sum() for part in (before, after)] for name in ("sales value",)}
    for name, (then, now) in counted.items():
        more = "more" if now > then else "less"
        much = f"Sales of {now:,.0f}" if name == "sales value" else f"{now:,.0f} {name}"
        told = f"{much} in the last 28 days, {abs(now / then - 1):.1%} {more} than in the 28 before"
        unchanged = re.search(rf"No change beyond chance of [^.]*\b{name}\b", texts)
        assert (told in texts) != bool(unchanged), name
        assert (name == "sales value" and times != 1) <= (told in texts)
    pieces = {one: part.group_by("item").agg(pl.col("quantity").sum()) for one, part in (("a", before), ("b", after))}
    of = {name: dict(table.iter_rows()) for name, table in pieces.items()}
    first = sum(of["b"][item] for item in ("i1", "i3")) / sum(of["a"][item] for item in ("i1", "i3")) - 1
    assert f"Interests bought more than in the 28 days before: c1 ({first:+.0%})" in texts


def test_where_nothing_changed_nothing_is_told():
    """Of a hundred shops without a change, hardly one tells of any: the false discovery rate holds."""
    told = 0
    for seed in range(20):
        histories = shop(users=60, seed=seed)
        same = replace(
            histories, item=np.random.default_rng(seed).integers(1, 5, histories.num_events).astype(np.int32)
        )
        table = changes(same).goods
        told += (table["q_value"] <= 0.05).any()
    assert told <= 3


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Item counts of two windows with the same rate: nine in ten or more of the 95 % intervals hold no change."""
    held = []
    for seed in range(20):
        histories = shop(users=60, seed=100 + seed)
        same = replace(
            histories, item=np.random.default_rng(seed).integers(1, 5, histories.num_events).astype(np.int32)
        )
        table = changes(same).goods
        held += ((table["low"] <= 0) & (table["high"] >= 0)).to_list()
    assert 0.88 <= np.mean(held) <= 1


def test_returns_are_taken_off_and_orders_are_steps_with_a_sale():
    histories = shop(users=40)
    back = with_returns(histories, 5)
    _, after = windows(back)
    rows = {row["measure"]: row for row in changes(back).totals.iter_rows(named=True)}
    sign = pl.when(pl.col("event_type") == "return").then(-1).otherwise(1)
    assert rows["pieces"]["after"] == after.select((sign * pl.col("quantity")).sum()).item()
    assert rows["orders"]["after"] == after.filter(pl.col("event_type") == "purchase").select("user", "step").n_unique()


def test_the_same_days_a_year_before_stand_beside_it():
    histories = shop(users=30, years=1)
    events = events_table(histories)
    end = events["time"].max().replace(hour=0, minute=0, second=0) + timedelta(days=1 - 364)
    then = events.filter(pl.col("time") >= end - timedelta(days=DAYS), pl.col("time") < end)
    rows = {row["measure"]: row for row in changes(histories).totals.iter_rows(named=True)}
    assert rows["pieces"]["year_before"] == then["quantity"].sum()


def test_a_log_that_is_too_short_or_has_no_times_is_told_so():
    histories = shop(users=5)
    with pytest.raises(UserError, match="this log has none"):
        changes(replace(histories, has_time=False))
    short = replace(histories, time=histories.time // 4 + histories.time.max() * 3 // 4)
    with pytest.raises(UserError, match="this log is shorter"):
        changes(short)


def test_a_log_of_views_counts_events():
    histories = replace(shop(users=40), event_types=("view",), event_type=np.ones(40 * 10, np.int8))
    rows = {row["measure"]: row for row in changes(histories).totals.iter_rows(named=True)}
    assert list(rows) == ["customers", "events"]
    assert rows["events"]["after"] == windows(histories)[1].height
