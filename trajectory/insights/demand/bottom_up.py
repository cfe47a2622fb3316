"""Demand from below: what each user's forecast expects of the coming weeks, summed over all users."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.data.pipeline.splits import target_starts
from trajectory.data.store.sales import USUAL, pieces_sold
from trajectory.data.times import WEEK
from trajectory.inference.predictor import Predictor
from trajectory.insights.demand.weekly_counts import Weeks
from trajectory.models.apply import apply
from trajectory.models.interest_model import InterestModel
from trajectory.run import Run
from trajectory.schema import Events, Histories

HALF_LIFE = 8.0  # weeks in which what a user's past says of the pace halves
TOGETHER = 8  # origins that are read in one pass over a history
SPREAD = 0.75  # of a row: whose origins are further apart is read one by one, so that each has a past to go by
USERS = 64  # at once
LOOKS = 3  # steps that the heads look at; between them chances change little


class Pace(NamedTuple):
    """How fast each of N users goes on at one origin."""

    steps: np.ndarray  # float64 [N], steps a week
    pieces: np.ndarray  # float64 [N], pieces bought a week


def from_users(run: Run, weeks: Weeks, origins: list[int], horizons: int) -> np.ndarray:
    """Pieces of each catalogue item expected `horizons` weeks on, after each origin, float64 [O, horizons, V].

    Origin w knows weeks 0 .. w - 1. A user goes on buying at the pace of the past, decayed by `HALF_LIFE`; the share of
    each item is that of the step in the middle of the week, as the run's heads see it from the history up to the
    origin. They forecast events of any type: an item's share counts by how many pieces an event of it has sold.
    """
    h, predictor = run.experiment.histories, run.predictor()
    looks = np.unique(np.linspace(1, run.config.heads.horizon, LOOKS).round().astype(np.int32))
    known = [_known(h, weeks.begins(week)) for week in origins]
    pieces = np.zeros((len(origins), horizons, h.num_items))
    rates = np.stack([sale_rates(h, weeks.begins(week)) for week in origins])
    for first in range(0, len(origins), TOGETHER):
        part = slice(first, first + TOGETHER)
        stops = np.stack(known[part], axis=1)
        paces = [pace(h, stop, weeks.begins(week)) for stop, week in zip(known[part], origins[part], strict=True)]
        fits = stops[:, -1] - stops[:, 0] <= SPREAD * predictor.length
        for some, columns in [(fits, slice(None)), *((~fits, slice(i, i + 1)) for i in range(stops.shape[1]))]:
            user = np.flatnonzero(some & (stops[:, columns][:, -1] > h.offsets[:-1]))
            pieces[part][columns] += _all(
                predictor, user, stops[:, columns], paces[columns], rates[part][columns], looks, horizons
            )
    return pieces


def pace(histories: Histories, stop: np.ndarray, now: int) -> Pace:
    """The pace of each user at `now` (unix seconds), from the events up to stop [N]; 0 of users without any.

    Weeks of the past count by 2^(-age / HALF_LIFE), from the log's first event on.
    """
    h = histories
    user = np.repeat(np.arange(h.num_users), np.diff(h.offsets))
    age = np.maximum(now - h.time, 0) / WEEK
    weight = np.where(np.arange(h.num_events) < stop[user], 0.5 ** (age / HALF_LIFE), 0.0)
    starts = target_starts(h)
    length = (1 - 0.5 ** (age.max() / HALF_LIFE)) * HALF_LIFE / np.log(2)
    steps = np.bincount(user[starts], weight[starts], h.num_users)
    return Pace(steps / length, np.bincount(user, weight * np.maximum(pieces_sold(h), 0), h.num_users) / length)


def sale_rates(histories: Histories, now: int) -> np.ndarray:
    """Log of the pieces that a target event of each item sold before `now` (unix seconds), beside all's, [V + 1]."""
    known = (histories.time < now) & (histories.target_item > 0) & (histories.item <= histories.num_items)
    item, width = histories.item[known], histories.num_items + 1
    pieces = np.bincount(item, np.maximum(pieces_sold(histories)[known], 0), width)
    events = np.bincount(item, minlength=width)
    overall = max(pieces.sum() / max(events.sum(), 1), 1e-12)
    return np.log((pieces + USUAL * overall) / (events + USUAL) / overall)


