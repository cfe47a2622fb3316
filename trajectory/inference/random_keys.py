"""The random numbers of sampled futures: a user's depend on its id and the seed, not on who else is forecast."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np

from trajectory.data.pipeline.event_statistics import user_numbers
from trajectory.models.time_head import COMPONENTS
from trajectory.schema import Histories, Queries


def keys(histories: Histories, queries: Queries, steps: int, seed: int) -> np.ndarray:
    """Key data uint32 [H, n, 4] of each step of each user, from the seed and the user's id alone."""
    numbers = user_numbers(histories, queries).tolist()
    return np.array([[np.random.SeedSequence([seed, n, h]).generate_state(4) for n in numbers] for h in range(steps)])


class Noise(NamedTuple):
    """What decides a step of one user's paths."""

    item: jax.Array  # [S, V + 1], Gumbel
    component: jax.Array  # [S, 1 + C], Gumbel
    length: jax.Array  # [S], normal


def noise(key: jax.Array, paths: int, items: int) -> Noise:
    """The noise of one user's step, from its key data uint32 [4]; for `jax.lax.map`, not for `jax.vmap`."""
    # This kind of key gives bits at half the cost, but not under vmap: there other rows' keys would play a part.
    gumbel_key, normal_key = jax.random.split(jax.random.wrap_key_data(key, impl="rbg"))
    gumbel = jax.random.gumbel(gumbel_key, (paths, items + 1 + COMPONENTS))
    return Noise(gumbel[:, :items], gumbel[:, items:], jax.random.normal(normal_key, (paths,)))
