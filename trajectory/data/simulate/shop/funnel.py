"""What happens in the sessions of a made-up shop: shown, viewed, put into the cart, removed, bought."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajectory.data.simulate.base import categorical
from trajectory.data.simulate.shop.catalogue import Catalogue
from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.simulate.shop.sessions import SECOND, Sessions

TYPES = ("search", "impression", "view", "cart", "remove_from_cart", "purchase", "return")
SEARCH, IMPRESSION, VIEW, CART, REMOVE, PURCHASE, RETURN = range(len(TYPES))
# Shortest and longest time of an event after the one before it in its session, microseconds; lines of an order are at
# one time, what is shown follows in milliseconds.
GAPS = SECOND / 1000 * np.array([(0, 1), (2, 30), (4e3, 40e3), (2e3, 20e3), (2e3, 30e3), (20e3, 90e3)])
BOT_GAP = (200_000, 900_000)  # microseconds


class Lines(NamedTuple):
    """Events in the order of sessions and of time. All [n]."""

    session: np.ndarray  # int64
    type: np.ndarray  # int8, index into TYPES
    item: np.ndarray  # int64, -1 of a search
    quantity: np.ndarray  # int64, 0 where nothing is meant to be bought
    time: np.ndarray  # int64, microseconds, unix


def browse(p: Shop, sessions: Sessions, goods: Catalogue, rng: np.random.Generator) -> Lines:
    """The events of sessions; one that buys an item for sure is shown, views and buys that alone."""
    sure = sessions.item >= 0
    count = np.where(sure, 1, 1 + rng.poisson(p.impressions - 1, sure.size))
    session = np.repeat(np.arange(sure.size), count)
    row = (sessions.category * p.weeks + sessions.week)[session]
    place = categorical(goods.share.reshape(-1, p.items_per_interest), row, rng)
    item = np.where(sure[session], sessions.item[session], sessions.category[session] * p.items_per_interest + place)
    once = np.sort(np.unique(session * p.items + item, return_index=True)[1])  # nothing is shown twice in a session
    session, item = session[once], item[once]
    certain = sure[session]
    view = certain | (rng.random(session.size) < p.viewing)
    cart = view & (certain | (rng.random(session.size) < p.carting))
    remove = cart & ~certain & (rng.random(session.size) < p.removing)
    buy = cart & ~remove & (certain | (rng.random(sure.size) < p.buying)[session])
    search = np.flatnonzero(~sure & (rng.random(sure.size) < p.searching))
    quantity = 1 + rng.poisson(p.quantity - 1, session.size)
    number, size = np.arange(session.size), session.size
    # Events of a session: the search, all that is shown, each view with what follows from it, the order.
    parts = [
        (np.full(search.size, SEARCH), search, np.full(search.size, -1), np.zeros(search.size, int), search * 0 - 1)
    ]
    for event_type, group, happens in (
        (IMPRESSION, 0, number >= 0),
        (VIEW, 1, view),
        (CART, 1, cart),
        (REMOVE, 1, remove),
        (PURCHASE, 2, buy),
    ):
        key = (group * size + number[happens]) * len(TYPES) + event_type
        pieces = quantity[happens] * (event_type >= CART)
        parts.append((np.full(key.size, event_type), session[happens], item[happens], pieces, key))
    code, session, item, quantity, key = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((key, session))
    session, code = session[order], code[order]
    return Lines(session, code, item[order], quantity[order], times(session, code, sessions.start, rng))


def times(session: np.ndarray, code: np.ndarray, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """When each event of sessions is: after the one before it, microseconds."""
    low, high = GAPS[code].T
    gap = (low + (high - low) * rng.random(code.size)).astype(np.int64)
    again = np.zeros(code.size, bool)
    again[1:] = (session[1:] == session[:-1]) & (code[1:] == PURCHASE) & (code[:-1] == PURCHASE)
    gap[again] = 0
    return start[session] + since_first(session, gap)


def since_first(session: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Sums of the gaps within each session, the first of it left out; sessions lie together."""
    total = np.cumsum(gap)
    first = np.searchsorted(session, session)
    return total - total[first]


def crawl(p: Shop, start: np.ndarray, rng: np.random.Generator) -> Lines:
    """The sessions of bots: views of any items, several a second."""
    session = np.repeat(np.arange(start.size), 1 + rng.poisson(p.bot_views - 1, start.size))
    gap = rng.integers(*BOT_GAP, session.size)
    return Lines(
        session,
        np.full(session.size, VIEW, np.int8),
        rng.integers(0, p.items, session.size),
        np.zeros(session.size, np.int64),
        start[session] + since_first(session, gap),
    )
