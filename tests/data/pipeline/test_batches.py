"""Every training event is a target once an epoch; packed rows, baskets, resumption; nothing held out gets in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, make_histories, random_histories
from trajectory.data.pipeline.batches import TrainingData
from trajectory.data.pipeline.packing import cut_windows, pack
from trajectory.data.pipeline.splits import split
from trajectory.schema import UserError
from trajectory.settings import base


def _training(histories, *, length=8, targets=8, target_items=1, rows=4, seed=0, label=None, horizon=1):
    config = base().batch
    config.rows, config.length, config.targets, config.target_items = rows, length, targets, target_items
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    return TrainingData(histories, parts, NO_FEATURES, config, seed, label, horizon=horizon), parts


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
    begin, size = cut_windows(start, length, 7, np.random.default_rng(seed))
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


def _horizons(batches):
    """(item of the event, steps ahead, item of the target, days of waiting) of all targets of the batches."""
    for events, targets in batches:
        row, slot = np.nonzero(targets.weight[..., 0])
        yield from zip(
            events.item[row, targets.position[row, slot]].tolist(),
            targets.horizon[row, slot].tolist(),
            targets.item[row, slot, 0].tolist(),
            targets.wait[row, slot].tolist(),
            strict=True,
        )


def test_with_a_horizon_targets_are_any_of_the_next_steps_of_training():
    histories = make_histories([list(range(1, 9)), list(range(11, 16))], num_items=20, gap=43_200)
    data, _ = _training(histories, horizon=3)
    seen = set()
    for epoch in range(20):
        found = list(_horizons(_epoch(data, epoch)))
        assert len(found) == 5 + 2, "each training event with a later one is asked once an epoch"
        for item, ahead, target, days in found:
            assert target == item + ahead
            assert days == pytest.approx(0.5 * ahead)
            assert target <= (6 if item < 10 else 13), "held-out events are no targets"
        seen |= {(item, ahead) for item, ahead, _, _ in found}
    expected = {(i, k) for i in range(1, 6) for k in (1, 2, 3) if i + k <= 6}
    assert seen == expected | {(11, 1), (11, 2), (12, 1)}


def test_horizons_of_baskets_count_baskets():
    histories = make_histories([[1, 2, 3, 4, 5, 6, 7, 8]], steps=[[0, 0, 1, 2, 2, 3, 4, 5]], num_items=8, gap=86_400)
    data, _ = _training(histories, target_items=2, horizon=3)
    basket = {1: {1, 2}, 2: {3}, 3: {4, 5}, 4: {6}}
    number = {item: step for step, items in basket.items() for item in items}
    seen = set()
    for epoch in range(20):
        for events, targets in _epoch(data, epoch):
            for row, slot in zip(*np.nonzero(targets.weight.sum(2)), strict=True):
                at = number[int(events.item[row, targets.position[row, slot]])]
                ahead = int(targets.horizon[row, slot])
                assert set(targets.item[row, slot].tolist()) - {0} == basket[at + ahead]
                assert targets.wait[row, slot] == ahead
                seen.add((at, ahead))
    assert seen == {(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1)}


def test_waiting_is_unknown_where_the_order_runs_against_time_or_there_is_none():
    histories = make_histories([[1, 2, 3, 4, 5, 6]], num_items=6)
    histories.time[2] -= 10_000
    days = [days for _, _, _, days in sorted(_horizons(_epoch(_training(histories)[0])))]
    assert [d >= 0 for d in days] == [True, False, True]
    untimed = replace(histories, has_time=False, time=np.zeros_like(histories.time))
    assert {days for _, _, _, days in _horizons(_epoch(_training(untimed)[0]))} == {-1.0}


def test_a_horizon_beside_conversions_is_refused():
    histories = make_histories([[1, 2, 3, 4, 5]], num_items=5)
    with pytest.raises(UserError, match=r"heads\.horizon=2"):
        _training(histories, label=np.zeros(5, np.int8), horizon=2)


def test_an_epoch_of_at_most_so_many_batches_is_a_part_of_the_whole_drawn_anew():
    data, _ = _training(random_histories(40, 20, 12))
    whole = [[batch.events.item.tolist() for batch in _epoch(data, number)] for number in range(2)]
    data.config.max_batches = 2
    for number, batches in enumerate(whole):
        assert [batch.events.item.tolist() for batch in _epoch(data, number)] == batches[:2]
        assert data.plan(number).all_batches == len(batches) > 2
    assert whole[0][:2] != whole[1][:2]
