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
from tqdm import tqdm

from trajectory.data.rows import DAY, FeatureScale, last_rows, row_length
from trajectory.evaluation.ranking import distinct_items
from trajectory.forecasting.habits import Habits, own_sizes, user_numbers
from trajectory.models.heads import States
from trajectory.models.interest_model import Carry, InterestModel
from trajectory.models.time_head import COMPONENTS, draw
from trajectory.schema import Events, Histories, Queries, UserError

ROWS_AT_ONCE = 2048  # paths advanced together
SCORES_AT_ONCE = 1 << 24  # scores that exist together: fewer rows for large catalogues
WEEK = 7 * DAY
LONGEST_GAP = 20 * 365  # days: what the embedding of gaps tells apart


class Paths(NamedTuple):
    """Futures of n users: S paths of H steps each."""

    probability: Any  # float32 [n, H, V + 1], of each item at each step (share of a line, where steps are baskets)
    visited: Any  # float32 [n, H, V + 1], probability of the item within steps 1..h
    item: Any  # int32 [n, S, H], the step's item (its first line); 0 = nothing is left that may come
    log_probability: Any  # float32 [n, S, H], of each step's item after those before it; 0 where nothing is left
    days: Any  # float32 [n, S, H], from the newest event of the history to the step
    soon: Any  # float32 [n, V + 1], probability of the item within the days asked for, and all steps


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
    days: float = 0.0,
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
            days,
            params,
            _right_aligned(last_rows(histories, scale, full.start, full.stop, row_length(longest, room))),
            distinct_items(histories, full.start, full.stop, least=64) if filter_seen else np.zeros((users, 1), int),
            own_sizes(histories, full, (paths, steps), habit.lines, seed),
            _keys(histories, full, steps, seed),
            ((histories.time[full.stop - 1] + 3 * DAY) % WEEK).astype(np.int32),
            histories.item_interest[: histories.num_items + 1],
        )
        yield chunk, Paths(*(np.asarray(part)[:count] for part in found))


def _keys(histories: Histories, queries: Queries, steps: int, seed: int) -> np.ndarray:
    """Key data uint32 [H, n, 4] of each step of each user, from the seed and the user's id alone."""
    numbers = user_numbers(histories, queries).tolist()
    return np.array([[np.random.SeedSequence([seed, n, h]).generate_state(4) for n in numbers] for h in range(steps)])


class _Noise(NamedTuple):
    """What decides a step of one user's paths."""

    item: jax.Array  # [S, V + 1], Gumbel
    component: jax.Array  # [S, 1 + C], Gumbel
    length: jax.Array  # [S], normal


