"""Sampled futures: many paths of H steps for each user, by feeding the model its own draws.

A step is one event, or a basket where the log has baskets: then as many lines as one of the user's own past baskets
(at most `Habits.lines`), drawn without replacement. Times are not forecast here: steps of the future are taken to come
a typical gap apart, with events of the log's most frequent kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from trajectory.data.rows import DAY, FeatureScale, last_rows, row_length
from trajectory.evaluation.ranking import distinct_items
from trajectory.forecasting.habits import Habits, own_sizes, user_numbers
from trajectory.models.heads import States
from trajectory.models.interest_model import Carry, InterestModel
from trajectory.schema import Events, Histories, Queries, UserError

ROWS_AT_ONCE = 2048  # paths advanced together
SCORES_AT_ONCE = 1 << 24  # scores that exist together: fewer rows for large catalogues


class Paths(NamedTuple):
    """Futures of n users: S paths of H steps each."""

    probability: Any  # float32 [n, H, V + 1], of each item at each step (share of a line, where steps are baskets)
    visited: Any  # float32 [n, H, V + 1], probability of the item within steps 1..h
    item: Any  # int32 [n, S, H], the step's item (its first line); 0 = nothing is left that may come
    log_probability: Any  # float32 [n, S, H], of each step's item after those before it; 0 where nothing is left


def sample(
    model: InterestModel,
    params: Any,
    histories: Histories,
    scale: FeatureScale,
    queries: Queries,
    habit: Habits,
    *,
    steps: int,
    paths: int,
    seed: int,
    filter_seen: bool,
) -> Iterator[tuple[Queries, Paths]]:
    """Paths of every query's user from its history on, by ancestral sampling, some users at a time.

    A user's paths depend on its id, its history and the seed only. `filter_seen`: an item of the history or of the
    path itself cannot come (again). Raises UserError if the steps leave no room for a history in the model's capacity.
    """
    room = model.spec.capacity - (steps - 1) * habit.lines  # the last step is drawn, never read
    if steps < 1 or paths < 1 or room < 1:
        raise UserError(
            f"steps={steps} and paths={paths}: expected at least 1 of each, and at most "
            f"{(model.spec.capacity - 1) // habit.lines + 1} steps, for the model reads {model.spec.capacity} events "
            f"and a step of this log has up to {habit.lines}"
        )
    rows = min(ROWS_AT_ONCE, SCORES_AT_ONCE // (histories.num_items + 1))
    users = max(1, min(rows // paths, len(queries.user)))
    habit = habit._replace(has_time=habit.has_time and histories.has_time)
    for chunk in tqdm(
        queries.chunks(users), "forecast", -(-len(queries.user) // users), delay=2, leave=False, disable=None
    ):
        count = len(chunk.user)
        full = Queries(*(np.pad(column, (0, users - count), mode="edge") for column in chunk))  # one shape
        longest = int((full.stop - full.start).max())
        found = _futures(
            model,
            habit,
            filter_seen,
            params,
            _right_aligned(last_rows(histories, scale, full.start, full.stop, row_length(longest, room))),
            distinct_items(histories, full.start, full.stop, least=64) if filter_seen else np.zeros((users, 1), int),
            own_sizes(histories, full, (paths, steps), habit.lines, seed),
            _keys(histories, full, steps, seed),
            histories.item_interest[: histories.num_items + 1],
        )
        yield chunk, Paths(*(np.asarray(part)[:count] for part in found))


def _keys(histories: Histories, queries: Queries, steps: int, seed: int) -> np.ndarray:
    """Key data uint32 [H, n, 4] of each step of each user, from the seed and the user's id alone."""
    numbers = user_numbers(histories, queries).tolist()
    return np.array([[np.random.SeedSequence([seed, n, h]).generate_state(4) for n in numbers] for h in range(steps)])


