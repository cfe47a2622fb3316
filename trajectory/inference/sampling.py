"""Sampled futures: many paths of H steps for each user, by feeding the model its own draws.

A step is one event, or a basket where the log has baskets: then as many lines as one of the user's own past baskets
(at most `Habits.lines`), drawn without replacement. The time between steps is drawn from the model's time head; without
one, steps are taken to come a typical gap apart. Events are of the log's most frequent kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.data.pipeline.event_statistics import Habits, own_sizes
from trajectory.data.times import DAY
from trajectory.inference.predictor import Predictor
from trajectory.inference.random_keys import keys, noise
from trajectory.inference.rollout import (
    LONGEST_GAP,
    begin,
    clocks,
    later,
    log_chances,
    next_events,
    read_step,
    right_aligned,
    room_for,
    user_chunks,
)
from trajectory.metrics.ranking import distinct_items
from trajectory.models.interest_model import Carry
from trajectory.models.time_head import draw
from trajectory.schema import Events, Queries, UserError


class Paths(NamedTuple):
    """Futures of n users: S paths of H steps each."""

    probability: Any  # float32 [n, H, V + 1], of each item at each step (share of a line, where steps are baskets)
    visited: Any  # float32 [n, H, V + 1], probability of the item within steps 1..h
    item: Any  # int32 [n, S, H], the step's item (its first line); 0 = nothing is left that may come
    log_probability: Any  # float32 [n, S, H], of each step's item after those before it; 0 where nothing is left
    days: Any  # float32 [n, S, H], from the newest event of the history to the step
    soon: Any  # float32 [n, V + 1], probability of the item within the days asked for, and all steps
    interest_visited: Any  # float32 [n, H, K + 1], probability of an item of the interest within steps 1..h
    interest_soon: Any  # float32 [n, K + 1], within the days asked for, and all steps


def sample(
    predictor: Predictor,
    queries: Queries,
    habit: Habits,
    *,
    steps: int,
    paths: int,
    seed: int,
    days: float = 0.0,
) -> Iterator[tuple[Queries, Paths]]:
    """Paths of every query's user from its history on, by ancestral sampling, some users at a time.

    A user's paths depend on its id, its history and the seed only. Where the predictor filters seen items, an item of
    the history or of the path itself cannot come (again). Raises UserError if the steps leave no room for a history in
    the model's capacity.
    """
    p, histories = predictor, predictor.histories
    room = room_for(p.model, habit, steps)
    if paths < 1:
        raise UserError(f"paths={paths}: expected at least 1")
    habit = habit._replace(has_time=habit.has_time and histories.has_time)
    for chunk, full in user_chunks(queries, paths, histories.num_items, "forecast"):
        count, users = len(chunk.user), len(full.user)
        found = _futures(
            p.model,
            habit,
            p.filter_seen,
            days,
            p.params,
            right_aligned(p.rows(full.start, full.stop, room)),
            distinct_items(histories, full.start, full.stop, least=64) if p.filter_seen else np.zeros((users, 1), int),
            own_sizes(histories, full, (paths, steps), habit.lines, seed),
            keys(histories, full, steps, seed),
            clocks(histories, full.stop),
            histories.item_interest[: histories.num_items + 1],
        )
        yield chunk, Paths(*(np.asarray(part)[:count] for part in found))


class _Now(NamedTuple):
    """Where all paths [R] stand: what they have read, and the step drawn last, which is still to be read."""

    carry: Carry
    unread: Events  # [R, lines], padding first
    visited: jax.Array  # bool [R, V + 1], items of the path
    soon: jax.Array  # bool [R, V + 1], those that came within the days asked for
    interests: jax.Array  # bool [R, K + 1], of these items
    interests_soon: jax.Array  # bool [R, K + 1]
    elapsed: jax.Array  # float32 [R], days since the history's newest event
    clock: jax.Array  # int32 [R], seconds since Monday 0:00


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _futures(
    model, habit: Habits, filter_seen: bool, days: float, params, events, seen, size, key, clock, item_interest
) -> Paths:
    users, paths, steps = size.shape
    rows, items, interests = users * paths, model.spec.data.num_items + 1, model.spec.data.num_interests + 1
    belongs = (item_interest[:, None] == jnp.arange(interests)).astype(jnp.float32)
    banned = jnp.zeros((users, items), bool).at[jnp.arange(users)[:, None], seen].set(filter_seen).at[:, 0].set(True)
    banned = jnp.repeat(banned, paths, axis=0)

    def step(now: _Now, inputs):
        key, size = inputs
        carry, states = read_step(model, params, past, now.carry, now.unread)
        log_p = log_chances(model, params, states, banned | now.visited if filter_seen else banned)
        drawn_by = jax.lax.map(partial(noise, paths=paths, items=items), key)
        drawn_by = jax.tree.map(lambda x: x.reshape(rows, *x.shape[2:]), drawn_by)
        if habit.lines == 1:
            drawn = (log_p + drawn_by.item).argmax(-1)[:, None]
        else:  # without replacement (Gumbel top-k, Kool et al. 2019)
            drawn = jax.lax.top_k(log_p + drawn_by.item, habit.lines)[1]
        chance = jnp.take_along_axis(log_p, drawn, 1)
        drawn = jnp.where((jnp.arange(habit.lines) < size[:, None]) & (chance > -jnp.inf), drawn, 0)
        probability = jnp.exp(log_p)
        gap = jnp.full(rows, habit.gap / DAY)
        if model.spec.heads.time:
            wait = jax.tree.map(lambda x: x[:, 0], model.apply(params, states, method="wait"))
            gap = jnp.minimum(draw(wait, drawn_by.component, drawn_by.length), LONGEST_GAP)
        elapsed, clock = now.elapsed + gap, later(now.clock, gap)
        row = jnp.arange(rows)[:, None]
        visited = now.visited.at[row, drawn].set(True).at[:, 0].set(False)
        in_time = (elapsed <= days)[:, None]
        soon = now.soon.at[row, drawn].max(in_time).at[:, 0].set(False)
        drawn_interest = jnp.where(drawn > 0, item_interest[drawn], interests)
        reached = now.interests.at[row, drawn_interest].set(True, mode="drop")
        reached_soon = now.interests_soon.at[row, drawn_interest].max(in_time, mode="drop")
        within, interest_within = visited, reached
        if habit.lines == 1:  # of a single draw the chance itself is known, which is less noisy than what was drawn
            within = jnp.where(now.visited, 1.0, probability)
            interest_within = jnp.where(now.interests, 1.0, probability @ belongs)
        unread = next_events(
            jax.tree.map(lambda x: x[:, -1:], now.unread), drawn[:, ::-1], item_interest, habit, gap, clock
        )
        first = jnp.where(drawn[:, 0] > 0, chance[:, 0], 0.0)
        means = (x.reshape(users, paths, -1).mean(1) for x in (probability, within, interest_within))
        now = _Now(carry, unread, visited, soon, reached, reached_soon, elapsed, clock)
        return now, (*means, drawn[:, 0], first, elapsed)

    past, carry, newest = begin(model, params, events, steps, habit, paths)
    nothing = jnp.zeros((rows, items), bool)
    no_interest = jnp.zeros((rows, interests), bool)
    now = _Now(carry, newest, nothing, nothing, no_interest, no_interest, jnp.zeros(rows), jnp.repeat(clock, paths))
    last, out = jax.lax.scan(step, now, (key, size.reshape(rows, steps).T))
    probability, visited, interest_visited, item, log_probability, elapsed = out
    return Paths(
        jnp.swapaxes(probability, 0, 1),
        jnp.swapaxes(visited, 0, 1),
        item.T.reshape(users, paths, steps),
        log_probability.T.reshape(users, paths, steps),
        elapsed.T.reshape(users, paths, steps),
        last.soon.reshape(users, paths, items).mean(1),
        jnp.swapaxes(interest_visited, 0, 1),
        last.interests_soon.reshape(users, paths, interests).mean(1),
    )
