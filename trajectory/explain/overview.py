"""What drives forecasts over many users: which interests and event types, and how old behaviour may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

MAX_SHOWN = 12  # interests down and across
AGES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)  # events ago at which a class of age begins


def whole_events(rows: pl.DataFrame, by_interest: bool) -> pl.DataFrame:
    """Whole events of an `attribution_table`: `value` summed over inputs, `age` in events (1 = newest), and `name`,
    what the event is about: its item's interest, or its `title`, which is its id where it has none.
    """
    title = pl.coalesce("title", "item").fill_null("an unknown item")
    events = rows.group_by("user", "step", "event", maintain_order=True).agg(
        pl.col("time", "item", "title", "interest", "event_type", "target").first(),
        pl.col("value").cast(pl.Float64).sum(),
    )
    newest = pl.col("event").max().over("user", "step")
    return events.with_columns(
        name=pl.col("interest").fill_null("something else") if by_interest else title,
        age=newest - pl.col("event") + 1,
        title=title,
    )


def drivers(events: pl.DataFrame) -> dict[str, Any]:
    """Which behaviour drives which forecasts, from rows of user, step, `name` (what an event is about), target, value.

    nats [names][targets]: what all events about a name add to a forecast of a target, mean over the forecasts of that
    target; the names that move forecasts most and the targets that are most frequent.
    """
    forecasts = events.select("user", "step", "target").unique()
    count = dict(forecasts.group_by("target").len().iter_rows())
    targets = sorted(count, key=lambda name: (-count[name], name))[:MAX_SHOWN]
    sums = events.group_by("name", "target").agg(pl.col("value").sum())
    of_pair = {(name, target): value for name, target, value in sums.iter_rows()}
    weight = dict(sums.group_by("name").agg(pl.col("value").abs().sum()).iter_rows())
    names = sorted(weight, key=lambda name: (-weight[name], name))[:MAX_SHOWN]
    return {
        "names": names,
        "targets": targets,
        "forecasts": [count[target] for target in targets],
        "nats": [[of_pair.get((name, target), 0.0) / count[target] for target in targets] for name in names],
    }


def event_types(events: pl.DataFrame) -> list[dict[str, Any]]:
    """Of each event type: events, their mean nats, and their share of all that events add or take (absolute)."""
    total = events["value"].abs().sum()
    table = events.group_by("event_type").agg(
        pl.len().alias("events"),
        pl.col("value").mean().alias("mean"),
        (pl.col("value").abs().sum() / max(total, 1e-12)).alias("share"),
    )
    return table.sort("share", descending=True).to_dicts()


def features(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Of each input of events: its share of all that inputs add or take (absolute), and its mean nats an event."""
    total = rows["value"].abs().sum()
    table = rows.group_by("feature").agg(
        pl.col("value").mean().alias("mean"), (pl.col("value").abs().sum() / max(total, 1e-12)).alias("share")
    )
    return table.sort("share", descending=True).to_dicts()


def ages(events: pl.DataFrame) -> dict[str, Any]:
    """How much behaviour counts by its age: classes of `age` (1 = the newest event), and for each event type and for
    all the mean nats of an event in it, null where there is none.
    """
    age_class = np.searchsorted(np.array(AGES), events["age"].to_numpy(), side="right") - 1
    classed = events.with_columns(age_class=age_class)
    last = int(age_class.max(initial=0))
    labels = [f"{a}" if a + 1 == b else f"{a}–{b - 1}" for a, b in zip(AGES, (*AGES[1:], 0), strict=True)]
    labels[-1] = f"{AGES[-1]}+"

    def line(part: pl.DataFrame) -> list[float | None]:
        means = dict(part.group_by("age_class").agg(pl.col("value").mean()).iter_rows())
        return [means.get(i) for i in range(last + 1)]

    by_type = classed.sort("event_type").group_by("event_type", maintain_order=True)
    lines = {event_type: line(part) for (event_type,), part in by_type}
    lines |= {"all": line(classed)} if len(lines) > 1 else {}
    return {"labels": labels[: last + 1], "lines": lines}