def _noise(key: jax.Array, paths: int, items: int) -> _Noise:
    # This kind of key gives bits at half the cost, but not under vmap: there other rows' keys would play a part.
    one, two = jax.random.split(jax.random.wrap_key_data(key, impl="rbg"))
    gumbel = jax.random.gumbel(one, (paths, items + 1 + COMPONENTS))
    return _Noise(gumbel[:, :items], gumbel[:, items:], jax.random.normal(two, (paths,)))


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
    soon: jax.Array  # bool [R, V + 1], those that came within the days asked for
    elapsed: jax.Array  # float32 [R], days since the history's newest event
    clock: jax.Array  # int32 [R], seconds since Monday 0:00


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _futures(
    model, habit: Habits, filter_seen: bool, days: float, params, events, seen, size, keys, clock, item_interest
) -> Paths:
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
        noise = jax.lax.map(partial(_noise, paths=paths, items=items), key)
        noise = jax.tree.map(lambda x: x.reshape(rows, *x.shape[2:]), noise)
        if habit.lines == 1:
            drawn = (log_p + noise.item).argmax(-1)[:, None]
        else:  # without replacement (Gumbel top-k, Kool et al. 2019)
            drawn = jax.lax.top_k(log_p + noise.item, habit.lines)[1]
        chance = jnp.take_along_axis(log_p, drawn, 1)
        drawn = jnp.where((jnp.arange(habit.lines) < size[:, None]) & (chance > -jnp.inf), drawn, 0)
        probability = jnp.exp(log_p)
        gap = jnp.full(rows, habit.gap / DAY)
        if model.spec.time:
            wait = jax.tree.map(lambda x: x[:, 0], model.apply(params, states, method="wait"))
            gap = jnp.minimum(draw(wait, noise.component, noise.length), LONGEST_GAP)
        elapsed, clock = now.elapsed + gap, _later(now.clock, gap)
        row = jnp.arange(rows)[:, None]
        visited = now.visited.at[row, drawn].set(True).at[:, 0].set(False)
        in_time = (elapsed <= days)[:, None]
        soon = now.soon.at[row, drawn].max(in_time).at[:, 0].set(False)
        # Of a single draw the chance itself is known, which is less noisy than what was drawn.
        within = jnp.where(now.visited, 1.0, probability) if habit.lines == 1 else visited
        unread = _next_events(
            jax.tree.map(lambda x: x[:, -1:], now.unread), drawn[:, ::-1], item_interest, habit, gap, clock
        )
        first = jnp.where(drawn[:, 0] > 0, chance[:, 0], 0.0)
        means = (x.reshape(users, paths, items).mean(1) for x in (probability, within))
        return _Now(carry, unread, visited, soon, elapsed, clock), (*means, drawn[:, 0], first, elapsed)

    carry = model.apply(params, users, length + (steps - 1) * habit.lines, method="start")
    early = jax.tree.map(lambda x: jnp.swapaxes(x[:, :-1], 0, 1), events)
    carry, _ = jax.lax.scan(lambda carry, event: (_read(model, params, carry, event)[0], None), carry, early)
    blank = habit.lines - 1
    newest = jax.tree.map(lambda x: jnp.pad(x[:, -1:], ((0, 0), (blank, 0), *((0, 0),) * (x.ndim - 2))), events)
    carry, newest = jax.tree.map(fan_out, (carry, newest))
    nothing = jnp.zeros((rows, items), bool)
    now = _Now(carry, newest, nothing, nothing, jnp.zeros(rows), fan_out(clock))
    last, out = jax.lax.scan(step, now, (keys, size.reshape(rows, steps).T))
    probability, visited, item, log_probability, elapsed = out
    return Paths(
        jnp.swapaxes(probability, 0, 1),
        jnp.swapaxes(visited, 0, 1),
        item.T.reshape(users, paths, steps),
        log_probability.T.reshape(users, paths, steps),
        elapsed.T.reshape(users, paths, steps),
        last.soon.reshape(users, paths, items).mean(1),
    )


def _later(clock: jax.Array, gap: jax.Array) -> jax.Array:
    """Second of the week after a gap in days: of half a day or more the hour is kept, about which it says little."""
    seconds = jnp.where(gap < 0.5, gap * DAY, jnp.round(gap) % 7 * DAY)
    return (clock + seconds.astype(jnp.int32)) % WEEK


def _next_events(
    before: Events, item: jax.Array, item_interest: jax.Array, habit: Habits, gap: jax.Array, clock: jax.Array
) -> Events:
    """The events [R, lines] of one step, `gap` [R] days after the event `before` [R, 1], at second `clock` [R] of the
    week; item 0 = padding, which comes first.
    """
    real = item > 0
    count = jnp.cumsum(real, axis=1)
    first = (real & (count == 1)).astype(jnp.float32)
    shape = item.shape
    kinds = jnp.arange(1, before.counts.shape[-1] + 1)
    timed = 1 if habit.has_time else 0
    return Events(
        item=item,
        interest=item_interest[item],
        kind=jnp.full(shape, habit.kind, before.kind.dtype),
        counts=jnp.log(jnp.exp(before.counts) + count[..., None] * (kinds == habit.kind)),
        gap=first * timed * jnp.log1p(gap * DAY)[:, None],
        age=jnp.broadcast_to(before.age + timed * gap[:, None], shape),
        hour=jnp.broadcast_to(timed * (clock // 3600 % 24 + 1)[:, None], shape),
        weekday=jnp.broadcast_to(timed * (clock // DAY + 1)[:, None], shape),
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
