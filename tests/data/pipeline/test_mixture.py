"""Batches of several domains: each of one, shared out by weight, the same for the same seed and epoch."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, random_histories
from trajectory.data.pipeline.batches import TrainingData
from trajectory.data.pipeline.mixture import MixedData
from trajectory.data.pipeline.splits import split
from trajectory.settings import base

CONFIG = base().batch
CONFIG.rows, CONFIG.length, CONFIG.targets = 2, 8, 8


def domain(users: int, seed: int) -> TrainingData:
    histories = random_histories(users, 9, 12, seed=seed)
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    return TrainingData(histories, parts, NO_FEATURES, CONFIG, seed)


SMALL, LARGE = domain(6, 0), domain(60, 1)


@pytest.mark.parametrize("weights", [(1, 1), (1, 4), (9, 1)])
def test_batches_are_shared_out_by_weight(weights: tuple[int, int]) -> None:
    plan = MixedData([SMALL, LARGE], weights, 0).plan(0)
    total = SMALL.plan(0).num_batches + LARGE.plan(0).num_batches
    counts = np.bincount(plan.domain, minlength=2)
    np.testing.assert_allclose(counts, np.array(weights) / sum(weights) * total, atol=1)
    assert plan.num_batches == counts.sum()


def test_a_batch_is_one_of_its_domain_and_none_comes_twice_before_all_have_come() -> None:
    plan = MixedData([SMALL, LARGE], (1, 1), 0).plan(3)
    seen: dict[int, list[bytes]] = {0: [], 1: []}
    for index in range(plan.num_batches):
        seen[int(plan.domain[index])].append(np.asarray(plan.batch(index).events.item).tobytes())
    once = SMALL.plan(0).num_batches
    assert len(set(seen[0][:once])) == once
    assert len(set(seen[1])) == len(seen[1])


def test_the_same_seed_and_epoch_give_the_same_batches_in_any_order() -> None:
    one, other = (MixedData([SMALL, LARGE], (1, 2), 0) for _ in range(2))
    plan, again = one.plan(1), other.plan(1)
    for index in reversed(range(plan.num_batches)):
        jax.tree.map(np.testing.assert_array_equal, plan.batch(index), again.batch(index))
    assert not np.array_equal(plan.domain, one.plan(2).domain)


def test_the_pipeline_goes_on_where_it_was() -> None:
    data = MixedData([SMALL, LARGE], (1, 1), 0)
    batches = iter(data.dataset())
    for _ in range(data.plan(0).num_batches + 2):
        next(batches)
    position, expected = batches.get_state(), next(batches)
    resumed = iter(data.dataset())
    resumed.set_state(position)
    jax.tree.map(np.testing.assert_array_equal, next(resumed), expected)
