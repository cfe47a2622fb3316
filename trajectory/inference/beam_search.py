"""The likeliest paths of each user, of items or of interests, by beam search.

A path of items is followed exactly. Many paths of items make one path of interests: it is followed by particles, item
paths of these interests drawn from the model (sequential Monte Carlo, Doucet et al. 2001), and the chance of its next
interest is the mean over them. Where steps are baskets, the chance of a path is that a line drawn at random of each
basket is of it; the other lines are drawn, so items too are followed by particles there. With particles the time
between steps is drawn, else it is the median. Kept are the beams with the greatest probability after each step.
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
from trajectory.models.time_head import draw, quantile
from trajectory.schema import Events, Queries, UserError

SEED = 1  # told from the seed of sampled paths


class Beams(NamedTuple):
    """The likeliest paths of n users, likeliest first."""

    path: Any  # int32 [n, beams, H], items (0 = nothing is left that may come) or interests (0 = without a name)
    log_probability: Any  # float32 [n, beams, H], of each step after those before it; -inf where there is no such path


def search(
    predictor: Predictor,
    queries: Queries,
    habit: Habits,
    *,
    steps: int,
    beams: int,
    particles: int,
    interests: bool,
    seed: int,
) -> Iterator[tuple[Queries, Beams]]:
    """The `beams` likeliest paths of items, or of `interests`, of every query's user, some users at a time.

    A user's paths depend on its id, its history and the seed only. Raises UserError as `paths.sample` does.
    """
    p, histories = predictor, predictor.histories
    room = room_for(p.model, habit, steps)
    if beams < 1 or particles < 1:
        raise UserError(f"beams={beams} and particles={particles}: expected at least 1 of each")
    if not interests and habit.lines == 1:
        particles = 1
    count = beams * particles
    habit = habit._replace(has_time=habit.has_time and histories.has_time)
    group = histories.item_interest[: histories.num_items + 1]
    for chunk, full in user_chunks(queries, count, histories.num_items, "paths"):
        n, users = len(chunk.user), len(full.user)
        found = _beams(
            p.model,
            habit,
            p.filter_seen,
            beams,
            len(histories.interests) + 1 if interests else 0,
            p.params,
            right_aligned(p.rows(full.start, full.stop, room)),
            distinct_items(histories, full.start, full.stop, least=64) if p.filter_seen else np.zeros((users, 1), int),
            own_sizes(histories, full, (count, steps), habit.lines, seed + SEED),
            keys(histories, full, steps, seed + SEED),
            clocks(histories, full.stop),
            group,
        )
        yield chunk, Beams(*(np.asarray(part)[:n] for part in found))


class _Now(NamedTuple):
    """Where all beams of all users stand; R = users x beams x particles."""

    carry: Carry
    unread: Events  # [R, lines], padding first
    visited: jax.Array  # bool [R, V + 1], items of the path
    clock: jax.Array  # int32 [R]
    total: jax.Array  # [users, beams], log-probability of the path so far
    path: jax.Array  # int32 [users, beams, H]
    chance: jax.Array  # [users, beams, H], log-probability of each step


@partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def _beams(
    model,
    habit: Habits,
    filter_seen: bool,
    beams: int,
    groups: int,  # 0 = each item is a group of its own
    params,
    events,
    seen,
    size,
    key,
    clock,
    item_interest,
) -> Beams:
    users, copies, steps = size.shape
    particles, items = copies // beams, model.spec.data.num_items + 1
    rows = users * copies
    group_of = item_interest if groups else jnp.arange(items)
    banned = jnp.zeros((users, items), bool).at[jnp.arange(users)[:, None], seen].set(filter_seen).at[:, 0].set(True)
    banned = jnp.repeat(banned, copies, axis=0)
    user = jnp.arange(users)[:, None]

    def step(now: _Now, inputs):
        number, key, size = inputs
        carry, states = read_step(model, params, past, now.carry, now.unread)
        log_p = log_chances(model, params, states, banned | now.visited if filter_seen else banned)
        ended = ~(log_p > -jnp.inf).any(-1)  # nothing is left that may come: the path goes on with nothing
        log_p = log_p.at[:, 0].set(jnp.where(ended, 0.0, log_p[:, 0]))
        if groups:
            belongs = (group_of[:, None] == jnp.arange(groups)).astype(log_p.dtype)
            each = jnp.log(jnp.exp(log_p) @ belongs)
        else:
            each = log_p
        each = each.reshape(users, beams, particles, -1)
        mean = jax.nn.logsumexp(each, axis=2) - jnp.log(particles)
        reached = (now.total[..., None] + mean).reshape(users, -1)
        total, best = jax.lax.top_k(reached, beams)
        parent, group = best // mean.shape[2], best % mean.shape[2]
        chance = mean[user, parent, group]

        drawn_by = jax.lax.map(partial(noise, paths=copies, items=items + particles), key)
        gumbel = drawn_by.item.reshape(users, beams, particles, -1)
        weight = each[user[..., None], parent[..., None], jnp.arange(particles), group[..., None]]
        ancestor = (weight[:, :, None] + gumbel[..., items:]).argmax(-1)
        source = ((user * beams + parent)[..., None] * particles + ancestor).reshape(rows)
        wait = (
            jax.tree.map(lambda x: x[:, 0], model.apply(params, states, method="wait"))
            if model.spec.heads.time
            else None
        )
        carry, before, visited, clock, log_p, wait = jax.tree.map(
            lambda x: x[source], (carry, now.unread, now.visited, now.clock, log_p, wait)
        )
        inside = group_of == jnp.repeat(group.reshape(-1), particles)[:, None]
        order = gumbel[..., :items].reshape(rows, items)
        first = jnp.where(inside & (log_p > -jnp.inf), log_p + order, -jnp.inf).argmax(-1)
        # The line of the path, then others without replacement (Gumbel top-k, Kool et al. 2019).
        others = (log_p + order).at[jnp.arange(rows), first].set(jnp.inf)
        lines = jax.lax.top_k(others, habit.lines)[1]
        possible = jnp.take_along_axis(log_p, lines, 1) > -jnp.inf
        lines = jnp.where((jnp.arange(habit.lines) < size[:, None]) & possible, lines, 0)  # line 0 is none
        gap = jnp.full(rows, habit.gap / DAY)
        if wait is not None:
            gap = quantile(wait, jnp.full(rows, 0.5))
            if particles > 1:
                gap = draw(wait, drawn_by.component.reshape(rows, -1), drawn_by.length.reshape(rows))
            gap = jnp.minimum(gap, LONGEST_GAP)
        clock = later(clock, gap)
        newest = jax.tree.map(lambda x: x[:, -1:], before)
        return (
            _Now(
                carry,
                next_events(newest, lines[:, ::-1], item_interest, habit, gap, clock),
                visited.at[jnp.arange(rows)[:, None], lines].set(True).at[:, 0].set(False),
                clock,
                total,
                now.path[user, parent].at[:, :, number].set(group),
                now.chance[user, parent].at[:, :, number].set(chance),
            ),
            None,
        )

    past, carry, newest = begin(model, params, events, steps, habit, copies)
    start = _Now(
        carry,
        newest,
        jnp.zeros((rows, items), bool),
        jnp.repeat(clock, copies),
        jnp.where(jnp.arange(beams) == 0, 0.0, -jnp.inf) * jnp.ones((users, 1)),
        jnp.zeros((users, beams, steps), jnp.int32),
        jnp.zeros((users, beams, steps)),
    )
    last, _ = jax.lax.scan(step, start, (jnp.arange(steps), key, size.reshape(rows, steps).T))
    exists = jnp.isfinite(last.total)[..., None]
    return Beams(jnp.where(exists, last.path, 0), jnp.where(exists, last.chance, -jnp.inf))
