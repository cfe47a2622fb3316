"""What insights of a made-up shop say beside what is true of it, counted from its truth and no other way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from trajectory.data.simulate.base import START
from trajectory.data.simulate.shop.write import DIALECTS
from trajectory.data.times import DAY, WEEK

LATELY, LAPSED = 56 * DAY, 84 * DAY  # seconds: what segments call lately; since when a lapsed user has not bought
MOST = 28  # days of an audience's horizon
TARGETS = {"interest": "category", "item": "title"}  # what an audience can be for -> column of `true_events`
EXACT = 1e-5  # relative: histories keep values in 32 bits


class Pair(NamedTuple):
    """One number of a written table, and the same from the truth."""

    part: str
    what: str
    said: Any  # a number; None where the table lacks it
    true: Any


def true_events(folder: Path, export: str = "") -> pl.DataFrame:
    """What the books of a shop, or one of its raw exports, tell of: its usable rows as they truly were, by time.

    user, item (ids of that log, text), title, category, department, time (unix seconds), type, quantity and value (of
    sales; of returns below 0; value null where the row does not tell it), roles.
    """
    events = pl.read_parquet(folder / "truth" / "events.parquet").with_row_index("event")
    items = pl.read_parquet(folder / "items.parquet").select("item_id", "title", "category", "department")
    user, item = pl.col("user_id").cast(pl.String), pl.col("item_id").cast(pl.String)
    if export:
        rows = pl.read_parquet(folder / "truth" / f"raw_{export}.parquet").filter("usable")
        events = events.join(rows.select("event", "wrong"), on="event", maintain_order="left")
        unknown = pl.col("wrong") == "missing_price"
        events = events.with_columns(value=pl.when(~unknown).then("value"))
        user, item = DIALECTS[export].user_ids(pl.col("user_id")), DIALECTS[export].item_ids(pl.col("item_id"))
        user = user.cast(pl.String).str.strip_suffix(".0")
        if export == "ga4":
            user = pl.when("logged_in").then(user).otherwise("device_id")
    sign = pl.col("event_type").replace_strict({"purchase": 1, "return": -1}, default=None)
    return (
        events.join(items, on="item_id", how="left", maintain_order="left")
        .select(
            user.alias("user"),
            item.alias("item"),
            "title",
            "category",
            "department",
            pl.col("timestamp").dt.truncate("1m" if export == "orders" else "1s").dt.epoch("s").alias("time"),
            pl.col("event_type").alias("type"),
            quantity=pl.col("quantity") * sign,
            value=pl.col("value") * sign,
            roles=pl.col("roles").str.split(","),
        )
        .sort("time", maintain_order=True)
    )


def pairs(workdir: Path, truth: pl.DataFrame, folder: Path, cuts: tuple[int, int], least: int) -> pl.DataFrame:
    """Every number of the written tables that is counted, and its truth (`true_events`): part, what, said, true, equal.

    `cuts`: when the run's validation and test parts begin, unix seconds; `least`: newly buying users that an audience
    needs. Parts whose table was not written are left out.
    """
    written = (
        ("demand", demand(workdir, truth)),
        ("segments", segments(workdir, truth)),
        ("audiences", audiences(workdir, truth)),
        ("audiences", observed(workdir, truth, cuts, least)),
        ("campaign_audiences", campaigns(workdir, truth, folder)),
    )
    rows = [pair for table, part in written if (workdir / f"{table}.parquet").exists() for pair in part]
    kinds = {"part": pl.String, "what": pl.String, "said": pl.Float64, "true": pl.Float64}
    near = (pl.col("said") - pl.col("true")).abs() <= EXACT * pl.max_horizontal(pl.col("true").abs(), 1)
    return pl.DataFrame(rows, kinds, orient="row", strict=False).with_columns(equal=near.fill_null(False))


def _now(truth: pl.DataFrame) -> int:
    """The second after the last event that is no return: returns trail the sales they are of."""
    return int(truth.filter(pl.col("type") != "return").select(pl.col("time").max()).item()) + 1


def demand(workdir: Path, truth: pl.DataFrame) -> Iterator[Pair]:
    """Mean of the last four whole weeks of each item, category and department: pieces sold less returned, of each item
    what came back beyond a week's sales off its later weeks. Of levels that were written.
    """
    weeks = (((_now(truth) - 1) // DAY + 1) * DAY - START) // WEEK
    sold = truth.drop_nulls("quantity").with_columns(week=(pl.col("time") - START) // WEEK)
    sold = sold.filter(pl.col("week").is_between(0, weeks - 1))
    net = sold.group_by("title", "category", "department", "week").agg(pl.col("quantity").sum()).sort("week")
    rows = []
    for item, part in net.group_by("title", "category", "department"):
        owed = 0.0
        for week, quantity in part.select("week", "quantity").iter_rows():
            left, owed = max(quantity + owed, 0.0), min(quantity + owed, 0.0)
            rows.append((*item, left if week >= weeks - 4 else 0.0))
    last = pl.DataFrame(rows, ["title", "category", "department", "quantity"], orient="row")
    table = pl.read_parquet(workdir / "demand.parquet").filter(pl.col("weeks_ahead") == 1)
    for level, column in (("item", "title"), ("interest", "category"), ("department", "department")):
        true = dict(last.group_by(column).agg(pl.col("quantity").sum() / 4).iter_rows())
        said = dict(table.filter(pl.col("level") == level).select("name", "recent").iter_rows())
        for name in sorted({*said, *true} if said else ()):
            yield Pair("demand", f"{level} {name}", said.get(name), true.get(name, 0.0))


def segments(workdir: Path, truth: pl.DataFrame) -> Iterator[Pair]:
    """Users of each segment, their sales value a week since they came, and share of all value (`net_value`)."""
    now = _now(truth)
    read = truth.filter(pl.col("roles").list.contains("input"))
    lately = min(LATELY, (now - read.select(pl.col("time").min()).item()) / 2)
    users = read.group_by("user").agg(since=pl.max_horizontal(now - pl.col("time").min(), lately) / WEEK)
    worth = net_value(truth.filter(pl.col("time") < now)).group_by("user").agg(pl.col("value").sum())
    users = users.join(worth, on="user", how="left").with_columns(weekly=pl.col("value").fill_null(0) / pl.col("since"))
    members = pl.read_parquet(workdir / "segments.parquet").with_columns(pl.col("user").cast(pl.String))
    joined = members.join(users, on="user", how="full", coalesce=True)
    whole = joined["value"].sum()
    true = joined.group_by("segment").agg(pl.len(), pl.col("weekly").mean(), share=pl.col("value").sum() / whole)
    said = pl.read_parquet(workdir / "segment_profiles.parquet").join(true, on="segment", how="full", coalesce=True)
    for row in said.iter_rows(named=True):
        for column, own in (("users", "len"), ("value_a_week", "weekly"), ("share_of_value", "share")):
            yield Pair("segments", f"{column} of {row['segment']}", row[column], row[own])


def net_value(truth: pl.DataFrame) -> pl.DataFrame:
    """What each user paid for each item less what was given back, at least 0: user, item, value.

    A sale without a price is worth nothing, a return without one what the item's pieces sold for on average.
    """
    sales = truth.drop_nulls("quantity")
    priced = (pl.col("quantity") > 0) & pl.col("value").is_not_null()
    piece = sales.filter(priced).group_by("item").agg(piece=pl.col("value").sum() / pl.col("quantity").sum())
    usual = pl.when(pl.col("quantity") < 0).then(pl.col("quantity") * pl.col("piece")).otherwise(0.0)
    sales = sales.join(piece, on="item", how="left").with_columns(pl.col("value").fill_null(usual))
    return sales.group_by("user", "item").agg(pl.col("value").sum().clip(0))


def audiences(workdir: Path, truth: pl.DataFrame) -> Iterator[Pair]:
    """Members of each audience who truly have not bought of it in 12 weeks, and those who never have."""
    now, bought = _now(truth), truth.filter(pl.col("type") == "purchase")
    members = pl.read_parquet(workdir / "audiences.parquet").with_columns(pl.col("user").cast(pl.String))
    for level, columns in (("interest", ["category"]), ("item", ["title", "item"])):  # an item goes by either
        last = pl.concat(bought.group_by("user", target=column).agg(pl.col("time").max()) for column in columns)
        joined = members.filter(pl.col("kind") == level).join(last, on=["user", "target"], how="left")
        for (target,), rows in joined.group_by("target", maintain_order=True):
            lapsed = (now - rows["time"]).fill_null(LAPSED + 1) > LAPSED
            yield Pair("audiences", f"lapsed users for {target}", rows.height, lapsed.sum())
            yield Pair("audiences", f"new users for {target}", rows["new"].sum(), rows["time"].null_count())


def observed(workdir: Path, truth: pl.DataFrame, cuts: tuple[int, int], least: int) -> Iterator[Pair]:
    """Users asked for and who of them bought from the cut on, over the categories (or items) that were measured."""
    written = json.loads((workdir / "insights.json").read_text())["audiences"]
    level = next(name for name in TARGETS if name in written)
    measured = written[level]
    bought = truth.filter(pl.col("type") == "purchase").select("user", "time", target=TARGETS[level])
    now = _now(truth)
    days = int(min(MOST, (cuts[1] - cuts[0]) / DAY, (now - cuts[1]) / DAY))

    def known(cut: int) -> pl.DataFrame:
        """Every user there is before a moment and every category: new, lapsed, and bought within the days after it."""
        before, after = pl.col("time") < cut, pl.col("time").is_between(cut, cut + days * DAY, closed="left")
        users = truth.filter(before & pl.col("roles").list.contains("input")).select(pl.col("user").unique())
        had = bought.group_by("user", "target").agg(last=pl.col("time").filter(before).max(), bought=after.any())
        whole = users.join(bought.select(pl.col("target").unique()), how="cross")
        return whole.join(had, on=["user", "target"], how="left").select(
            "target",
            pl.col("bought").fill_null(False),
            new=pl.col("last").is_null(),
            lapsed=(cut - pl.col("last")).fill_null(LAPSED + 1) > LAPSED,
        )

    newly = known(cuts[0]).filter("lapsed").group_by("target").agg(pl.col("bought").sum())
    table = known(cuts[1]).join(newly.filter(pl.col("bought") >= least), on="target", how="semi")
    for kind, rows in (("all users", table), ("arriving", table.filter("lapsed")), ("new", table.filter("new"))):
        if kind in measured:
            yield Pair("audiences", f"{kind}: asked for", measured[kind]["asked"], rows.height)
            yield Pair(
                "audiences", f"{kind}: bought within {days} days", measured[kind]["bought"], rows["bought"].sum()
            )


def campaigns(workdir: Path, truth: pl.DataFrame, folder: Path) -> Iterator[Pair]:
    """Recipients of each campaign who bought of its category in its time."""
    path = workdir / "campaign_audiences.parquet"
    told = pl.read_parquet(folder / "truth" / "campaigns.parquet")
    members = pl.read_parquet(path).filter(pl.col("outcome") == "buy").with_columns(pl.col("user").cast(pl.String))
    for row in told.iter_rows(named=True):
        mine = members.filter(pl.col("campaign") == str(row["campaign"]))
        during = pl.col("time").is_between(row["start"], row["stop"], closed="left") & (pl.col("type") == "purchase")
        buyers = truth.filter(during & (pl.col("category") == row["category"]))["user"].unique()
        true = mine["user"].is_in(buyers.implode())
        if mine.height:
            yield Pair("campaigns", f"buyers in campaign {row['campaign']}", mine["answered"].sum(), true.sum())
            yield Pair(
                "campaigns", f"agreeing in campaign {row['campaign']}", mine.height, (true == mine["answered"]).sum()
            )
