"""What an attribution says in words: which behaviour drove a forecast, and what it would be without it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from trajectory.explain.explain import Explainer, Reasons, target_name, titles
from trajectory.explain.masking import without
from trajectory.explain.targets import Target
from trajectory.schema import DEFAULT_KIND, Histories

VERBS = {
    "view": "Viewed",
    "click": "Clicked on",
    "cart": "Put into the cart",
    "favorite": "Marked as favorite",
    "purchase": "Bought",
    "subscribe": "Subscribed to",
    "rating": "Rated",
    DEFAULT_KIND: "Had",
}
FEWEST_NATS = 0.05  # below it nothing is said
FOR, AGAINST = 3, 1  # sentences a forecast at most
GONE = 2  # events that a counterfactual takes away


def sentences(events: pl.DataFrame, target: str, histories: Histories) -> list[tuple[str, bool]]:
    """What one user's events did for the forecast of `target`, and whether they speak for it, strongest first, from
    rows of `time`, `name` (what the event is about), `kind` and `value` (nats). Lines of one basket are one time.
    """
    has_time = histories.has_time
    times_done = pl.col("time").n_unique() if has_time and histories.baskets else pl.len()
    about = events.group_by("kind", "name", maintain_order=True).agg(
        pl.col("value").sum(), times_done.alias("count"), pl.col("time").min().alias("since")
    )
    found = []
    for sign, most in ((1, FOR), (-1, AGAINST)):
        strongest = about.with_columns(pl.col("value") * sign).filter(pl.col("value") >= FEWEST_NATS)
        for row in strongest.sort("value", descending=True).head(most).iter_rows(named=True):
            times = "" if row["count"] == 1 else f" {row['count']} times"
            when = f" {_when(row['since'], row['count'])}" if has_time else ""
            said = f"{VERBS.get(row['kind'], row['kind'].capitalize() + ':')} {row['name']}{times}{when}"
            nats = f"{'+' if sign > 0 else '−'}{row['value']:.1f} nats"
            found.append((f"{said}: {nats} towards {target}", sign > 0))
    return found


def counterfactuals(explainer: Explainer, histories: Histories, reasons: Reasons) -> list[dict[str, Any] | None]:
    """Of each row what is foretold without the GONE events that did most for it, read anew as if they had not happened.

    events (from 0 within the window), probability before and after, and the likeliest before and after, by name. None
    where no event would be left. Of a migration the probabilities are of its destination.
    """
    there = np.asarray(reasons.inputs.there)
    worth = np.where(there, reasons.attribution.events, -np.inf)
    gone = np.argsort(-worth, axis=1, kind="stable")[:, :GONE]
    kept = there.copy()
    np.put_along_axis(kept, gone, False, axis=1)
    rows = np.flatnonzero(kept.any(axis=1))
    found: list[dict[str, Any] | None] = [None] * len(there)
    if not len(rows):
        return found
    function = explainer.function
    anew = without(function, reasons.inputs, rows, kept[rows], histories, explainer.predictor.scale, reasons.first)
    before, after = (np.exp(np.asarray(function.foretold(inputs))) for inputs in (reasons.inputs, anew))
    conversion = explainer.target.kind == "conversion"
    index = np.zeros(len(there), int) if conversion else reasons.inputs.asked.index
    for place, row in enumerate(rows):
        left = [column for column in gone[row] if there[row, column]]
        told: dict[str, Any] = {
            "events": sorted(int(column) for column in left),
            "before": float(before[row, index[row]]),
            "after": float(after[place, index[row]]),
        }
        if not conversion:
            likeliest = [1 + int(p[1:].argmax()) for p in (before[row], after[place])]
            names = [shown_name(explainer.target, histories, i) for i in likeliest]
            told |= dict(zip(("likeliest", "then"), names, strict=True))
        found[row] = told
    return found


def shown_name(target: Target, histories: Histories, index: int, source: int = 0) -> str:
    """The name of what is asked, for people: of an item its title."""
    if target.kind != "item":
        return target_name(target, histories, index, source)
    return histories.items[index - 1].select(titles(histories.items)).item()


def _when(time: int, count: int) -> str:
    day = datetime.fromtimestamp(int(time), UTC)
    return f"on {day.day} {day:%B %Y}" if count == 1 else f"since {day:%B %Y}"
