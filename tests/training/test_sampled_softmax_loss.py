"""Drawn negatives estimate the full softmax."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trajectory.training.fused_softmax_loss import SoftmaxTargets, item_loss
from trajectory.training.sampled_softmax_loss import Drawn, Negatives, sampled_item_loss

ITEMS = 30


def _some(rows: int = 6, slots: int = 2):
    rng = np.random.default_rng(0)
    events = rng.zipf(1.5, 4000) % ITEMS + 1
    target = rng.integers(1, ITEMS + 1, (rows, slots))
    pointed = rng.uniform(0, 0.2, (rows, slots))
    asked = SoftmaxTargets(
        rng.normal(size=(rows, 4)), np.log(rng.uniform(0.5, 0.9, rows)), pointed, target, rng.random((rows, slots))
    )
    asked, table = jax.tree.map(
        lambda x: jnp.asarray(x, jnp.int32 if x.dtype.kind == "i" else jnp.float32),
        (asked, rng.normal(size=(ITEMS + 1, 4))),
    )
    return asked, table, Negatives.of(8, events, ITEMS)


def test_items_are_drawn_as_often_as_stated():
    _, _, negatives = _some()
    drawn = np.asarray(negatives._replace(draws=200_000).draw(jax.random.key(0)).item)
    share = np.bincount(drawn, minlength=ITEMS + 1) / len(drawn)
    assert share[0] == 0
    np.testing.assert_allclose(share[1:], np.exp(negatives.log_q[1:]), atol=0.004)


def test_items_without_events_and_cold_ones_do_not_break_the_draw():
    negatives = Negatives.of(1000, np.array([0, 2, 2, 9, 40]), 5)
    drawn = np.asarray(negatives.draw(jax.random.key(1)).item)
    assert set(drawn) == {1, 2, 3, 4, 5}
    np.testing.assert_allclose(np.exp(negatives.log_q[1:]).sum(), 1, rtol=1e-6)


def by_table(asked: SoftmaxTargets, table: jax.Array, drawn: Drawn, power: float = 0.0) -> jax.Array:
    return sampled_item_loss(asked, table[asked.target], table[drawn.item], drawn, power)


def test_items_are_drawn_from_one_domain_as_often_as_stated():
    events = np.array([7, 1, 1, 1, 2, 6, 6, 8, 9])
    negatives = Negatives.of(100_000, events, 8, last=[3, 8])
    for item, (first, last) in {1: (1, 3), 3: (1, 3), 4: (4, 8), 8: (4, 8)}.items():
        drawn = negatives.draw(jax.random.key(0), item)
        share = np.bincount(drawn.item, minlength=9) / 100_000
        assert share[first : last + 1].sum() == 1
        np.testing.assert_allclose(share[first : last + 1], np.exp(negatives.log_q[first : last + 1]), atol=0.006)
    np.testing.assert_allclose(np.exp(negatives.log_q[1:4]), [0.5 * 3 / 4 + 1 / 6, 0.5 / 4 + 1 / 6, 1 / 6], rtol=1e-5)


@pytest.mark.parametrize("power", [0.0, 0.3])
def test_with_many_draws_value_and_gradient_are_those_of_the_full_softmax(power):
    asked, table, negatives = _some()

    def by_reals(function):
        return jax.value_and_grad(lambda v, t: function(asked._replace(vectors=v), t, power=power), argnums=(0, 1))

    full, gradient = by_reals(item_loss)(asked.vectors, table)
    drawn = negatives._replace(draws=400_000).draw(jax.random.key(2))
    sampled = by_reals(partial(by_table, drawn=drawn))
    value, estimated = sampled(asked.vectors, table)
    np.testing.assert_allclose(value, full, rtol=3e-3)
    for got, expected in zip(estimated, gradient, strict=True):
        np.testing.assert_allclose(got, expected, atol=0.02)


def test_the_normaliser_is_right_on_average_with_few_draws():
    asked, table, negatives = _some(rows=1, slots=1)
    asked = asked._replace(generate=jnp.zeros(1), pointed=jnp.zeros((1, 1)), weight=jnp.ones((1, 1)))
    keys = jax.random.split(jax.random.key(3), 40_000)
    loss = jax.vmap(lambda key: by_table(asked, table, negatives.draw(key)))(keys)
    own = asked.vectors[0] @ table[asked.target[0, 0]]
    normaliser = np.exp(np.asarray(loss) + own)
    true = np.exp(np.asarray(table[1:] @ asked.vectors[0])).sum()
    assert abs(normaliser.mean() - true) < 4 * normaliser.std() / len(keys) ** 0.5
