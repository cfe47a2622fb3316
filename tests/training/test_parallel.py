"""pmap, jit over a mesh and one device train to the same parameters; shards agree bitwise; one trace only."""

from __future__ import annotations

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, make_model, random_histories
from trajectory.data.pipeline.batches import TrainingData
from trajectory.data.pipeline.splits import split
from trajectory.schema import UserError
from trajectory.settings import base
from trajectory.training import optimizer
from trajectory.training.losses import Objective
from trajectory.training.parallel import Parallel, devices
from trajectory.training.train_step import TrainStep, initial_state

STEPS = 4


HEADS = {"item": 1.0, "interest": 0.5, "conversion": 0.5, "time": 0.3, "reconstruct": 0.0, "contrast": 0.0}


def _data():
    histories = random_histories(60, 30, 12)
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    config = base().batch
    config.rows, config.length, config.targets = 8, 16, 16
    # Few histories in the last rows: shards hold different numbers of targets.
    label = np.random.default_rng(0).integers(-1, 2, histories.num_events).astype(np.int8)
    return histories, TrainingData(histories, parts, NO_FEATURES, config, 0, label)


def _train(
    backbone: str, strategy: str, count: int, dropout: float = 0.0, shard_items: bool = False, temperature: float = 0.0
):
    histories, data = _data()
    model = make_model(backbone, dropout=dropout, temperature=temperature)
    # Plain descent: Adam would divide tiny gradients by tiny gradients and blow rounding up.
    tx = optax.chain(optax.clip_by_global_norm(1.0), optax.add_decayed_weights(0.01), optax.sgd(0.1, momentum=0.5))
    step = TrainStep(model, tx, Objective(HEADS, jnp.asarray(histories.item_interest)))
    parallel = Parallel(step, strategy, jax.local_devices()[:count], shard_items)
    plan = data.plan(0)
    state = parallel.place(initial_state(model, tx, plan.batch(0), 0))
    for i in range(STEPS):
        state, metrics = parallel.step(state, plan.batch(i % plan.num_batches))
    return state, metrics, parallel


def _difference(a, b) -> float:
    pairs = zip(jax.tree.leaves(a.params), jax.tree.leaves(b.params), strict=True)
    return max(float(np.abs(np.asarray(x) - np.asarray(y)).max()) for x, y in pairs)


@pytest.mark.parametrize("backbone", ["lstm", "hybrid"])  # the latter holds a transformer and a recurrent network
def test_pmap_equals_jit_equals_one_device(backbone):
    one, one_metrics, _ = _train(backbone, "jit", 1)
    for strategy in ("pmap", "jit"):
        many, metrics, parallel = _train(backbone, strategy, 8)
        assert _difference(one, many) < 1e-6
        np.testing.assert_allclose(float(metrics["loss"]), float(one_metrics["loss"]), atol=1e-5)
        assert parallel.traces == 1
        for leaf in jax.tree.leaves(many):
            shards = [np.asarray(shard.data) for shard in leaf.addressable_shards]
            assert len(shards) == 8
            assert all(np.array_equal(shards[0], shard) for shard in shards), "devices have diverged"


def test_with_dropout_shards_stay_bitwise_equal_and_strategies_agree():
    state, _, _ = _train("gru", "pmap", 8, dropout=0.3)
    other, _, _ = _train("gru", "jit", 8, dropout=0.3)
    assert _difference(state, other) < 1e-6
    for leaf in jax.tree.leaves((state, other)):
        shards = [np.asarray(shard.data) for shard in leaf.addressable_shards]
        assert all(np.array_equal(shards[0], shard) for shard in shards)


@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_a_split_item_table_trains_as_a_whole_one(temperature):
    options = {"dropout": 0.3, "temperature": temperature}
    whole, metrics, parallel = _train("gru", "jit", 8, **options)
    split, split_metrics, split_parallel = _train("gru", "jit", 8, **options, shard_items=True)
    for name, value in metrics.items():
        np.testing.assert_allclose(float(split_metrics[name]), float(value), rtol=1e-5)
    assert split_parallel.traces == 1
    found = jax.tree_util.tree_flatten_with_path(split_parallel.host(split))[0]
    expected = jax.tree.leaves(parallel.host(whole))
    for (path, a), b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6, err_msg=jax.tree_util.keystr(path))
    sizes = {
        jax.tree_util.keystr(path, simple=True, separator="/"): {shard.data.nbytes for shard in leaf.addressable_shards}
        for path, leaf in jax.tree_util.tree_flatten_with_path(split)[0]
    }
    # 30 items and row 0 fill 32 rows: 4 of 16 numbers for each of 8 devices, of the table and of its momentum.
    assert [size for name, size in sizes.items() if "items/" in name] == [{4 * 16 * 4}] * 2
    placed = split_parallel.place(split_parallel.host(split))
    for a, b in zip(jax.tree.leaves(placed), jax.tree.leaves(split), strict=True):
        assert a.sharding == b.sharding
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_the_given_state_is_donated():
    histories, data = _data()
    model = make_model("gru")
    tx = optimizer.optimiser(base().optim, 100)
    objective = Objective(dict.fromkeys(HEADS, 0.0) | {"item": 1.0}, jnp.asarray(histories.item_interest))
    parallel = Parallel(TrainStep(model, tx, objective), "pmap", jax.devices())
    batch = data.plan(0).batch(0)
    before = parallel.place(initial_state(model, tx, batch, 0))
    host = parallel.host(before)
    parallel.step(before, batch)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(before.params))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(host.params)), "a host copy must outlive the state"


def test_devices_and_rows_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match=r"train\.devices=99"):
        devices(99, 8)
    with pytest.raises(UserError, match="multiple of 8"):
        devices(8, 12)


def test_float32_products_are_not_rounded_once_a_program_has_started():
    code = (
        "import jax, jax.numpy as jnp; from trajectory.training import parallel; parallel.start(1); "
        "print(jax.jit(lambda x: x @ x).lower(jnp.ones((2, 2))).as_text())"
    )
    lowered = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "precision = [HIGHEST, HIGHEST]" in lowered
