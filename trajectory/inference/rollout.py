"""Autoregressive rollout: a history is read, then sampled steps, one event after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.data.pipeline.event_statistics import EventStatistics, own_sizes
from trajectory.data.pipeline.featurize import row_length
from trajectory.data.times import DAY, WEEK
from trajectory.inference.predictor import Predictor
from trajectory.inference.random_keys import keys
from trajectory.metrics.ranking import distinct_items
from trajectory.models.apply import apply
from trajectory.models.heads import States
from trajectory.models.interest_model import Carry, InterestModel
from trajectory.progress import progress
from trajectory.schema import Events, Histories, Queries, UserError

ROWS_AT_ONCE = 2048  # futures advanced together
SCORES_AT_ONCE = 1 << 24  # scores that exist together: fewer rows for large catalogues
LONGEST_WAIT = 20 * 365  # days: the most that the embedding of inter-event times distinguishes


def room_for(model: InterestModel, statistics: EventStatistics, steps: int) -> int:
    """Events of a history that fit before `steps` steps in the model's capacity; UserError if none does."""
    capacity = model.spec.model.capacity
    room = capacity - (steps - 1) * statistics.lines  # the last step is drawn, never read
    if steps < 1 or room < 1:
        raise UserError(
            f"steps={steps}: expected at least 1, and at most {(capacity - 1) // statistics.lines + 1}, for the "
            f"model reads {capacity} events and a step of this log has up to {statistics.lines}"
        )
    return room


