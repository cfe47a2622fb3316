"""The time head: how long until the step a state looks at, as a proper distribution."""

from __future__ import annotations

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.scipy.special import log_ndtr, logsumexp, ndtr, ndtri

from trajectory.models.dense import FlatDense

COMPONENTS = 6
SHORTEST, LONGEST = 1 / 1440, 365.0  # days: where the components' medians begin, evenly on a log scale
LEAST_SCALE, MOST_SCALE = 0.1, 3.0  # standard deviation of log(days): no spike, and no tail that swallows the mean
BISECTIONS = 26  # of RANGE: as near as float32 tells days apart
NEVER = -1e4  # log(days), below all that comes
RANGE = (-20.0, 12.0)  # log(days) between which quantiles are looked for: microseconds to centuries


class Wait(NamedTuple):
    """Time until a step: with some probability none (several steps at one moment), else a mixture of log-normals.

    A density is put on positive times only: many logs have steps of one moment, which no density can hold.
    """

    zero: jax.Array  # [...], log-odds that no time passes
    log_weight: jax.Array  # [..., C], of each component; sums to 1
    centre: jax.Array  # [..., C], mean of log(days)
    scale: jax.Array  # [..., C], standard deviation of log(days)


class TimeHead(nn.Module):
    """States to a mixture of log-normals (intensity-free point processes, Shchur et al. 2020) beside a mass at zero."""

    def setup(self) -> None:
        def begin(key: jax.Array, shape: tuple[int, ...], dtype=jnp.float32) -> jax.Array:
            centre = jnp.linspace(jnp.log(SHORTEST), jnp.log(LONGEST), COMPONENTS)
            return jnp.concatenate([jnp.zeros(1 + COMPONENTS), centre, jnp.zeros(COMPONENTS)]).astype(dtype)

        self.out = FlatDense(1 + 3 * COMPONENTS, kernel_init=nn.initializers.normal(0.02), bias_init=begin)

    def __call__(self, state: jax.Array) -> Wait:
        """States [..., D] -> the distribution of the time until the step they look at."""
        zero, weight, centre, scale = jnp.split(self.out(state), (1, 1 + COMPONENTS, 1 + 2 * COMPONENTS), axis=-1)
        spread = LEAST_SCALE + (MOST_SCALE - LEAST_SCALE) * jax.nn.sigmoid(scale)
        return Wait(zero[..., 0], jax.nn.log_softmax(weight, axis=-1), centre, spread)


def draw(wait: Wait, gumbel: jax.Array, normal: jax.Array, silent: jax.Array | float = 0.0) -> jax.Array:
    """Days [...] drawn from the distribution, by standard noise: Gumbel [..., 1 + C] and normal [...].

    `silent` days [...] have passed without the step: drawn is what is longer (all, where none have).
    """
    silent = jnp.broadcast_to(silent, wait.zero.shape)
    at_once = jnp.where(silent > 0, -jnp.inf, jax.nn.log_sigmoid(wait.zero))[..., None]
    later = jax.nn.log_sigmoid(-wait.zero)[..., None] + wait.log_weight + _log_longer(wait, silent)
    chosen = (jnp.concatenate([at_once, later], axis=-1) + gumbel).argmax(-1)
    at = jnp.maximum(chosen - 1, 0)[..., None]
    centre, scale = (jnp.take_along_axis(x, at, -1)[..., 0] for x in (wait.centre, wait.scale))
    least = (_log_days(silent) - centre) / scale
    beyond = -ndtri(jnp.maximum(ndtr(-least) * ndtr(-normal), jnp.finfo(jnp.float32).tiny))
    z = jnp.where(silent > 0, jnp.maximum(beyond, least), normal)
    return jnp.where(chosen > 0, jnp.exp(centre + scale * z), 0.0)


def log_likelihood(wait: Wait, days: jax.Array) -> jax.Array:
    """Log-probability of no time where `days` [...] is 0, else log-density per day of that time."""
    log_days = jnp.log(jnp.where(days > 0, days, 1.0))[..., None]
    z = (log_days - wait.centre) / wait.scale
    normal = -0.5 * jnp.square(z) - jnp.log(wait.scale) - 0.5 * jnp.log(2 * jnp.pi)
    density = logsumexp(wait.log_weight + normal, axis=-1) - log_days[..., 0]
    return jnp.where(days > 0, jax.nn.log_sigmoid(-wait.zero) + density, jax.nn.log_sigmoid(wait.zero))


def chance_within(wait: Wait, days: jax.Array) -> jax.Array:
    """Probability [...] that at most `days` [...] pass (0 or more)."""
    log_days = jnp.log(jnp.where(days > 0, days, 1.0))[..., None]
    passed = (jnp.exp(wait.log_weight) * ndtr((log_days - wait.centre) / wait.scale)).sum(-1)
    at_once = jax.nn.sigmoid(wait.zero)
    return jnp.where(days > 0, at_once + (1 - at_once) * passed, at_once)


def log_chance_beyond(wait: Wait, days: jax.Array) -> jax.Array:
    """Log-probability [...] that more than `days` [...] pass (0 or more)."""
    longer = logsumexp(wait.log_weight + _log_longer(wait, days), axis=-1)
    return jax.nn.log_sigmoid(-wait.zero) + longer


def quantile(wait: Wait, share: jax.Array, silent: jax.Array | float = 0.0) -> jax.Array:
    """Days [...] within which the step comes with probability `share` [...] (0 to 1), given that it did not come for
    `silent` days [...], which are counted.
    """
    shape = jnp.broadcast_shapes(wait.zero.shape, jnp.shape(share), jnp.shape(silent))
    silent = jnp.broadcast_to(silent, shape)
    wanted = jnp.log1p(-share) + jnp.where(silent > 0, log_chance_beyond(wait, silent), 0.0)

    def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low, high = ends
        middle = (low + high) / 2
        above = log_chance_beyond(wait, jnp.exp(middle)) <= wanted
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    low = jnp.maximum(_log_days(silent), RANGE[0])
    _, high = jax.lax.fori_loop(0, BISECTIONS, halve, (low, jnp.maximum(low, RANGE[1])))
    return jnp.where(jax.nn.log_sigmoid(-wait.zero) <= wanted, 0.0, jnp.exp(high))


def _log_longer(wait: Wait, days: jax.Array) -> jax.Array:
    """Log-probability [..., C] that a time of each component is longer than `days` [...]."""
    return log_ndtr((wait.centre - _log_days(days)[..., None]) / wait.scale)


def _log_days(days: jax.Array) -> jax.Array:
    """Log of the days, of none a number below all others (not minus infinity, which differences do not bear)."""
    return jnp.where(days > 0, jnp.log(jnp.where(days > 0, days, 1.0)), NEVER)
