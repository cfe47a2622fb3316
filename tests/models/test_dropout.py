"""A mask that is hashed must be as good as one that is drawn."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trajectory.models.dropout import Dropout, EventDropout

pytestmark = pytest.mark.compiled_quickly

SHAPE = (64, 50, 32)
COUNT = np.prod(SHAPE)


def kept(seed: int, rate: float = 0.5) -> np.ndarray:
    x = jnp.ones(SHAPE)
    return np.asarray(Dropout(rate).apply({}, x, True, rngs={"dropout": jax.random.key(seed)}) > 0)


def assert_share(found: np.ndarray, expected: float) -> None:
    deviation = np.sqrt(expected * (1 - expected) / found.size)
    assert abs(found.mean() - expected) < 4.5 * deviation


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9])
def test_values_are_dropped_at_the_rate_and_the_others_raised(rate):
    x = jax.random.normal(jax.random.key(3), SHAPE)
    out = Dropout(rate).apply({}, x, True, rngs={"dropout": jax.random.key(0)})
    mask = np.asarray(out) != 0
    assert_share(mask, 1 - rate)
    np.testing.assert_allclose(out[mask], x[mask] / (1 - rate), rtol=1e-6)


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_neighbours_are_dropped_independently(rate):
    mask = kept(1, rate).ravel()
    for distance in (1, 2, 3, 4, 8, 16, 32, 64, 50 * 32, 1 << 14):
        assert_share(mask[:-distance] & mask[distance:], (1 - rate) ** 2)
    runs = mask[: COUNT // 8 * 8].reshape(-1, 8)
    assert_share(runs.all(axis=1), (1 - rate) ** 8)


def test_each_row_and_column_is_dropped_at_the_rate():
    mask = kept(2).reshape(-1, SHAPE[-1])
    for axis in (0, 1):
        share = mask.mean(axis=axis)
        z = (share - 0.5) / np.sqrt(0.25 / mask.shape[axis])
        assert abs(z.std() - 1) < 5 / np.sqrt(2 * len(z))


def test_keys_give_independent_masks_at_every_shift():
    one, other = kept(3).ravel(), kept(4).ravel()
    spectrum = np.fft.rfft(one - 0.5) * np.conj(np.fft.rfft(other - 0.5))
    correlation = np.fft.irfft(spectrum, len(one)) / (0.25 * np.sqrt(len(one)))  # standard normal at each shift
    assert np.abs(correlation).max() < 6
    keys = jax.vmap(jax.random.key)(jnp.arange(2000))
    drawn = jax.jit(jax.vmap(lambda key: Dropout(0.5).apply({}, jnp.ones(40), True, rngs={"dropout": key})))(keys)
    counts = np.mean(np.asarray(drawn) > 0, axis=0)
    assert np.abs((counts - 0.5) / np.sqrt(0.25 / 2000)).max() < 4.5


def test_a_key_gives_the_same_mask_jitted_or_not():
    layer, x, key = Dropout(0.3), jnp.ones(SHAPE), jax.random.key(5)

    def drop(x):
        return layer.apply({}, x, True, rngs={"dropout": key})

    np.testing.assert_array_equal(drop(x), jax.jit(drop)(x))
    np.testing.assert_array_equal(jax.grad(lambda x: drop(x).sum())(x), drop(x))


def test_nothing_is_dropped_outside_training_or_at_rate_0_and_all_at_rate_1():
    x, rngs = jnp.ones((3, 4)), {"dropout": jax.random.key(0)}
    np.testing.assert_array_equal(Dropout(0.5).apply({}, x, False), x)
    np.testing.assert_array_equal(Dropout(0.0).apply({}, x, True), x)
    gone = jax.value_and_grad(lambda x: Dropout(1.0).apply({}, x, True, rngs=rngs).sum())(x)
    for part in gone:
        np.testing.assert_array_equal(part, jnp.zeros_like(part))


def test_layers_of_a_model_are_dropped_by_masks_of_their_own():
    class Two(nn.Module):
        @nn.compact
        def __call__(self, x):
            return Dropout(0.5)(x, True), Dropout(0.5)(x, True)

    one, other = Two().apply({}, jnp.ones(SHAPE), rngs={"dropout": jax.random.key(0)})
    assert_share((np.asarray(one) > 0) & (np.asarray(other) > 0), 0.25)


def test_events_are_hidden_whole_at_the_rate_and_the_others_left_as_they_are():
    x, rngs = jax.random.normal(jax.random.key(3), (400, 50, 8)), {"dropout": jax.random.key(0)}
    out = np.asarray(EventDropout(0.1).apply({}, x, True, rngs=rngs))
    hidden = (out == 0).all(axis=-1)
    assert_share(hidden, 0.1)
    np.testing.assert_array_equal(out[~hidden], x[~hidden])
    np.testing.assert_array_equal(EventDropout(0.1).apply({}, x, False), x)
    np.testing.assert_array_equal(EventDropout(0.0).apply({}, x, True), x)