def _noise(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    # This kind of key gives bits at half the cost, but not under vmap: there other rows' keys would play a part.
    return jax.random.gumbel(jax.random.wrap_key_data(key, impl="rbg"), shape)


def _right_aligned(events: Events) -> Events:
    """Rows with their padding first, so that the state after the last column is the one after the newest event."""
    length = events.item.shape[1]
    count = np.count_nonzero(events.segment, axis=1)
    order = (np.arange(length) + count[:, None]) % length
    return Events(*(np.take_along_axis(x, order.reshape(*order.shape, *(1,) * (x.ndim - 2)), 1) for x in events))


class _Now(NamedTuple):
    """Where all paths [R] stand: what they have read, and the step drawn last, which is still to be read."""

    carry: Carry
    unread: Events  # [R, lines], padding first
    visited: jax.Array  # bool [R, V + 1], items of the path


@partial(jax.jit, static_argnums=(0, 1, 2))
def _futures(model, habit: Habits, filter_seen: bool, params, events, seen, size, keys, item_interest) -> Paths:
    users, paths, steps = size.shape
    length, rows, items = events.item.shape[1], users * paths, model.spec.num_items + 1

    def fan_out(x):
        return jnp.repeat(x, paths, axis=0)

    banned = jnp.zeros((users, items), bool).at[jnp.arange(users)[:, None], seen].set(filter_seen).at[:, 0].set(True)
    banned = fan_out(banned)

    def step(now: _Now, inputs):
        key, size = inputs
        carry, states = _read_step(model, params, now.carry, now.unread)
        scores = model.apply(params, states, method="score")[:, 0]
        scores = jnp.where(banned | now.visited if filter_seen else banned, -jnp.inf, scores)
        log_p = scores - jnp.maximum(jax.nn.logsumexp(scores, axis=-1, keepdims=True), jnp.finfo(jnp.float32).min)
        noise = jax.lax.map(partial(_noise, shape=(paths, items)), key).reshape(rows, items)
        if habit.lines == 1:
            drawn = (log_p + noise).argmax(-1)[:, None]
        else:  # without replacement (Gumbel top-k, Kool et al. 2019)
            drawn = jax.lax.top_k(log_p + noise, habit.lines)[1]
        chance = jnp.take_along_axis(log_p, drawn, 1)
        drawn = jnp.where((jnp.arange(habit.lines) < size[:, None]) & (chance > -jnp.inf), drawn, 0)
        probability = jnp.exp(log_p)
        visited = now.visited.at[jnp.arange(rows)[:, None], drawn].set(True).at[:, 0].set(False)
        # Of a single draw the chance itself is known, which is less noisy than what was drawn.
        within = jnp.where(now.visited, 1.0, probability) if habit.lines == 1 else visited
        unread = _next_events(jax.tree.map(lambda x: x[:, -1:], now.unread), drawn[:, ::-1], item_interest, habit)
        first = jnp.where(drawn[:, 0] > 0, chance[:, 0], 0.0)
        means = (x.reshape(users, paths, items).mean(1) for x in (probability, within))
        return _Now(carry, unread, visited), (*means, drawn[:, 0], first)

    carry = model.apply(params, users, length + (steps - 1) * habit.lines, method="start")
    early = jax.tree.map(lambda x: jnp.swapaxes(x[:, :-1], 0, 1), events)
    carry, _ = jax.lax.scan(lambda carry, event: (_read(model, params, carry, event)[0], None), carry, early)
    blank = habit.lines - 1
    newest = jax.tree.map(lambda x: jnp.pad(x[:, -1:], ((0, 0), (blank, 0), *((0, 0),) * (x.ndim - 2))), events)
    carry, newest = jax.tree.map(fan_out, (carry, newest))
    now = _Now(carry, newest, jnp.zeros((rows, items), bool))
    _, out = jax.lax.scan(step, now, (keys, size.reshape(rows, steps).T))
    probability, visited, item, log_probability = out
    return Paths(
        jnp.swapaxes(probability, 0, 1),
        jnp.swapaxes(visited, 0, 1),
        item.T.reshape(users, paths, steps),
        log_probability.T.reshape(users, paths, steps),
    )


def _next_events(before: Events, item: jax.Array, item_interest: jax.Array, habit: Habits) -> Events:
    """The events [R, lines] of one step after the event `before` [R, 1]; item 0 = padding, which comes first."""
    real = item > 0
    count = jnp.cumsum(real, axis=1)
    first = (real & (count == 1)).astype(jnp.float32)
    shape, weekday = item.shape, before.weekday
    kinds = jnp.arange(1, before.counts.shape[-1] + 1)
    if habit.has_time:
        weekday = (weekday - 1 + round(habit.gap / DAY)) % 7 + 1
    return Events(
        item=item,
        interest=item_interest[item],
        kind=jnp.full(shape, habit.kind, before.kind.dtype),
        counts=jnp.log(jnp.exp(before.counts) + count[..., None] * (kinds == habit.kind)),
        gap=first * np.float32(np.log1p(habit.gap) if habit.has_time else 0.0),
        age=jnp.broadcast_to(before.age + (habit.gap / DAY if habit.has_time else 0.0), shape),
        hour=jnp.broadcast_to(before.hour, shape),  # the same hour of the day: a gap of days says little about it
        weekday=jnp.broadcast_to(weekday, shape),
        features=jnp.zeros((*shape, before.features.shape[-1]), before.features.dtype),  # the mean
        segment=real.astype(before.segment.dtype),
        position=before.position + count,
    )


def _read_step(model, params, carry: Carry, events: Events) -> tuple[Carry, States]:
    """Reads the events [R, lines] of one step, padding first, and gives the states after the last one."""
    early = jax.tree.map(lambda x: jnp.swapaxes(x[:, :-1], 0, 1), events)
    if events.item.shape[1] > 1:
        carry, _ = jax.lax.scan(lambda carry, event: (_read(model, params, carry, event)[0], None), carry, early)
    return _read(model, params, carry, jax.tree.map(lambda x: x[:, -1], events))


def _read(model, params, carry: Carry, event: Events) -> tuple[Carry, States]:
    """`model.step` of an event [R] a row, without the copy of caches that a padding event would cost.

    A padding event may write into a cache: the next real event of its row writes at the same place before anything
    looks there. Everything else of the row's carry stays as it was; its states mean nothing.
    """
    real = event.segment > 0
    written = jax.tree.map(lambda x: x[:, None], event._replace(segment=jnp.ones_like(event.segment)))
    after, states = model.apply(params, carry, written, method="step")

    def keep(new, old):
        return new if new.ndim > 2 else jnp.where(real.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

    return jax.tree.map(keep, after, carry), states
