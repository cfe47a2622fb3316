"""Conversion labels: does a purchase follow an event, in days or events, in its session, or of what is in the cart?"""

from __future__ import annotations

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.pipeline.sessions import session_starts
from trajectory.data.times import DAY
from trajectory.hints import setting
from trajectory.schema import Histories, UserError

UNITS = ("user", "session", "cart")
CART = "cart"
NEVER = np.iinfo(np.int64).max // 2  # the index of an event that does not come
_NAMED = "data.columns.event_type names the column of types, and data.event_type_map what its words mean"


def labels(histories: Histories, end: np.ndarray, until: int | None, config: ConfigDict) -> np.ndarray:
    """Label int8 [E] of each event as seen by someone who knows only events before end[u] of each history u.

    1: an event of the type `config.event_type` follows; 0: none does; -1: it is not asked, or what decides was not
    observed to its end - also where a conversion was seen already, for else late events would be labelled only if they
    convert. By `config.unit`, user: it follows within the horizon; session: at a later moment of the same session;
    cart: asked at events of the type cart alone, it is of the same item and follows within the horizon.
    `until` (unix seconds) is when observation stopped; None = at each history's last known event.
    A log that states labels keeps them (they belong to the event's own row).
    Raises UserError if the log lacks the types or times that are asked for.
    """
    user = _users(histories)
    known = np.arange(histories.num_events) < end[user]
    if stated(histories):
        return np.where(known, histories.label, -1).astype(np.int8)
    check(histories, config)
    converts = (histories.event_type == histories.event_types.index(config.event_type) + 1) & known
    if config.unit == "session":
        within, observed = _in_session(histories, end, until, converts, config)
    elif config.unit == "cart":
        of_item = user * (len(histories.items) + 1) + histories.item
        within, observed = _in_horizon(histories, end, until, _following(converts, of_item), config)
    else:
        within, observed = _in_horizon(histories, end, until, _following(converts, user), config)
    return np.where(known & observed & asked(histories, config), within, -1).astype(np.int8)


def stated(histories: Histories) -> bool:
    """Whether the log itself states labels."""
    return bool((histories.label >= 0).any())


def asked(histories: Histories, config: ConfigDict) -> np.ndarray:
    """Which events are asked whether they convert, bool [E]: all, of carts those of the type cart."""
    if config.unit == "cart" and not stated(histories):
        return histories.event_type == histories.event_types.index(CART) + 1
    return np.ones(histories.num_events, bool)


def check(histories: Histories, config: ConfigDict) -> None:
    """Raises UserError if this log, which states no labels, lacks what `config` asks for."""
    _require(histories, config.event_type, f"conversion.event_type={config.event_type!r}")
    if config.unit == "cart":
        _require(histories, CART, f"conversion.unit=cart asks at events of the type {CART!r}, and it")
    if config.unit != "user" and (histories.event_type == histories.event_type[:1]).all():
        raise UserError(
            f"conversion.unit={config.unit} asks what precedes a {config.event_type}, and all events of this log are "
            f"of that type; {_NAMED}, or {setting('conversion.unit', 'user')} asks whether another one follows"
        )
    if not histories.has_time and config.unit == "session":
        raise UserError(
            "conversion.unit=session needs times and this log has none; name their column in data.columns.time, or "
            f"{setting('conversion.unit', 'user')} with conversion.horizon_events"
        )
    if not histories.has_time and not config.horizon_events:
        raise UserError("conversion.horizon_days needs times and this log has none; set conversion.horizon_events")


def _require(histories: Histories, event_type: str, what: str) -> None:
    """Raises UserError, which begins with `what`, unless an event is of this type."""
    occurring = [histories.event_types[i - 1] for i in np.unique(histories.event_type) if i > 0]
    if event_type in occurring:
        return
    if event_type in histories.event_types:
        why = "never occurs in this log"
    elif histories.outside.height and event_type in histories.outside["event_type"]:
        why = "has no role input in data.event_types, so it is not read; give it that role there"
    else:
        why = "is no type of event of this log"
    sole = f", which are all of one type: {_NAMED}" if len(occurring) == 1 else f"; else {_NAMED}"
    raise UserError(f"{what} {why}; types of its events: {', '.join(occurring)}{sole}")


def _users(histories: Histories) -> np.ndarray:
    return np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))


def _following(converts: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The first converting event after each event of the same group, int64 [E]; NEVER if there is none."""
    order, size = np.argsort(group, kind="stable"), len(group)
    place = np.where(converts[order], np.arange(size), size)
    after = np.append(np.minimum.accumulate(place[::-1])[::-1], size)[1:]
    same = np.append(group[order], -1)[after] == group[order]
    following = np.empty(size, np.int64)
    following[order] = np.where(same, np.append(order, NEVER)[after], NEVER)
    return following


def _in_horizon(
    histories: Histories, end: np.ndarray, until: int | None, following: np.ndarray, config: ConfigDict
) -> tuple[np.ndarray, np.ndarray]:
    """Whether `following` comes within the horizon of each event, and whether that was observed to its end."""
    events, user = np.arange(histories.num_events), _users(histories)
    if config.horizon_events > 0:
        return following <= events + config.horizon_events, events + config.horizon_events < end[user]
    horizon = round(config.horizon_days * DAY)
    time = np.append(histories.time, NEVER)
    last = histories.time[np.maximum(end - 1, 0)][user] if until is None else until
    within = time[np.minimum(following, len(events))] <= histories.time + horizon
    return within, histories.time + horizon <= last


def _in_session(
    histories: Histories, end: np.ndarray, until: int | None, converts: np.ndarray, config: ConfigDict
) -> tuple[np.ndarray, np.ndarray]:
    """Whether one follows each event at a later moment of its session, and whether the session was seen to be over.

    It is over when the next one began or the idle time that ends it has passed. Lines of one order are of one moment:
    else the first would be said to be followed by a purchase.
    """
    user, idle = _users(histories), config.session_minutes * 60
    starts = session_starts(histories, idle)
    session = np.repeat(np.arange(len(starts)), np.diff(starts, append=histories.num_events))
    moved = np.append((np.diff(histories.time) != 0) | (np.diff(session) != 0), True)
    moment_end = np.flatnonzero(moved)[np.append(0, np.cumsum(moved)[:-1])]
    within = _following(converts, session)[moment_end] < NEVER
    stop = np.append(starts, histories.num_events)[session + 1]
    last = histories.time[np.maximum(np.minimum(stop, end[user]) - 1, 0)]
    over = (last + idle <= until) if until is not None else np.zeros(len(user), bool)
    return within, (stop < end[user]) | over
