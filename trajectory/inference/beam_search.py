"""Beam search: the most likely paths of each user, of items or of interests.

A path of items is followed exactly. Many paths of items make one path of interests: it is followed by particles, item
paths of these interests drawn from the model (sequential Monte Carlo, Doucet et al. 2001), and the probability of its
next interest is the mean over them. Where steps are baskets, the probability of a path is that a line drawn at random
of each basket is of it; the other lines are drawn, so items too are followed by particles there. With particles the
time between steps is drawn, else it is the median. After each step the beams with the greatest probability are kept.
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
from trajectory.models.time_head import draw, quantile
from trajectory.schema import Events, Queries, UserError

SEED = 1  # added to the seed, so that particles do not draw what sampled paths do


class Beams(NamedTuple):
    """The most likely paths of n users, in order of probability."""

    path: Any  # int32 [n, beams, H], items (0 = no item is left) or interests (0 = without a name)
    log_probability: Any  # float32 [n, beams, H], of each step after those before it; -inf where there is no such path


def search(
    predictor: Predictor,
    queries: Queries,
    statistics: EventStatistics,
    *,
    steps: int,
    beams: int,
    particles: int,
    interests: bool,
    seed: int,
) -> Iterator[tuple[Queries, Beams]]:
    """The `beams` most likely paths of items, or of `interests`, of every query's user, some users at a time.

    A user's paths depend on its id, its history and the seed only. Raises UserError as `sampling.sample` does.
    """
    histories = predictor.histories
    room_for(predictor.model, statistics, steps)  # before any user is read
    if beams < 1 or particles < 1:
        raise UserError(f"beams={beams} and particles={particles}: expected at least 1 of each")
    if not interests and statistics.lines == 1:
        particles = 1
    copies = beams * particles
    statistics = statistics._replace(has_time=statistics.has_time and histories.has_time)
    rollout = Rollout(predictor.model, statistics, predictor.filter_seen)
    groups = len(histories.interests) + 1 if interests else 0
    for chunk, full in user_chunks(queries, copies, histories.num_items, "paths"):
        given = start(predictor, full, rollout, copies, steps, seed + SEED)
        followed = _beams(rollout, beams, groups, predictor.params, given)
        yield chunk, Beams(*(np.asarray(part)[: len(chunk.user)] for part in followed))


class _Now(NamedTuple):
    """Where all beams of all users stand; R = users x beams x particles."""

    carry: Carry
    unread: Events  # [R, lines], padding first
    visited: jax.Array  # bool [R, V + 1], items of the path
    clock: jax.Array  # int32 [R]
    total: jax.Array  # [users, beams], log-probability of the path so far
    path: jax.Array  # int32 [users, beams, H]
    log_p: jax.Array  # [users, beams, H], log-probability of each step


@partial(jax.jit, static_argnums=(0, 1, 2))
def _beams(rollout: Rollout, beams: int, groups: int, params, given: Start) -> Beams:
    """The best `beams` after each step, over `groups` of items (0: each item is a group of its own)."""
    model, statistics, filter_seen = rollout
    item_interest = given.item_interest
    users, copies, steps = given.size.shape
    particles, items = copies // beams, model.spec.data.num_items + 1
    rows = users * copies
    group_of = item_interest if groups else jnp.arange(items)
    banned = excluded_items(rollout, given, copies)
    user = jnp.arange(users)[:, None]

    def step(now: _Now, inputs):
        number, key, size = inputs
        carry, states = read_step(model, params, past, now.carry, now.unread)
        log_p = log_probabilities(model, params, states, banned | now.visited if filter_seen else banned)
        ended = ~(log_p > -jnp.inf).any(-1)  # nothing is left that may come: the path goes on with nothing
        log_p = log_p.at[:, 0].set(jnp.where(ended, 0.0, log_p[:, 0]))
        if groups:
            belongs = (group_of[:, None] == jnp.arange(groups)).astype(log_p.dtype)
            grouped = jnp.log(jnp.exp(log_p) @ belongs)
        else:
            grouped = log_p
        grouped = grouped.reshape(users, beams, particles, -1)
        mean = jax.nn.logsumexp(grouped, axis=2) - jnp.log(particles)
        reached = (now.total[..., None] + mean).reshape(users, -1)
        total, best = jax.lax.top_k(reached, beams)
        parent, group = best // mean.shape[2], best % mean.shape[2]
        reached_log_p = mean[user, parent, group]

        random = jax.lax.map(partial(noise, paths=copies, items=items + particles), key)
        gumbel = random.item.reshape(users, beams, particles, -1)
        weight = grouped[user[..., None], parent[..., None], jnp.arange(particles), group[..., None]]
        ancestor = (weight[:, :, None] + gumbel[..., items:]).argmax(-1)
        source = ((user * beams + parent)[..., None] * particles + ancestor).reshape(rows)
        wait = (
            jax.tree.map(lambda x: x[:, 0], apply(model, params, states, method="wait"))
            if model.spec.heads.time
            else None
        )
        carry, before, visited, clock, log_p, wait = jax.tree.map(
            lambda x: x[source], (carry, now.unread, now.visited, now.clock, log_p, wait)
        )
        member = group_of == jnp.repeat(group.reshape(-1), particles)[:, None]
        order = gumbel[..., :items].reshape(rows, items)
        first = jnp.where(member & (log_p > -jnp.inf), log_p + order, -jnp.inf).argmax(-1)
        # The line of the path, then others without replacement (Gumbel top-k, Kool et al. 2019).
        others = (log_p + order).at[jnp.arange(rows), first].set(jnp.inf)
        lines = jax.lax.top_k(others, statistics.lines)[1]
        possible = jnp.take_along_axis(log_p, lines, 1) > -jnp.inf
        lines = jnp.where((jnp.arange(statistics.lines) < size[:, None]) & possible, lines, 0)  # line 0 is none
        gap = jnp.full(rows, statistics.gap / DAY)
        if wait is not None:
            gap = quantile(wait, jnp.full(rows, 0.5))
            if particles > 1:
                gap = draw(wait, random.component.reshape(rows, -1), random.length.reshape(rows))
            gap = jnp.minimum(gap, LONGEST_WAIT)
        clock = second_of_week_after(clock, gap)
        newest = jax.tree.map(lambda x: x[:, -1:], before)
        return (
            _Now(
                carry,
                next_events(newest, lines[:, ::-1], item_interest, statistics, gap, clock),
                visited.at[jnp.arange(rows)[:, None], lines].set(True).at[:, 0].set(False),
                clock,
                total,
                now.path[user, parent].at[:, :, number].set(group),
                now.log_p[user, parent].at[:, :, number].set(reached_log_p),
            ),
            None,
        )

    past, carry, newest = read_past(rollout, params, given)
    first = _Now(
        carry,
        newest,
        jnp.zeros((rows, items), bool),
        jnp.repeat(given.clock, copies),
        jnp.where(jnp.arange(beams) == 0, 0.0, -jnp.inf) * jnp.ones((users, 1)),
        jnp.zeros((users, beams, steps), jnp.int32),
        jnp.zeros((users, beams, steps)),
    )
    last, _ = jax.lax.scan(step, first, (jnp.arange(steps), given.key, given.size.reshape(rows, steps).T))
    exists = jnp.isfinite(last.total)[..., None]
    return Beams(jnp.where(exists, last.path, 0), jnp.where(exists, last.log_p, -jnp.inf))
