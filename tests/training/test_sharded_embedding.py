"""Items looked up in, and the loss over, a table split over devices: as with the whole table."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from trajectory.training import fused_softmax_loss, sharded_embedding
from trajectory.training.fused_softmax_loss import SoftmaxTargets

DEVICES = 8


def _over_devices(function, *split):
    """`function` of arrays split by rows over the devices; what it returns is put together again."""
    mesh = jax.make_mesh((DEVICES,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    spec = PartitionSpec("data")
    return jax.jit(jax.shard_map(function, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False))(*split)


def _split(table: np.ndarray) -> np.ndarray:
    return np.pad(table, ((0, -len(table) % DEVICES), (0, 0)))


def _asked(rows: int, items: int) -> tuple[SoftmaxTargets, np.ndarray]:
    rng = np.random.default_rng(items)
    pointed = rng.uniform(0, 0.2, (rows, 3)) * (rng.random((rows, 3)) < 0.5)
    weight = rng.random((rows, 3)) * (rng.random((rows, 3)) < 0.8)
    reals = (3 * rng.normal(size=(rows, 4)), np.log(rng.uniform(0.2, 0.8, rows)), pointed, weight)
    vectors, generate, pointed, weight = (x.astype(np.float32) for x in reals)
    target = rng.integers(1, items + 1, (rows, 3)).astype(np.int32)
    table = 3 * rng.normal(size=(items + 1, 4)).astype(np.float32)
    return SoftmaxTargets(vectors, generate, pointed, target, weight), table


# 8 + 1 rows over 8 devices: two each, and the last three devices have no item at all.
@pytest.mark.parametrize(("items", "power"), [(8, 0.0), (50, 0.0), (87, 0.0), (87, 0.3)])
def test_value_and_gradients_are_those_of_the_whole_table(items, power, monkeypatch):
    monkeypatch.setattr(sharded_embedding, "BLOCK", 4)
    asked, table = _asked(16, items)

    def loss(reals, table, asked, function):
        vectors, generate, pointed = reals
        # Each device's loss counts alike, as where all are divided by what was counted everywhere.
        return 2 * function(asked._replace(vectors=vectors, generate=generate, pointed=pointed), table)

    def local(asked: SoftmaxTargets, table):
        def shards(asked: SoftmaxTargets, table):
            return sharded_embedding.item_loss(asked, table, items, "data", power)

        value, gradient = jax.value_and_grad(loss, argnums=(0, 1))(asked[:3], table, asked, shards)
        return value[None], gradient

    values, (d_reals, d_table) = _over_devices(local, asked, _split(table))
    whole = jax.tree.map(jnp.asarray, (asked, table))
    value, (expected, d_expected) = jax.value_and_grad(loss, argnums=(0, 1))(
        whole[0][:3], whole[1], whole[0], partial(fused_softmax_loss.item_loss, power=power)
    )
    np.testing.assert_allclose(values.sum(), value, rtol=1e-5)
    for got, wanted in zip(d_reals, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(d_table[: items + 1], d_expected, rtol=1e-4, atol=1e-5)
    assert np.all(np.asarray(d_table)[items + 1 :] == 0), "rows that fill the last shard are no items"


def test_looking_up_gives_each_device_its_own_vectors_and_nothing_for_no_item():
    table = np.random.default_rng(0).normal(size=(21, 4)).astype(np.float32)
    item = np.random.default_rng(1).integers(0, 21, (16, 5)).astype(np.int32)
    item[:, 0] = 0

    def vectors(item, table):
        return sharded_embedding.look_up(table, item, "data")

    found = _over_devices(vectors, item, _split(table))
    np.testing.assert_array_equal(found, table[item] * (item > 0)[..., None])
