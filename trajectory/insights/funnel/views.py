"""Sessions with a view of an item or an interest, and whether a cart or a purchase of it followed in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from trajectory import hints
from trajectory.data.ingest.sales.event_types import selling_types
from trajectory.migrations.sessions import SESSION_TIMEOUT, session_starts
from trajectory.reports.words import viewing_types
from trajectory.schema import Histories, UserError


class Views(NamedTuple):
    """n pairs of a session and what was viewed in it, by session."""

    user: np.ndarray  # int64 [n], row of the user
    unit: np.ndarray  # int64 [n], item or interest, from 1
    time: np.ndarray  # int64 [n], of the first view, unix seconds
    cart: np.ndarray  # bool [n], it was put into the cart then or later in the session
    purchase: np.ndarray  # bool [n], likewise bought

    def of(self, chosen: np.ndarray) -> Views:
        """Some of the pairs, bool [n]."""
        return Views(*(column[chosen] for column in self))


def views(histories: Histories, unit: np.ndarray, session_timeout: float = SESSION_TIMEOUT) -> Views:
    """What was viewed in each session; `unit` int [E] of each event (0: left out).

    Raises UserError for a log without times, or that lacks views or purchases among the events that the model reads.
    """
    looks = viewing_types(histories)
    buys = selling_types({event_type: histories.roles[event_type] for event_type in histories.event_types})
    if not looks or not buys:
        missing = " and ".join([*["views"] * (not looks), *["purchases"] * (not buys)])
        raise UserError(
            f"a funnel needs views and purchases, and this log has no {missing} among the types of event that are read "
            f"({', '.join(histories.event_types)}); if a word of the log means one, say so with "
            + hints.setting("data.event_type_map", {"word": "view" if not looks else "purchase"})
            + " and train again"
        )
    if not histories.has_time:
        raise UserError("a funnel needs times, by which sessions are told apart, and this log has none")
    starts = session_starts(histories, session_timeout)
    names = pl.Series([None, *histories.event_types]).gather(histories.event_type)
    events = pl.DataFrame(
        {
            "session": np.repeat(np.arange(len(starts)), np.diff(starts, append=histories.num_events)),
            "user": np.repeat(np.arange(histories.num_users), np.diff(histories.offsets)),
            "unit": unit.astype(np.int64),
            "time": histories.time,
            "view": names.is_in(looks),
            "cart": names == "cart",
            "purchase": names.is_in(buys),
        }
    ).filter(pl.col("unit") > 0, pl.any_horizontal("view", "cart", "purchase"))
    first = pl.col("time").filter("view").min().over("session", "unit")
    found = (
        events.filter(pl.col("time") >= first)  # what is of the view's own time may come after it: dates have no order
        .group_by("session", "unit", maintain_order=True)
        .agg(
            pl.col("user", "time").first(),
            pl.col("cart", "purchase").any(),
        )
    )
    return Views(*(found[name].to_numpy() for name in Views._fields))


def bought(histories: Histories, session_timeout: float = SESSION_TIMEOUT) -> int:
    """How often a session bought an item, once each, whether it had viewed it or not."""
    buys = selling_types({event_type: histories.roles[event_type] for event_type in histories.event_types})
    at = np.flatnonzero(pl.Series([None, *histories.event_types]).gather(histories.event_type).is_in(buys))
    session = np.searchsorted(session_starts(histories, session_timeout), at, side="right")
    return pl.DataFrame({"session": session, "item": histories.item[at]}).n_unique()
