"""Attributions in sentences: which behaviour drove a forecast, and what it would be without it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from trajectory.explain.explain import AttributionBatch, Explainer, target_name, titles
from trajectory.explain.masking import EventSource, inputs_without
from trajectory.explain.targets import Target
from trajectory.schema import DEFAULT_EVENT_TYPE, Histories

VERBS = {
    "view": "Viewed",
    "click": "Clicked on",
    "cart": "Put into the cart",
    "favorite": "Marked as favorite",
    "purchase": "Bought",
    "subscribe": "Subscribed to",
    "rating": "Rated",
    DEFAULT_EVENT_TYPE: "Had",
}
MIN_NATS = 0.05  # of a sentence
MAX_FOR, MAX_AGAINST = 3, 1  # sentences a forecast
REMOVED = 2  # events that a counterfactual takes away


def sentences(events: pl.DataFrame, target: str, histories: Histories) -> list[tuple[str, bool]]:
    """Sentences on what one user's events add to the forecast of `target`, and whether they raise it, strongest first,
    from rows of `time`, `name` (what the event is about), `event_type` and `value` (nats). Line items of one basket
    count once.
    """
    has_time = histories.has_time
    occasions = pl.col("time").n_unique() if has_time and histories.baskets else pl.len()
    about = events.group_by("event_type", "name", maintain_order=True).agg(
        pl.col("value").sum(), occasions.alias("count"), pl.col("time").min().alias("since")
    )
    result = []
    for sign, most in ((1, MAX_FOR), (-1, MAX_AGAINST)):
        strongest = about.with_columns(pl.col("value") * sign).filter(pl.col("value") >= MIN_NATS)
        for row in strongest.sort("value", descending=True).head(most).iter_rows(named=True):
            times = "" if row["count"] == 1 else f" {row['count']} times"
            date = f" {_date(row['since'], row['count'])}" if has_time else ""
            verb = VERBS.get(row["event_type"], row["event_type"].capitalize() + ":")
            nats = f"{'+' if sign > 0 else '−'}{row['value']:.1f} nats"
            result.append((f"{verb} {row['name']}{times}{date}: {nats} towards {target}", sign > 0))
    return result


def counterfactuals(explainer: Explainer, histories: Histories, batch: AttributionBatch) -> list[dict[str, Any] | None]:
    """Counterfactual of each row: the forecast without the REMOVED events that add most to it, as if they had not
    happened.

    `events` (from 0 within the window), `probability_before`, `probability_after`, and of items and interests the names
    of the most likely ones, `top_before` and `top_after`. None where no event would be left. A migration's
    probabilities are of its destination.
    """
    mask = np.asarray(batch.inputs.mask)
    values = np.where(mask, batch.attribution.events, -np.inf)
    strongest = np.argsort(-values, axis=1, kind="stable")[:, :REMOVED]
    kept = mask.copy()
    np.put_along_axis(kept, strongest, False, axis=1)
    rows = np.flatnonzero(kept.any(axis=1))
    result: list[dict[str, Any] | None] = [None] * len(mask)
    if not len(rows):
        return result
    function = explainer.function
    source = EventSource(histories, explainer.predictor.feature_scale, batch.first)
    without = inputs_without(function, batch.inputs, rows, kept[rows], source)
    before, after = (np.exp(np.asarray(function.log_probabilities(inputs))) for inputs in (batch.inputs, without))
    conversion = explainer.target.kind == "conversion"
    index = np.zeros(len(mask), int) if conversion else batch.inputs.targets.index
    for place, row in enumerate(rows):
        counterfactual: dict[str, Any] = {
            "events": sorted(int(column) for column in strongest[row] if mask[row, column]),
            "probability_before": float(before[row, index[row]]),
            "probability_after": float(after[place, index[row]]),
        }
        if not conversion:
            for name, probabilities in (("top_before", before[row]), ("top_after", after[place])):
                top = 1 + int(probabilities[1:].argmax())
                counterfactual[name] = display_name(explainer.target, histories, top)
        result[row] = counterfactual
    return result


def display_name(target: Target, histories: Histories, index: int, source: int = 0) -> str:
    """The name of a target for people: of an item its title."""
    if target.kind != "item":
        return target_name(target, histories, index, source)
    return histories.items[index - 1].select(titles(histories.items)).item()


def _date(day: datetime, count: int) -> str:
    return f"on {day.day} {day:%B %Y}" if count == 1 else f"since {day:%B %Y}"
