"""Ancestral sampling: many paths of H steps for each user, by feeding the model its own draws.

A step is one event, or a basket where the log has baskets: then as many lines as one of the user's own past baskets
(at most `EventStatistics.lines`), drawn without replacement. The time between steps is drawn from the model's time
head; without one, steps come the median inter-event time apart. Events are of the log's most frequent type.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.data.pipeline.event_statistics import EventStatistics
from trajectory.data.times import DAY
from trajectory.inference.predictor import Predictor
from trajectory.inference.random_keys import noise
from trajectory.inference.rollout import (
    LONGEST_WAIT,
    Rollout,
    Start,
    excluded_items,
    log_probabilities,
    next_events,
    read_past,
    read_step,
    room_for,
    second_of_week_after,
    start,
    user_chunks,
)
from trajectory.models.apply import apply
from trajectory.models.interest_model import Carry
from trajectory.models.time_head import draw
from trajectory.schema import Events, Queries, UserError


class Paths(NamedTuple):
    """Futures of n users: S paths of H steps each."""

    probability: Any  # float32 [n, H, V + 1], of each item at each step (share of a line, where steps are baskets)
    visited: Any  # float32 [n, H, V + 1], probability of the item within steps 1..h (see `_survival`)
    item: Any  # int32 [n, S, H], the step's item (its first line); 0 = nothing is left that may come
    log_probability: Any  # float32 [n, S, H], of each step's item after those before it; 0 where nothing is left
    days: Any  # float32 [n, S, H], from the newest event of the history to the step
    within_days: Any  # float32 [n, V + 1], probability of the item within the given days, and all steps
    interest_visited: Any  # float32 [n, H, K + 1], probability of an item of the interest within steps 1..h
    interest_within_days: Any  # float32 [n, K + 1], within the given days, and all steps


def sample(
    predictor: Predictor,
    queries: Queries,
    statistics: EventStatistics,
    *,
    steps: int,
    paths: int,
    seed: int,
    days: float = 0.0,
    silent: np.ndarray | None = None,
) -> Iterator[tuple[Queries, Paths]]:
    """Paths of every query's user from its history on, by ancestral sampling, some users at a time.

    Nothing came of each for `silent` days [n] since its newest event (default: it is now), so that the first step of
    its paths comes later.

    A user's paths depend on its id, its history and the seed only. Where the predictor filters seen items, an item of
    the history or of the path itself cannot come (again). Raises UserError if the steps leave no room for a history in
    the model's capacity.
    """
    histories = predictor.histories
    if paths < 1:
        raise UserError(f"paths={paths}: expected at least 1")
    room_for(predictor.model, statistics, steps)  # before any user is read
    statistics = statistics._replace(has_time=statistics.has_time and histories.has_time)
    rollout = Rollout(predictor.model, statistics, predictor.filter_seen)
    at = 0
    for chunk, full in user_chunks(queries, paths, histories.num_items, "forecast"):
        waited = np.zeros(len(full.user), np.float32)
        if silent is not None:
            waited[: len(chunk.user)] = silent[at : at + len(chunk.user)]
        at += len(chunk.user)
        given = start(predictor, full, rollout, paths, steps, seed)
        sampled = _futures(rollout, days, predictor.params, given, waited)
        yield chunk, Paths(*(np.asarray(part)[: len(chunk.user)] for part in sampled))


class _Now(NamedTuple):
    """Where all paths [R] stand: what they have read, and the step drawn last, which is still to be read."""

    carry: Carry
    unread: Events  # [R, lines], padding first
    visited: jax.Array  # bool [R, V + 1], items of the path
    within_days: jax.Array  # bool [R, V + 1], those that came within the given days
    interests: jax.Array  # bool [R, K + 1], of these items
    not_visited: jax.Array  # float32 [n, V + 1], probability that the item has not come
    not_reached: jax.Array  # float32 [n, K + 1], of the interests
    interests_within_days: jax.Array  # bool [R, K + 1]
    elapsed: jax.Array  # float32 [R], days since the history's newest event
    clock: jax.Array  # int32 [R], seconds since Monday 0:00


@partial(jax.jit, static_argnums=(0, 1))
def _futures(rollout: Rollout, days: float, params, given: Start, waited: np.ndarray) -> Paths:
    model, statistics, filter_seen = rollout
    item_interest = given.item_interest
    users, paths, steps = given.size.shape
    rows, items, interests = users * paths, model.spec.data.num_items + 1, model.spec.data.num_interests + 1
    belongs = (item_interest[:, None] == jnp.arange(interests)).astype(jnp.float32)
    banned = excluded_items(rollout, given, paths)

    def step(now: _Now, inputs):
        key, size, silent = inputs
        carry, states = read_step(model, params, past, now.carry, now.unread)
        log_p = log_probabilities(model, params, states, banned | now.visited if filter_seen else banned)
        random = jax.lax.map(partial(noise, paths=paths, items=items), key)
        random = jax.tree.map(lambda x: x.reshape(rows, *x.shape[2:]), random)
        if statistics.lines == 1:
            drawn = (log_p + random.item).argmax(-1)[:, None]
        else:  # without replacement (Gumbel top-k, Kool et al. 2019)
            drawn = jax.lax.top_k(log_p + random.item, statistics.lines)[1]
        own = jnp.take_along_axis(log_p, drawn, 1)
        drawn = jnp.where((jnp.arange(statistics.lines) < size[:, None]) & (own > -jnp.inf), drawn, 0)
        probability = jnp.exp(log_p)
        gap = jnp.full(rows, statistics.gap / DAY)
        if model.spec.heads.time:
            wait = jax.tree.map(lambda x: x[:, 0], apply(model, params, states, method="wait"))
            gap = jnp.minimum(draw(wait, random.component, random.length, silent), LONGEST_WAIT)
        elapsed, clock = now.elapsed + gap, second_of_week_after(now.clock, gap)
        row = jnp.arange(rows)[:, None]
        visited = now.visited.at[row, drawn].set(True).at[:, 0].set(False)
        in_time = (elapsed <= days)[:, None]
        within_days = now.within_days.at[row, drawn].max(in_time).at[:, 0].set(False)
        drawn_interest = jnp.where(drawn > 0, item_interest[drawn], interests)
        reached = now.interests.at[row, drawn_interest].set(True, mode="drop")
        reached_within_days = now.interests_within_days.at[row, drawn_interest].max(in_time, mode="drop")
        if statistics.lines == 1:  # a single draw's own probability is less noisy than what was drawn
            comes, interest_comes = probability, probability @ belongs
        else:
            comes = _in_basket(log_p, random.item, size, statistics.lines)
            interest_comes = _interest_in_basket(log_p, random.item, size, statistics.lines, item_interest, belongs)
        not_visited = now.not_visited * _survival(comes, now.visited, users)
        not_reached = now.not_reached * _survival(interest_comes, now.interests, users)
        unread = next_events(
            jax.tree.map(lambda x: x[:, -1:], now.unread), drawn[:, ::-1], item_interest, statistics, gap, clock
        )
        first = jnp.where(drawn[:, 0] > 0, own[:, 0], 0.0)
        mean = probability.reshape(users, paths, -1).mean(1)
        now = _Now(
            carry, unread, visited, within_days, reached, not_visited, not_reached, reached_within_days, elapsed, clock
        )
        return now, (mean, 1 - not_visited, 1 - not_reached, drawn[:, 0], first, elapsed)

    past, carry, newest = read_past(rollout, params, given)
    nothing, no_interest = jnp.zeros((rows, items), bool), jnp.zeros((rows, interests), bool)
    clock = jnp.repeat(given.clock, paths)
    survival = jnp.ones((users, items)), jnp.ones((users, interests))
    now = _Now(carry, newest, nothing, nothing, no_interest, *survival, no_interest, jnp.zeros(rows), clock)
    silent = jnp.zeros((steps, rows)).at[0].set(jnp.repeat(waited, paths))  # the steps after the first begin at once
    last, out = jax.lax.scan(step, now, (given.key, given.size.reshape(rows, steps).T, silent))
    probability, visited, interest_visited, item, log_probability, elapsed = out
    return Paths(
        jnp.swapaxes(probability, 0, 1),
        jnp.swapaxes(visited, 0, 1),
        item.T.reshape(users, paths, steps),
        log_probability.T.reshape(users, paths, steps),
        elapsed.T.reshape(users, paths, steps),
        last.within_days.reshape(users, paths, items).mean(1),
        jnp.swapaxes(interest_visited, 0, 1),
        last.interests_within_days.reshape(users, paths, interests).mean(1),
    )


def _survival(comes: jax.Array, before: jax.Array, users: int) -> jax.Array:
    """Probability [n, C] that what has not come `before` (bool [R, C]) does not come at this step either.

    `comes` [R, C] are its probabilities on each path. The mean is over the paths on which it has not come, so that
    the product over the steps is of all (Kaplan & Meier 1958), and what one of few paths happens to draw counts for no
    more than its probability.
    """
    left = ~before.reshape(users, -1, before.shape[1])
    comes = jnp.where(left, comes.reshape(left.shape), 0.0)
    return 1 - comes.sum(1) / jnp.maximum(left.sum(1), 1)


def _in_basket(log_p: jax.Array, gumbel: jax.Array, size: jax.Array, lines: int) -> jax.Array:
    """Probability [R, V + 1] that a basket of `size` [R] lines, drawn without replacement, has the item, given the
    `gumbel` noise that the others were drawn with: its own need not be drawn (Kool et al. 2019).
    """
    keys = log_p + gumbel
    best = jax.lax.top_k(keys, min(lines + 1, keys.shape[1]))[0]
    best = jnp.pad(best, ((0, 0), (1, lines + 1 - best.shape[1])), constant_values=-jnp.inf)
    inside, outside = (jnp.take_along_axis(best, size[:, None] + more, 1) for more in (1, 0))
    # The others' last key in the basket: of an item that is in it, the next one's.
    threshold = jnp.where(keys >= outside, inside, outside)
    probability = -jnp.expm1(-jnp.exp(log_p - threshold))
    return jnp.where((size[:, None] > 0) & (log_p > -jnp.inf), probability, 0.0)


def _interest_in_basket(
    log_p: jax.Array, gumbel: jax.Array, size: jax.Array, lines: int, item_interest: Any, belongs: jax.Array
) -> jax.Array:
    """Probability [R, K + 1] that such a basket has an item of the interest, given the noise of all other items.

    The largest key of an interest's items is as one item's of their probabilities together.
    """
    keys = log_p + gumbel
    best, item = jax.lax.top_k(keys, min(2 * lines, keys.shape[1]))
    interest = item_interest[item]
    others = jnp.cumsum(
        interest[:, :, None] != interest[:, None, :], axis=2
    )  # among the best so far, of each's interest
    enough = others >= size[:, None, None]
    last = jnp.where(enough.any(2), enough.argmax(2), best.shape[1] - 1)  # beyond the best the key is lower: a bound
    row = jnp.arange(len(keys))[:, None]
    usual = jnp.take_along_axis(best, jnp.maximum(size[:, None] - 1, 0), 1)  # of interests that are not among the best
    threshold = jnp.broadcast_to(usual, (len(keys), belongs.shape[1])).at[row, interest].set(best[row, last])
    log_share = jnp.log(jnp.exp(log_p) @ belongs)
    probability = -jnp.expm1(-jnp.exp(log_share - threshold))
    return jnp.where((size[:, None] > 0) & (log_share > -jnp.inf), probability, 0.0)
