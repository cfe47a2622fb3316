"""The table of the funnel: every item and interest that was viewed, with its rates."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.stats import binom, false_discovery_control

from trajectory.insights.funnel.estimate import STEPS, Counts, count, interest_rates, item_rates, steps_of
from trajectory.insights.funnel.rates import Rates
from trajectory.insights.funnel.views import Views, views
from trajectory.schema import Histories

LEAST = 20  # sessions with a view that a unit needs to be called better or worse than others


def funnel_table(histories: Histories, of_items: Views) -> pl.DataFrame:
    """Items, then interests, each with a view; the most viewed first. Columns: `results.insights.Funnel`."""
    items = histories.items
    counts = count(of_items, len(items))
    steps = steps_of(of_items)
    rates = {step: item_rates(counts, histories.item_interest, step) for step in steps}
    item = pl.col("item").cast(pl.String)
    title = pl.coalesce("title", item) if "title" in items.columns else item
    named = items.select(level=pl.lit("item"), id=item, name=title, interest="interest")
    parts = [_rows(named, counts, rates)]
    if histories.interests:
        viewed = views(histories, histories.item_interest[histories.item])
        own = count(viewed, len(histories.interests))
        own_rates = {step: interest_rates(Counts(*(c[1:] for c in own)), step) for step in steps}
        own_rates = {step: Rates(*(np.append(0.0, column) for column in of)) for step, of in own_rates.items()}
        names = pl.DataFrame({"name": histories.interests}, schema={"name": pl.String})
        parts.append(
            _rows(names.select(level=pl.lit("interest"), id="name", name="name", interest="name"), own, own_rates)
        )
    return pl.concat(parts)


def _rows(named: pl.DataFrame, counts: Counts, rates: dict[str, Rates]) -> pl.DataFrame:
    """Rows of the units that were viewed; `named`: of all units, from 1."""
    table = named.with_columns(
        sessions=pl.Series(counts.view[1:]).cast(pl.Int64),
        carts=pl.Series(counts.cart[1:]).cast(pl.Int64) if "cart" in rates else pl.lit(None, pl.Int64),
        purchases=pl.Series(counts.purchase[1:]).cast(pl.Int64),
    )
    for step in STEPS:
        ends = ("", "_low", "_high")
        if step not in rates:
            table = table.with_columns(pl.lit(None, pl.Float64).alias(f"{step}{end}") for end in ends)
            continue
        known, tried = Rates(*(column[1:] for column in rates[step])), pl.Series(counts.of(step)[1][1:] > 0)
        for end, values in zip(ends, (known.mean, *known.interval()), strict=True):
            table = table.with_columns(pl.when(tried).then(pl.Series(values)).alias(f"{step}{end}"))
    table = table.filter(pl.col("sessions") > 0)
    return with_q_values(table).sort("sessions", "name", descending=[True, False], maintain_order=True)


def with_q_values(table: pl.DataFrame) -> pl.DataFrame:
    """With q_value, of a binomial test that a unit's purchases are as frequent as those of all units.

    Adjusted over the units with LEAST sessions or more (Benjamini & Hochberg 1995); null of the others.
    """
    hits, trials = table["purchases"].to_numpy(), table["sessions"].to_numpy()
    q_value, asked = np.full(len(table), np.nan), trials >= LEAST
    if asked.any():
        rate = hits.sum() / trials.sum()
        tails = binom.cdf(hits[asked], trials[asked], rate), binom.sf(hits[asked] - 1, trials[asked], rate)
        q_value[asked] = false_discovery_control(np.minimum(2 * np.minimum(*tails), 1))
    return table.with_columns(q_value=pl.Series(q_value).fill_nan(None))
