"""Logs whose items follow a known first-order Markov chain, and the exact truth of such a chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from trajectory.data.simulate.base import START, SyntheticLog, categorical, interactions, require
from trajectory.data.times import WEEK
from trajectory.schema import STANDARD_EVENT_TYPES


@dataclass(frozen=True)
class MarkovLog(SyntheticLog):
    """A log whose items follow a known first-order chain: `states` [users, length] are items from 0."""

    transition: np.ndarray = field(kw_only=True)  # [items, items], rows sum to 1
    states: np.ndarray = field(kw_only=True)


def generate_markov(
    transition: Sequence[Sequence[float]] | np.ndarray,
    users: int,
    length: int,
    seed: int = 0,
    start: int = START,
    event_types: Sequence[str] = STANDARD_EVENT_TYPES,
    event_type_shares: Sequence[float] = (0.6, 0.2, 0.1, 0.03, 0.07),
) -> MarkovLog:
    """A log of `users` histories of `length` events: a uniform first item, then `transition` [items, items].

    Histories begin within four weeks of `start` (unix s); gaps are 1 to 60 minutes; types of event are drawn
    independently of the items; each event is a basket of its own.
    Raises UserError if `transition` is no transition matrix.
    """
    chain = _chain(transition)
    require(users >= 1 and length >= 1, f"users={users}, length={length}: expected at least 1")
    rng, items = np.random.default_rng(seed), len(chain)
    states = np.empty((users, length), np.int64)
    states[:, 0] = (rng.random(users) * items).astype(np.int64)
    for i in range(1, length):
        states[:, i] = categorical(chain, states[:, i - 1], rng)
    minutes = 1 + (rng.random((users, length)) * 60).astype(np.int64)
    minutes[:, 0] = (rng.random(users) * 4 * WEEK / 60).astype(np.int64)
    times = start + 60 * minutes.cumsum(axis=1).ravel()
    event_type = categorical(np.asarray([event_type_shares], float), np.zeros(states.size, np.int64), rng)
    user, position = np.repeat(np.arange(users), length), np.tile(np.arange(length), users)
    names = [f"item_{i + 1:02d}" for i in range(items)]
    item_id = np.arange(1, items + 1)
    return MarkovLog(
        events=interactions(user, states.ravel(), position, times, np.arange(states.size), event_types, event_type),
        items=pl.DataFrame({"item_id": item_id, "title": names, "category": names}),
        truth={"transition": pl.DataFrame({"item": item_id, **dict(zip(names, chain.T, strict=True))})},
        parameters={"users": users, "length": length, "seed": seed, "start": start, "transition": chain.tolist()},
        transition=chain,
        states=states,
    )


def chain_distribution(transition: Sequence[Sequence[float]] | np.ndarray, item: int, steps: int) -> np.ndarray:
    """Exact distribution over items after 1, 2, ... steps from `item`, [steps, items]."""
    chain = _chain(transition)
    rows = [chain[item]]
    for _ in range(steps - 1):
        rows.append(rows[-1] @ chain)
    return np.stack(rows)


def chain_visited(transition: Sequence[Sequence[float]] | np.ndarray, item: int, steps: int) -> np.ndarray:
    """Exact probability that each item is visited within 1, 2, ... steps after `item`, [steps, items].

    Each item in turn is made absorbing: visited[k] = P + P visited[k - 1], without paths that were there already.
    The start itself is no visit; coming back to it is.
    """
    chain = _chain(transition)
    visited, rows = chain, [chain[item]]
    for _ in range(steps - 1):
        visited = chain + chain @ visited - chain * np.diag(visited)
        rows.append(visited[item])
    return np.stack(rows)


def chain_path(
    transition: Sequence[Sequence[float]] | np.ndarray, item: int, steps: int
) -> tuple[tuple[int, ...], float]:
    """The most likely path of `steps` items after `item`, and its probability (Viterbi; the lower item wins a tie)."""
    chain = _chain(transition)
    best, previous = chain[item], []
    for _ in range(steps - 1):
        step = best[:, None] * chain
        previous.append(step.argmax(axis=0))
        best = step.max(axis=0)
    path = [int(best.argmax())]
    for pointers in reversed(previous):
        path.append(int(pointers[path[-1]]))
    return tuple(reversed(path)), float(best.max())


def _chain(transition: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    chain = np.asarray(transition, np.float64)
    require(
        chain.ndim == 2 and chain.shape[0] == chain.shape[1] and bool((chain >= 0).all()),
        f"transition has shape {chain.shape}: expected a square matrix of probabilities",
    )
    require(np.allclose(chain.sum(axis=1), 1), f"transition rows sum to {chain.sum(axis=1).round(3)}: expected 1")
    return chain
