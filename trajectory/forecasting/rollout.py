"""Reading a history, and then steps that have not happened yet, one event after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from trajectory.data.rows import DAY
from trajectory.forecasting.habits import Habits
from trajectory.models.heads import States
from trajectory.models.interest_model import Carry, InterestModel
from trajectory.schema import Events, Histories, Queries, UserError

ROWS_AT_ONCE = 2048  # futures advanced together
SCORES_AT_ONCE = 1 << 24  # scores that exist together: fewer rows for large catalogues
WEEK = 7 * DAY
LONGEST_GAP = 20 * 365  # days: what the embedding of gaps tells apart


def room_for(model: InterestModel, habit: Habits, steps: int) -> int:
    """Events of a history that fit beside `steps` steps in the model's capacity; UserError if none does."""
    room = model.spec.capacity - (steps - 1) * habit.lines  # the last step is drawn, never read
    if steps < 1 or room < 1:
        raise UserError(
            f"steps={steps}: expected at least 1, and at most {(model.spec.capacity - 1) // habit.lines + 1}, for the "
            f"model reads {model.spec.capacity} events and a step of this log has up to {habit.lines}"
        )
    return room


def user_chunks(queries: Queries, each: int, items: int, label: str) -> Iterator[tuple[Queries, Queries]]:
    """Some users at a time, of whom `each` futures are followed: their queries, and the same filled up to one shape."""
    rows = min(ROWS_AT_ONCE, SCORES_AT_ONCE // (items + 1))
    users = max(1, min(rows // each, len(queries.user)))
    for chunk in tqdm(queries.chunks(users), label, -(-len(queries.user) // users), delay=2, leave=False, disable=None):
        missing = users - len(chunk.user)
        yield chunk, Queries(*(np.pad(column, (0, missing), mode="edge") for column in chunk))


def clocks(histories: Histories, stop: np.ndarray) -> np.ndarray:
    """Seconds since Monday 0:00 of the newest event of each history that ends at `stop`, int32 [n]."""
    return ((histories.time[stop - 1] + 3 * DAY) % WEEK).astype(np.int32)  # 1970-01-01 was a Thursday


def right_aligned(events: Events) -> Events:
    """Rows with their padding first, so that the state after the last column is the one after the newest event."""
    length = events.item.shape[1]
    count = np.count_nonzero(events.segment, axis=1)
    order = (np.arange(length) + count[:, None]) % length
    return Events(*(np.take_along_axis(x, order.reshape(*order.shape, *(1,) * (x.ndim - 2)), 1) for x in events))


def begin(
    model: InterestModel, params: Any, events: Events, steps: int, habit: Habits, copies: int
) -> tuple[Carry, Events]:
    """Reads all but the newest event of `right_aligned` rows [n, L]: carry and unread events of `copies` of each row.

    The carry has room for `steps` further steps.
    """
    users, length = events.item.shape
    carry = cast(Any, model.apply)(params, users, length + (steps - 1) * habit.lines, method="start")
    early = jax.tree.map(lambda x: jnp.swapaxes(x[:, :-1], 0, 1), events)
    carry, _ = jax.lax.scan(lambda carry, event: (_read(model, params, carry, event)[0], None), carry, early)
    blank = habit.lines - 1
    newest = jax.tree.map(lambda x: jnp.pad(x[:, -1:], ((0, 0), (blank, 0), *((0, 0),) * (x.ndim - 2))), events)
    return jax.tree.map(lambda x: jnp.repeat(x, copies, axis=0), (carry, newest))


def later(clock: jax.Array, gap: jax.Array) -> jax.Array:
    """Second of the week after a gap in days: of half a day or more the hour is kept, about which it says little."""
    seconds = jnp.where(gap < 0.5, gap * DAY, jnp.round(gap) % 7 * DAY)
    return (clock + seconds.astype(jnp.int32)) % WEEK


def next_events(
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


def read_step(model, params, carry: Carry, events: Events) -> tuple[Carry, States]:
    """Reads the events [R, lines] of one step, padding first, and gives the states after the last one."""
    early = jax.tree.map(lambda x: jnp.swapaxes(x[:, :-1], 0, 1), events)
    if events.item.shape[1] > 1:
        carry, _ = jax.lax.scan(lambda carry, event: (_read(model, params, carry, event)[0], None), carry, early)
    return _read(model, params, carry, jax.tree.map(lambda x: x[:, -1], events))


def log_chances(model, params, states: States, banned: jax.Array) -> jax.Array:
    """Log-probability of each item [R, V + 1] among those that are not `banned` (bool, alike); -inf where all are."""
    scores = jnp.where(banned, -jnp.inf, model.apply(params, states, method="score")[:, 0])
    return scores - jnp.maximum(jax.nn.logsumexp(scores, axis=-1, keepdims=True), jnp.finfo(jnp.float32).min)


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
