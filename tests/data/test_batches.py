"""Every training event is a target once an epoch; packed rows, baskets, resumption; nothing held out gets in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import ConfigDict

from configs import common
from tests.builders import NO_FEATURES, make_histories, random_histories
from trajectory.data.batches import TrainingData
from trajectory.data.packing import cut, pack
from trajectory.data.splits import split
from trajectory.schema import UserError


def _training(histories, *, length=8, targets=8, target_items=1, rows=4, seed=0, label=None):
    config = common.base().batch
    config.rows, config.length, config.targets, config.target_items = rows, length, targets, target_items
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    return TrainingData(histories, parts, NO_FEATURES, config, seed, label), parts


def _epoch(data, number=0):
    plan = data.plan(number)
    return [plan.batch(i) for i in range(plan.num_batches)]


def _pairs(batches):
    """All (event item, target item) pairs of the batches, sorted."""
    found = []
    for events, targets in batches:
        row, slot = np.nonzero(targets.weight[..., 0])
        found += zip(events.item[row, targets.position[row, slot]], targets.item[row, slot, 0], strict=True)
    return sorted((int(a), int(b)) for a, b in found)


@given(
    lengths=st.lists(st.integers(1, 8), min_size=1, max_size=60),
    ratio=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_packing_never_overfills_or_overlaps(lengths, ratio):
    size = np.array(lengths)
    targets = -(-size // ratio)
    slots = 4
    targets = np.minimum(targets, slots)
    row, column, slot = pack(size, targets, 8, slots)
    used = set()
    for r, c, s in zip(row, column, size, strict=True):
        places = {(r, i) for i in range(c, c + s)}
        assert c + s <= 8
        assert not used & places
        used |= places
    for r in np.unique(row):
        assert targets[row == r].sum() <= slots
        order = np.argsort(slot[row == r])
        used_slots = targets[row == r][order]
        np.testing.assert_array_equal(slot[row == r][order], np.cumsum(used_slots) - used_slots)


@given(length=st.lists(st.integers(0, 40), min_size=1, max_size=10), seed=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_cutting_keeps_every_event_in_one_window(length, seed):
    length = np.array(length)
    start = np.cumsum(length) - length
    begin, size = cut(start, length, 7, np.random.default_rng(seed))
    assert size.max(initial=1) <= 7
    assert size.min(initial=1) >= 1
    covered = np.concatenate([np.arange(b, b + s) for b, s in zip(begin, size, strict=True)] or [[]])
    np.testing.assert_array_equal(np.sort(covered), np.arange(length.sum()))


@pytest.mark.parametrize("longest", [6, 40])
def test_every_training_transition_is_a_target_exactly_once(longest):
    histories = random_histories(50, 30, longest)
    data, parts = _training(histories)
    expected = []
    for user in range(histories.num_users):
        items = histories.item[histories.offsets[user] : parts.train_end[user]]
        expected += zip(items[:-1].tolist(), items[1:].tolist(), strict=True)
    for epoch in (0, 1):
        assert _pairs(_epoch(data, epoch)) == sorted(expected)


def test_held_out_items_never_reach_training():
    lists = [[1, 2, 3, 4, 90, 91], [2, 3, 4, 1, 90, 91]]
    data, _ = _training(make_histories(lists))
    for events, targets in _epoch(data):
        assert not np.isin(events.item, (90, 91)).any()
        assert not np.isin(targets.item, (90, 91)).any()


def test_events_of_a_row_are_the_histories_with_their_times():
    histories = make_histories([[5, 6, 7, 8, 9]], gap=3600)
    data, _ = _training(histories)
    ((events, _),) = _epoch(data)
    row, column = (int(i[0]) for i in np.nonzero(events.item == 5))
    here = slice(column, column + 2)  # the third training event is only a target
    np.testing.assert_array_equal(events.item[row, here], [5, 6])
    np.testing.assert_allclose(events.gap[row, here], [0, np.log1p(3600)], rtol=1e-6)
    np.testing.assert_allclose(events.age[row, here], [0, 1 / 24], rtol=1e-5)
    np.testing.assert_array_equal(events.hour[row, here], [1, 2])
    np.testing.assert_array_equal(events.weekday[row, here], [1, 1])  # 2024-01-01 was a Monday
    assert (events.segment != 0).sum() == 2


def test_short_histories_are_packed_with_little_padding():
    data, _ = _training(random_histories(3000, 30, 14), length=32, targets=32, rows=16)
    assert data.plan(0).padding < 0.05


def test_baskets_foretell_items_of_the_next_basket_and_are_shuffled_anew():
    items = [1, 2, 3, 11, 12, 13, 14, 21, 31]
    steps = [0, 0, 0, 1, 1, 1, 1, 2, 3]
    histories = make_histories([items], steps=[steps])
    data, _ = _training(histories, length=8, targets=4, target_items=3)
    orders = set()
    for epoch in range(12):
        ((events, targets),) = _epoch(data, epoch)
        row, slot = np.nonzero(targets.weight[..., 0])
        assert len(row) == 1, "two baskets train: the first foretells the second"
        place = targets.position[row[0], slot[0]]
        basket = events.item[row[0], place - 2 : place + 1].tolist()
        assert sorted(basket) == [1, 2, 3]
        wanted = targets.item[row[0], slot[0]]
        assert set(wanted.tolist()) < {11, 12, 13, 14}
        assert len(set(wanted.tolist())) == 3
        assert targets.weight[row[0], slot[0]].sum() == pytest.approx(1)
        orders.add((*basket, *wanted.tolist()))
    assert len(orders) > 4


def test_batches_resume_at_any_place():
    data, _ = _training(random_histories(40, 30, 12))
    whole = iter(data.dataset())
    ahead = [next(whole) for _ in range(9)]
    first = iter(data.dataset())
    for _ in range(4):
        next(first)
    again = iter(data.dataset())
    again.set_state(first.get_state())
    for expected in ahead[4:]:
        found = next(again)
        for a, b in zip(found.events + found.targets, expected.events + expected.targets, strict=True):
            np.testing.assert_array_equal(a, b)


def test_epochs_differ_and_seeds_decide():
    histories = random_histories(40, 30, 12)
    one, same, other = (_training(histories, seed=seed)[0] for seed in (0, 0, 1))
    first = _epoch(one)[0].events.item
    np.testing.assert_array_equal(first, _epoch(same)[0].events.item)
    assert not np.array_equal(first, _epoch(other)[0].events.item)
    assert not np.array_equal(first, _epoch(one, 1)[0].events.item)


def test_nothing_to_train_on_is_said():
    with pytest.raises(UserError, match="two steps left for training"):
        _training(make_histories([[1, 2, 3]]))