def user_chunks(queries: Queries, copies: int, items: int, label: str) -> Iterator[tuple[Queries, Queries]]:
    """Some users at a time, with `copies` futures of each: their queries, and the same filled up to few sizes."""
    rows = min(ROWS_AT_ONCE, SCORES_AT_ONCE // (items + 1))
    users = row_length(len(queries.user), max(rows // copies, 1))
    for chunk in progress(queries.chunks(users), label, -(-len(queries.user) // users)):
        yield chunk, chunk.padded(users)


class Rollout(NamedTuple):
    """What stays the same over all futures: a compiled function has one for its own."""

    model: InterestModel
    statistics: EventStatistics
    filter_seen: bool  # items of the history or of the future itself cannot come (again)


class Start(NamedTuple):
    """Where the futures of n users begin, and what their draws are made from."""

    events: Events  # [n, L], `right_aligned`
    seen: np.ndarray  # int32 [n, S], items that cannot come; 0 = padding
    size: np.ndarray  # int32 [n, copies, H], lines of the baskets
    key: np.ndarray  # uint32 [H, n, 4]
    clock: np.ndarray  # int32 [n], seconds since Monday 0:00
    item_interest: np.ndarray  # int32 [V + 1]


def start(predictor: Predictor, queries: Queries, rollout: Rollout, copies: int, steps: int, seed: int) -> Start:
    """The start of `copies` futures of `steps` steps after each query's history; raises UserError as `room_for`."""
    p, histories = predictor, predictor.histories
    room = room_for(p.model, rollout.statistics, steps)
    seen = np.zeros((len(queries.user), 1), int)
    if rollout.filter_seen:
        seen = distinct_items(histories, queries.start, queries.stop, least=64)
    return Start(
        right_aligned(p.rows(queries.start, queries.stop, room)),
        seen,
        own_sizes(histories, queries, (copies, steps), rollout.statistics.lines, seed),
        keys(histories, queries, steps, seed),
        clocks(histories, queries.stop),
        histories.item_interest[: histories.num_items + 1],
    )


def excluded_items(rollout: Rollout, given: Start, copies: int) -> jax.Array:
    """Items that no future can come to, bool [n * copies, V + 1]: none, and those that were seen."""
    users = len(given.seen)
    items = jnp.zeros((users, rollout.model.spec.data.num_items + 1), bool)
    items = items.at[jnp.arange(users)[:, None], given.seen].set(rollout.filter_seen).at[:, 0].set(True)
    return jnp.repeat(items, copies, axis=0)


def clocks(histories: Histories, stop: np.ndarray) -> np.ndarray:
    """Seconds since Monday 0:00 of the newest event of each history that ends at `stop`, int32 [n]."""
    return ((histories.time[stop - 1] + 3 * DAY) % WEEK).astype(np.int32)  # 1970-01-01 was a Thursday


def right_aligned(events: Events) -> Events:
    """Rows with their padding first, so that the state after the last column is the one after the newest event."""
    length = events.item.shape[1]
    count = np.count_nonzero(events.segment, axis=1)
    order = (np.arange(length) + count[:, None]) % length
    return Events(*(np.take_along_axis(x, order.reshape(*order.shape, *(1,) * (x.ndim - 2)), 1) for x in events))


def read_past(rollout: Rollout, params: Any, given: Start) -> tuple[Carry, Carry, Events]:
    """Reads all but the newest event of each history: their past, which the futures of a user share, and the carry and
    unread events of each future.

    The carry has room for all steps.
    """
    model, statistics, events = rollout.model, rollout.statistics, given.events
    _, copies, steps = given.size.shape
    users, length = events.item.shape
    early = jax.tree.map(lambda x: x[:, :-1], events)
    past = _read(model, params, None, apply(model, params, users, length - 1, method="start"), early)
    carry = apply(model, params, users * copies, 1 + (steps - 1) * statistics.lines, past, method="start")
    blank = statistics.lines - 1
    newest = jax.tree.map(lambda x: jnp.pad(x[:, -1:], ((0, 0), (blank, 0), *((0, 0),) * (x.ndim - 2))), events)
    return past, carry, jax.tree.map(lambda x: jnp.repeat(x, copies, axis=0), newest)


def second_of_week_after(clock: jax.Array, days: jax.Array) -> jax.Array:
    """Second of the week so many days later: of half a day or more the hour is kept, about which they say little."""
    seconds = jnp.where(days < 0.5, days * DAY, jnp.round(days) % 7 * DAY)
    return (clock + seconds.astype(jnp.int32)) % WEEK


def next_events(
    before: Events, item: jax.Array, item_interest: Any, statistics: EventStatistics, gap: jax.Array, clock: jax.Array
) -> Events:
    """The events [R, lines] of one step, `gap` [R] days after the event `before` [R, 1], at second `clock` [R] of the
    week; item 0 = padding, which comes first.
    """
    real = item > 0
    count = jnp.cumsum(real, axis=1)
    first = (real & (count == 1)).astype(jnp.float32)
    shape = item.shape
    event_types = jnp.arange(1, before.counts.shape[-1] + 1)
    timed = 1 if statistics.has_time else 0
    return Events(
        item=item,
        interest=item_interest[item],
        event_type=jnp.full(shape, statistics.event_type, before.event_type.dtype),
        counts=jnp.log(jnp.exp(before.counts) + count[..., None] * (event_types == statistics.event_type)),
        gap=first * timed * jnp.log1p(gap * DAY)[:, None],
        age=jnp.broadcast_to(before.age + timed * gap[:, None], shape),
        hour=jnp.broadcast_to(timed * (clock // 3600 % 24 + 1)[:, None], shape),
        weekday=jnp.broadcast_to(timed * (clock // DAY + 1)[:, None], shape),
        features=jnp.zeros((*shape, before.features.shape[-1]), before.features.dtype),  # the mean
        segment=real.astype(before.segment.dtype),
        position=before.position + count,
    )


def read_step(model, params, past: Carry, carry: Carry, events: Events) -> tuple[Carry, States]:
    """Reads the events [R, lines] of one step, padding first, and gives the states after the last one."""
    carry = _read(model, params, past, carry, jax.tree.map(lambda x: x[:, :-1], events))
    return apply(model, params, carry, jax.tree.map(lambda x: x[:, -1:], events), past, method="step")


def log_probabilities(model, params, states: States, banned: jax.Array) -> jax.Array:
    """Log-probability of each item [R, V + 1] among those that are not `banned` (bool, alike); -inf where all are."""
    scores = jnp.where(banned, -jnp.inf, apply(model, params, states, method="score")[:, 0])
    return scores - jnp.maximum(jax.nn.logsumexp(scores, axis=-1, keepdims=True), jnp.finfo(jnp.float32).min)


def _read(model, params, past: Carry | None, carry: Carry, events: Events) -> Carry:
    """The carry after events [R, L], one after another."""

    def read(carry: Carry, event: Events) -> tuple[Carry, None]:
        event = jax.tree.map(lambda x: x[:, None], event)
        return apply(model, params, carry, event, past, method="step")[0], None

    return jax.lax.scan(read, carry, jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), events))[0]
