"""What each type of event adds to a forecast: how much views, carts and earlier purchases speak for it or against."""

from __future__ import annotations

import polars as pl

from trajectory.schema import DEFAULT_EVENT_TYPE, Histories

NOUNS = {
    "view": ("view", "views"),
    "click": ("click", "clicks"),
    "cart": ("cart", "carts"),
    "favorite": ("favorite", "favorites"),
    "purchase": ("purchase", "purchases"),
    "subscribe": ("subscription", "subscriptions"),
    "rating": ("rating", "ratings"),
    DEFAULT_EVENT_TYPE: ("event", "events"),
}
MIN_NATS = 0.05  # of what a sentence names
NAMED = 2  # things that speak for a forecast
WORTH = 0.2  # of what the first adds, that a second adds to be named; of all that is added, what speaks against takes


def by_type(rows: pl.DataFrame) -> pl.DataFrame:
    """A row for each forecast and type of event of an `attribution_table`: see `Explanation.TABLES`."""
    forecast = ["user", "target", "step"]
    events = rows.group_by(*forecast, "event", maintain_order=True).agg(
        pl.col("time", "item", "title", "event_type").first(), pl.col("value").cast(pl.Float64).sum()
    )
    strongest = pl.col("value").abs().arg_max()
    types = events.group_by(*forecast, "event_type", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("events"),
        pl.col("value").sum(),
        pl.col("value").abs().sum().alias("share"),
        *(pl.col(name).get(strongest).alias(f"strongest_{name}") for name in ("item", "title", "time", "value")),
    )
    size = pl.col("share").sum().over(forecast)
    types = types.with_columns(pl.when(size > 0).then(pl.col("share") / size).otherwise(0.0))
    return types.sort("user", "step", "share", descending=[False, False, True], maintain_order=True)


def sentence(events: pl.DataFrame, histories: Histories) -> str:
    """Which events of which types speak for one forecast and which against, from rows of `time`, `title` (the item's),
    `event_type` and `value` (nats); "" where none does much, or the log has one type alone.

    Days ago are counted from the newest event. Line items of one basket count once.
    """
    if len(histories.event_types) < 2:
        return ""
    occasions = pl.col("time").n_unique() if histories.has_time and histories.baskets else pl.len()
    things = events.group_by("event_type", "title", maintain_order=True).agg(
        pl.col("value").sum(), occasions.alias("count"), pl.col("time").max()
    )
    things = things.sort("value", descending=True, maintain_order=True)
    named = things.head(NAMED).filter(pl.col("value") >= MIN_NATS, pl.col("value") >= WORTH * pl.col("value").max())
    gain = float(things.filter(pl.col("value") > 0)["value"].sum())
    rest = things[named.height :].group_by("event_type").agg(pl.col("value").sum())
    against = [
        "other " * (name in named["event_type"]) + _noun(name, 2)
        for name in rest.filter(pl.col("value") <= -max(MIN_NATS, WORTH * gain)).sort("value")["event_type"]
    ]
    if named.is_empty():
        return f"Nothing speaks for it much; {' and '.join(against)} speak against it" if against else ""
    newest = events["time"].max() if histories.has_time else None
    supports = []
    for event_type, title, _, count, time in named.iter_rows():
        noun, one = _noun(event_type, count), "an" if event_type[:1] in "aeiou" else "a"
        days = f"{'' if count == 1 else 'the last one '}{_ago((newest - time).days)}" if newest else ""
        supports.append(f"{one if count == 1 else count} {noun} of {title}{f' ({days})' if days else ''}")
    most = "Mostly" if named["value"].sum() >= gain / 2 else "Above all"
    speak = "speaks" if len(supports) == 1 and named["count"][0] == 1 else "speak"
    said = f"{most} {' and '.join(supports)} {speak} for it"
    return f"{said}; {' and '.join(against)} against" if against else said


def _noun(event_type: str, count: int) -> str:
    word = event_type.replace("_", " ")
    return NOUNS.get(event_type, (f"{word} event", f"{word} events"))[count > 1]


def _ago(days: int) -> str:
    return f"{days} days ago" if days > 1 else "a day ago" if days else "less than a day ago"
