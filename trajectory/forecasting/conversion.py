"""Probabilities of a conversion after users' last events, and of which users there is nothing to state."""

from __future__ import annotations

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.calibration.binary import BinaryCalibration
from trajectory.data.pipeline.conversion_labels import CART, stated
from trajectory.data.times import DAY
from trajectory.inference.scorer import ModelScorer
from trajectory.schema import Queries


def conversions(
    scorer: ModelScorer, queries: Queries, config: ConfigDict, calibration: BinaryCalibration | None = None
) -> tuple[pl.DataFrame, list[str]]:
    """Columns user, probability of a conversion after the last event of each query, calibrated; and what must be said.

    `config` is the section `conversion`. The probability is null where it has been decided or was never asked: of users
    whose days or session are over at the log's end, and, of carts, of those whose last event is another.
    """
    histories, last = scorer.predictor.histories, queries.stop - 1
    probability = scorer.conversion(queries.start, last, queries.stop).astype(float)
    if calibration is not None:
        probability = calibration.apply(probability)
    users = histories.users["user"].gather(queries.user).cast(pl.String)
    said = []
    idle = histories.now - 1 - histories.time[last]
    nothing = np.zeros(len(last), bool)
    if not stated(histories):
        if config.unit == "cart":
            nothing |= histories.event_type[last] != histories.event_types.index(CART) + 1
            if nothing.any():
                said.append(
                    f"the last event of {nothing.sum():,} of {len(last):,} users is no cart event: of them no "
                    "conversion is stated"
                )
        if config.unit == "session":
            over = idle >= config.session_minutes * 60
            nothing |= over
            said.append("a conversion's probability is of the rest of the session of each user's last event")
            if over.any():
                said[-1] += f"; of {over.sum():,} of {len(last):,} users it is over, so nothing is stated"
        elif histories.has_time and not config.horizon_events:
            over = idle > config.horizon_days * DAY
            nothing |= over
            days = f"the {config.horizon_days:g} day{'s' * (config.horizon_days != 1)} from each user's last event on"
            said.append(
                f"a conversion's probability is of {days}, as it was then: it falls with every hour without an event"
            )
            if over.any():
                said[-1] += f"; of {over.sum():,} of {len(last):,} users these days are over, so nothing is stated"
    rows = pl.DataFrame({"user": users, "probability": probability, "calibrated": calibration is not None})
    return rows.with_columns(pl.when(~pl.Series(nothing)).then("probability").alias("probability")), said
