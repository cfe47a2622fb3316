"""Conversion labels: does the user convert (purchase) within a horizon after an event?"""

from __future__ import annotations

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.times import DAY
from trajectory.schema import Histories, UserError


def labels(histories: Histories, end: np.ndarray, until: int | None, config: ConfigDict) -> np.ndarray:
    """Label int8 [E] of each event as seen by someone who knows only events before end[u] of each history u.

    1: an event of the type `config.event_type` follows within the horizon; 0: none does; -1: the horizon was not
    observed to its end - also where a conversion was seen already, for else late events would be labelled only if they
    convert.
    `until` (unix seconds) is when observation stopped; None = at each history's last known event.
    A log that states labels keeps them (they belong to the event's own row).
    Raises UserError if the event type does not occur or days are asked of a log without times.
    """
    events = np.arange(histories.num_events)
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))
    known = events < end[user]
    if (histories.label >= 0).any():
        return np.where(known, histories.label, -1).astype(np.int8)
    if config.event_type not in histories.event_types:
        unread = histories.outside.height and config.event_type in histories.outside["event_type"]
        why = "has no role input, so it is not read" if unread else "is no type of event of this log"
        raise UserError(
            f"conversion.event_type={config.event_type!r} {why}; types of event that can convert: "
            f"{', '.join(histories.event_types)}"
        )
    converts = (histories.event_type == histories.event_types.index(config.event_type) + 1) & known
    # Index of the next converting event of the same history after each event; `never` if there is none.
    never = np.iinfo(np.int64).max // 2
    following = np.minimum.accumulate(np.where(converts, events, never)[::-1])[::-1]
    following = np.append(following, never)[1:]
    following = np.where(following < end[user], following, never)
    if config.horizon_events > 0:
        within = following <= events + config.horizon_events
        observed = events + config.horizon_events < end[user]
    else:
        if not histories.has_time:
            raise UserError("conversion.horizon_days needs times and this log has none; set conversion.horizon_events")
        horizon = round(config.horizon_days * DAY)
        time = np.append(histories.time, never)
        within = time[np.minimum(following, len(events))] <= histories.time + horizon
        last = histories.time[np.maximum(end - 1, 0)][user] if until is None else until
        observed = histories.time + horizon <= last
    return np.where(known & observed, within, -1).astype(np.int8)
