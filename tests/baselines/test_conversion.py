"""Boosting on counts and recency: what it is told of an event, and that nothing later plays a part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.baselines.conversion import BOOSTING, ConversionBaselines, features
from trajectory.data.pipeline.splits import split
from trajectory.data.times import DAY
from trajectory.schema import Histories
from trajectory.settings import base


def _log(users: int = 30, events: int = 40, seed: int = 0) -> Histories:
    rng = np.random.default_rng(seed)
    shape = users, events
    histories = make_histories(
        rng.integers(1, 7, shape).tolist(), event_types=rng.integers(1, 3, shape).tolist(), num_items=6
    )
    time = histories.time[0] + np.cumsum(rng.integers(60, DAY // 4, shape), axis=1).ravel()
    return replace(histories, time=time)


def _first(histories: Histories, count: int, changed: int) -> Histories:
    """The same log of which all after the first `count` events of each user is another."""
    other = _log(seed=changed)
    late = np.arange(histories.num_events) % 40 >= count
    values = {name: np.where(late, getattr(other, name), getattr(histories, name)) for name in ("item", "event_type")}
    gap = np.where(late, 7 * DAY, 0).reshape(-1, 40).cumsum(axis=1).ravel()
    return replace(histories, **values, time=histories.time + gap)


@pytest.mark.parametrize("has_time", [True, False])
def test_features_of_an_event_never_change_when_later_events_do(has_time: bool) -> None:
    histories = replace(_log(), has_time=has_time)
    changed = _first(histories, 20, changed=1)
    # The first twenty events of a user, at times when all users are within theirs: rates are of other users too.
    early = np.arange(histories.num_events) % 40 < 20
    soon = histories.time < histories.time[~early].min()
    event, config = np.flatnonzero(early & soon), base().conversion
    training = np.ones(histories.num_events, bool)
    before, after = (features(h, event, training, config) for h in (histories, changed))
    assert len(event) > 50
    np.testing.assert_array_equal(before, after)
    assert (features(histories, event + 1, training, config) != before).any()


def test_features_by_hand() -> None:
    """Views (1) of items 1, 2 and, two days on, 1, bought (2) a minute later; all of another user is before."""
    histories = make_histories([[2, 2], [1, 2, 1, 1]], event_types=[[1, 2], [1, 1, 1, 2]], interests=2)
    histories = replace(histories, time=np.array([0, 1, 100, 160, 2 * DAY, 2 * DAY + 60]))
    config, training = base().conversion, np.array([True, True, False, False, False, False])
    found = features(histories, np.array([5]), training, config)[0]
    minute, first = np.log1p(60), np.log1p(2 * DAY - 40)
    by_hand = [2, 3, 1, minute, 0]  # type; of each type so far; since the last of each
    by_hand += [1, 1, 3, 1, 1, 1]  # within a day, a week and the session
    by_hand += [minute, first, minute, 0]  # since the session and the user began, since the event before; hour
    by_hand += [2, 1, first]  # of this item, and since the first of them
    by_hand += [0, -1, 0, -1]  # trained: no event of item 1 or its interest
    np.testing.assert_allclose(found, by_hand, rtol=1e-6)
    of_two = features(histories, np.array([3]), training, config)[0]
    np.testing.assert_allclose(of_two[-4:], [np.log(3), 0.5, np.log(3), 0.5], rtol=1e-6)


def test_boosting_finds_what_recency_tells_from_training_alone() -> None:
    """Whoever has just viewed item 1 buys next; others do not."""
    rng = np.random.default_rng(0)
    lists, types = [], []
    for _ in range(60):
        item = rng.integers(1, 7, 40)
        lists.append(item.tolist())
        types.append([1, *np.where(item[:-1] == 1, 2, 1).tolist()])
    histories = make_histories(lists, event_types=types, num_items=6)
    c = base()
    c.split.kind, c.split.steps, c.conversion.horizon_events = "leave_last", 5, 1
    parts = split(histories, c.split)[1]
    baselines = ConversionBaselines.fit(histories, parts, c.conversion, seed=0)
    event = np.flatnonzero(np.arange(histories.num_events) % 40 == 37)
    follows = histories.event_type[event + 1] == 2
    chance = baselines.probabilities(event)[BOOSTING]
    # Which item it is is no feature: its rate of conversion is, and how often the user had it.
    assert chance[follows].mean() > chance[~follows].mean() + 0.1
    # What is held out may be anything: the same trees are fitted.
    held = np.arange(histories.num_events) % 40 >= 30
    other = replace(histories, event_type=np.where(held, 1, histories.event_type).astype(np.int8))
    again = ConversionBaselines.fit(other, parts, c.conversion, seed=0)
    np.testing.assert_array_equal(
        baselines.probabilities(event - 20)[BOOSTING], again.probabilities(event - 20)[BOOSTING]
    )
