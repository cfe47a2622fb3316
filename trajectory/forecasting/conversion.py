"""Probabilities of a conversion after users' last events, and of which users there is nothing to state any more."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.times import DAY
from trajectory.inference.scorer import ModelScorer
from trajectory.schema import Queries


def conversions(scorer: ModelScorer, queries: Queries, config: ConfigDict) -> tuple[pl.DataFrame, list[str]]:
    """Columns user, probability of a conversion after the last event of each query, calibrated; and what must be said.

    Where `config` (the section `conversion`) asks for days, the probability is of as many from that event on. Of users
    whose days are over at the log's end nothing came in them, and the probability is null.
    """
    histories = scorer.predictor.histories
    probability = scorer.conversion(queries.start, queries.stop - 1, queries.stop)
    users = histories.users["user"].gather(queries.user).cast(pl.String)
    rows = pl.DataFrame({"user": users, "probability": probability.astype(float), "calibrated": False})
    if config.horizon_events or not histories.has_time or (histories.label >= 0).any():
        return rows, []
    over = histories.now - 1 - histories.time[queries.stop - 1] > config.horizon_days * DAY
    days = f"the {config.horizon_days:g} day{'s' * (config.horizon_days != 1)} from each user's last event on"
    said = f"a conversion's probability is of {days}, as it was then: it falls with every hour without an event"
    if over.any():
        said += f"; of {over.sum():,} of {len(over):,} users these days are over, so nothing is stated"
    return rows.with_columns(pl.when(~pl.Series(over)).then("probability").alias("probability")), [said]
