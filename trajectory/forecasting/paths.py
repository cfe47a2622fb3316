"""Sampled futures: many paths of K steps for each user, by feeding the model its own draws.

A step is one event, or a basket where the log has baskets: then as many lines as one of the user's own past baskets,
drawn without replacement. Times are not forecast here: events of the future are taken to come a typical gap apart and
to be of the log's most frequent kind.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.data.rows import DAY, FeatureScale, last_rows
from trajectory.data.splits import step_starts
from trajectory.models.interest_model import InterestModel
from trajectory.schema import Events, Histories, Queries, UserError

USERS_AT_ONCE = 32
MAX_LINES = 16  # of a drawn basket


class Paths(NamedTuple):
    """Futures of n users: S paths of H steps each."""

    probability: np.ndarray  # [n, H, V + 1], of each item at each step (share of a line, where steps are baskets)
    visited: np.ndarray  # [n, H, V + 1], share of paths with the item within steps 1..h
    item: np.ndarray  # int32 [n, S, H], the step's item (its first line)
    log_probability: np.ndarray  # [n, S], of the path's items (of its first lines)


class Habits(NamedTuple):
    """What the log says about how events come, beyond their items."""

    kind: int  # most frequent kind
    gap: float  # median seconds between steps
    has_time: bool


def habits(histories: Histories, scale: FeatureScale) -> Habits:
    """Most frequent kind and median gap between steps of the same user."""
    kind = int(np.bincount(histories.kind, minlength=2)[1:].argmax()) + 1
    ends = step_starts(histories)[1:][:-1]
    same_user = ~np.isin(ends, histories.offsets)
    between = ends[same_user]
    gap = float(np.median(histories.time[between] - histories.time[between - 1])) if len(between) else 0.0
    return Habits(kind, gap, histories.has_time)


def sample(
    model: InterestModel,
    params: Any,
    histories: Histories,
    scale: FeatureScale,
    queries: Queries,
    *,
    steps: int,
    paths: int,
    seed: int,
    filter_seen: bool,
) -> Paths:
    """Paths of every query's user from its history on, by ancestral sampling; the same for the same seed.

    `filter_seen`: an item of the history or of the path itself cannot come (again).
    Raises UserError if steps leave no room for a history in the model's capacity.
    """
    lines = min(MAX_LINES, int(np.quantile(_step_sizes(histories), 0.95))) if histories.baskets else 1
    room = model.spec.capacity - steps * lines
    if steps < 1 or paths < 1 or room < 1:
        raise UserError(
            f"steps={steps} and paths={paths}: expected at least 1 each and at most {(model.spec.capacity - 1) // lines} "
            f"steps, for the model reads {model.spec.capacity} events at most"
        )
    habit = habits(histories, scale)
    rng = np.random.default_rng(seed)
    found = []
    for number, chunk in enumerate(queries.chunks(USERS_AT_ONCE)):
        count = len(chunk.user)
        full = Queries(*(np.pad(column, (0, USERS_AT_ONCE - count), mode="edge") for column in chunk))
        events = last_rows(histories, scale, full.start, full.stop, room)
        seen = jnp.asarray(_seen(histories, full) if filter_seen else np.zeros((USERS_AT_ONCE, 1), np.int32))
        size = jnp.asarray(_sizes(histories, full, steps, paths, lines, rng))
        key = jax.random.fold_in(jax.random.key(seed), number)
        out = _sample(model, habit, steps, paths, lines, filter_seen, params, events, seen, size, key)
        found.append(Paths(*(np.asarray(part)[:count] for part in out)))
    return Paths(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


@partial(jax.jit, static_argnums=(0, 1, 2, 3, 4, 5))
def _sample(model, habit, steps, paths, lines, filter_seen, params, events, seen, size, key) -> Paths:
    users, room = events.item.shape
    carry = model.apply(params, users, room + steps * lines, method="start")

    def read(carry, event):
        event = jax.tree.map(lambda x: x[:, None], event)
        carry, states = model.apply(params, carry, event, method="step")
        return carry, states

    def remember(before, inputs):
        carry, kept = before
        after, states = read(carry, inputs)
        real = inputs.segment > 0
        kept = jax.tree.map(
            lambda new, old: jnp.where(real.reshape(-1, *(1,) * (new.ndim - 1)), new, old), states, kept
        )
        return (after, kept), None

    by_time = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), events)
    first = jax.tree.map(lambda x: x[0], by_time)
    carry, states = read(carry, first)
    (carry, states), _ = jax.lax.scan(remember, (carry, states), jax.tree.map(lambda x: x[1:], by_time))

    def fan_out(x):
        return jnp.repeat(x, paths, axis=0)

    last = jnp.maximum(carry.events - 1, 0)[:, None]
    newest = jax.tree.map(lambda x: jnp.take_along_axis(x, last, axis=1)[:, 0] if x.ndim == 2 else x[:, -1], events)
    carry, states, newest, seen = jax.tree.map(fan_out, (carry, states, newest, seen))
    rows = users * paths
    row = jnp.arange(rows)
    banned = jnp.zeros((rows, model.spec.num_items + 1), bool).at[row[:, None], seen].set(filter_seen)
    visited = jnp.zeros((rows, model.spec.num_items + 1), bool)
    total = jnp.zeros(rows)
    shares, visits, items = [], [], []
    for step in range(steps):
        scores = model.apply(params, states, method="score")[:, 0]
        scores = jnp.where(banned.at[:, 0].set(True), -jnp.inf, scores)
        log_p = jax.nn.log_softmax(scores, axis=-1)
        noise = jax.random.gumbel(jax.random.fold_in(key, step), log_p.shape)
        _, drawn = jax.lax.top_k(log_p + noise, lines)  # without replacement (Gumbel top-k, Kool et al. 2019)
        drawn = jnp.where(jnp.arange(lines) < size[:, :, step].reshape(rows, 1), drawn, 0)
        total += jnp.take_along_axis(log_p, drawn[:, :1], axis=1)[:, 0]
        visited = visited.at[row[:, None], drawn].set(True).at[:, 0].set(False)
        if filter_seen:
            banned |= visited
        shares.append(jnp.exp(log_p).reshape(users, paths, -1).mean(1))
        visits.append(visited.reshape(users, paths, -1).mean(1))
        items.append(drawn[:, 0])
        for line in range(lines):
            newest = _next_event(newest, drawn[:, line], habit, first=line == 0)
            carry, after = read(carry, newest)
            real = newest.segment > 0
            states = jax.tree.map(
                lambda new, old, real=real: jnp.where(real.reshape(-1, *(1,) * (new.ndim - 1)), new, old), after, states
            )
    return Paths(
        jnp.stack(shares, 1),
        jnp.stack(visits, 1),
        jnp.stack(items, 1).reshape(users, paths, steps),
        total.reshape(users, paths),
    )


def _next_event(before: Events, item: jax.Array, habit: Habits, first: bool) -> Events:
    """The event after `before` (fields [rows]); item 0 = padding, which leaves a carry alone."""
    real = item > 0
    gap = habit.gap if first else 0.0
    hours = before.hour  # the same hour of the day: a gap of days says little about it
    weekday = before.weekday
    if habit.has_time and first:
        weekday = (before.weekday - 1 + round(habit.gap / DAY)) % 7 + 1
    return Events(
        item=item,
        kind=jnp.full_like(before.kind, habit.kind),
        gap=jnp.full_like(before.gap, np.log1p(gap)),
        age=before.age + gap / DAY,
        hour=hours,
        weekday=weekday,
        features=jnp.zeros_like(before.features),
        segment=real.astype(before.segment.dtype),
        position=before.position + real,
    )


def _step_sizes(histories: Histories) -> np.ndarray:
    return np.diff(step_starts(histories)[1:], prepend=0)


def _sizes(histories, queries, steps, paths, lines, rng) -> np.ndarray:
    """Numbers of lines int32 [n, S, H] of the baskets to come, drawn from each user's own past ones."""
    if not histories.baskets:
        return np.ones((len(queries.user), paths, steps), np.int32)
    ends = step_starts(histories)[1:]
    low, high = np.searchsorted(ends, queries.start, "right"), np.searchsorted(ends, queries.stop, "right")
    chosen = rng.integers(low[:, None, None], np.maximum(high, low + 1)[:, None, None], (len(low), paths, steps))
    return np.clip(_step_sizes(histories)[chosen], 1, lines).astype(np.int32)


def _seen(histories: Histories, queries: Queries) -> np.ndarray:
    """Items of each history, int32 [n, longest], 0 = padding."""
    length = queries.stop - queries.start
    width = 1 << int(max(length.max() - 1, 1)).bit_length()
    seen = np.zeros((len(length), width), np.int32)
    number = np.repeat(np.arange(len(length)), length)
    within = np.arange(len(number)) - np.repeat(np.cumsum(length) - length, length)
    item = histories.item[queries.start[number] + within]
    seen[number, within] = np.where(item <= histories.num_items, item, 0)
    return seen