def _known(histories: Histories, now: int) -> np.ndarray:
    """Where each history's first step at or after `now` begins, int64 [N]."""
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))
    late = np.maximum.accumulate(histories.time + user * (1 << 40)) >= now + user * (1 << 40)
    return histories.offsets[:-1] + np.bincount(user[~late], minlength=histories.num_users)


def _weights(pace: Pace, looks: np.ndarray, horizons: int) -> np.ndarray:
    """Pieces of each user in each coming week, by the look whose chances they follow, float64 [n, J, horizons].

    The middle of week h is step `pace * (h - 1/2) + 1/2`; between two looks it follows both.
    """
    middle = pace.steps[:, None] * (np.arange(horizons) + 0.5) + 0.5
    place = np.interp(middle, looks, np.arange(len(looks)))
    near = np.maximum(1 - np.abs(place[:, None] - np.arange(len(looks))[:, None]), 0)
    return near * pace.pieces[:, None, None]


def _all(
    predictor: Predictor,
    user: np.ndarray,
    stops: np.ndarray,
    paces: list[Pace],
    rates: np.ndarray,
    looks: np.ndarray,
    horizons: int,
) -> np.ndarray:
    """Pieces expected of these users [O, horizons, V], some users at a time."""
    h = predictor.histories
    total = np.zeros((len(paces), horizons, h.num_items))
    user = user[np.argsort(stops[user, -1] - h.offsets[user], kind="stable")]  # rows of like length
    for at in range(0, len(user), USERS):
        users = user[at : at + USERS]
        weight = np.stack([_weights(Pace(*(x[users] for x in p)), looks, horizons) for p in paces])
        total += _read(predictor, stops[users], h.offsets[users], looks, weight, rates)
    return total


def _read(
    predictor: Predictor, stops: np.ndarray, start: np.ndarray, looks: np.ndarray, weight: np.ndarray, rates: np.ndarray
) -> np.ndarray:
    """Weighted chances [O, horizons, V] of users whose histories are known up to stops [n, O] at each origin."""
    last = stops[:, -1]
    first = np.maximum(start, last - predictor.length)
    place = np.maximum(stops - first[:, None] - 1, 0)  # who has nothing before an origin has no pace at it either
    pad = USERS - len(start)  # one shape compiles once
    rows = np.pad(np.arange(len(start)), (0, pad), mode="edge")
    events = predictor.rows(start[rows], last[rows], predictor.length)
    weight = np.pad(weight, ((0, 0), (0, pad), (0, 0), (0, 0))).astype(np.float32)
    places, rates = place[rows].astype(np.int32), rates.astype(np.float32)
    return np.asarray(_sum(predictor.model, predictor.params, events, places, tuple(looks), weight, rates))


@partial(jax.jit, static_argnums=(0, 4))
def _sum(
    model: InterestModel,
    params: Any,
    events: Events,
    place: jax.Array,
    looks: tuple[int, ...],
    weight: jax.Array,
    rates: jax.Array,
) -> jax.Array:
    n, origins = place.shape
    places = jnp.repeat(place, len(looks), axis=1)
    horizon = jnp.tile(jnp.asarray(looks, jnp.int32), (n, origins))
    states = apply(model, params, events, places, horizon=horizon, method="encode")
    score = apply(model, params, states, method="score").at[..., 0].set(-jnp.inf)
    score += jnp.repeat(rates, len(looks), axis=0)
    chance = jax.nn.softmax(score, axis=-1)[..., 1:].reshape(n, origins, len(looks), -1)
    return jnp.einsum("nojv,onjh->ohv", chance, weight)
