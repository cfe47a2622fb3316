"""Direct multi-step forecasts: heads that look several steps ahead forecast each of them from the history alone."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.baselines.next_item import basket_size
from trajectory.data.pipeline.featurize import row_length
from trajectory.inference.predictor import Predictor
from trajectory.metrics.by_interest import log_by_interest
from trajectory.metrics.ranking import distinct_items
from trajectory.metrics.waiting_time import quantiles
from trajectory.metrics.within_bounds import at_least_items, bounded
from trajectory.models.apply import apply
from trajectory.models.heads import States
from trajectory.models.interest_model import InterestModel
from trajectory.models.time_head import Wait
from trajectory.protocols import UncalibratedForecast
from trajectory.schema import Events, Queries, UserError


class DirectForecaster:
    """Forecasts of the next `steps` steps by the heads of a model (see `heads.HorizonProjection`).

    Where the predictor filters seen items, those of the history cannot come again, nor any item twice.
    """

    name = "direct"
    batch = 64

    def __init__(self, predictor: Predictor, steps: int) -> None:
        spec = predictor.model.spec
        if steps > spec.heads.horizon:
            raise UserError(f"steps={steps}: this model forecasts {spec.heads.horizon} steps directly (heads.horizon)")
        self.predictor, self.steps = predictor, steps
        self.timed = spec.heads.time and predictor.histories.has_time

    def forecast(self, queries: Queries) -> DirectForecast:
        """The steps after each query's history."""
        return DirectForecast(self, queries)


class DirectForecast(UncalibratedForecast):
    """What the heads say of the next steps after some histories."""

    def __init__(self, forecaster: DirectForecaster, queries: Queries) -> None:
        self._predictor, self._steps, self._timed = forecaster.predictor, forecaster.steps, forecaster.timed
        self._queries, self._count = queries, len(queries.user)
        self._full = queries.padded(row_length(self._count, max(self._count, forecaster.batch)))  # few are compiled

    @cached_property
    def log_probability(self) -> np.ndarray:
        """Of each item at each step, float32 [n, H, V + 1]."""
        p, queries = self._predictor, self._full
        seen = np.zeros((len(queries.user), 1), np.int32)
        if p.filter_seen:
            seen = distinct_items(p.histories, queries.start, queries.stop, least=64)
        return np.asarray(_log_probability(p.model, p.params, self._states, seen))[: self._count]

    @cached_property
    def log_interests(self) -> np.ndarray:
        """Sums over the items of each interest."""
        return log_by_interest(self._predictor.histories, self.log_probability)

    @cached_property
    def within(self) -> np.ndarray:
        """Probability of each item within steps 1..h, [n, H, V + 1]."""
        within = self.within_given(self.log_probability)
        return bounded(within, self.probability, self._predictor.histories.baskets)

    @cached_property
    def interests_within(self) -> np.ndarray:
        """Probability of each interest within steps 1..h, [n, H, K + 1]."""
        within = self.interests_within_given(self.log_interests)
        within = bounded(within, self.interests, self._predictor.histories.baskets)
        return at_least_items(within, self.within, self._predictor.histories.item_interest)

    @cached_property
    def wait(self) -> Wait | None:
        """How the days until each step are distributed; None without a time head or times."""
        return jax.tree.map(lambda x: x[: self._count], self._wait) if self._timed else None

    def days(self, silent: np.ndarray) -> np.ndarray | None:
        """Quantiles of the days until each step, given the silence so far."""
        return quantiles(self.wait, silent) if self.wait is not None else None

    def within_given(self, log_probability: np.ndarray) -> np.ndarray:
        """Where nothing comes twice, steps exclude each other. Else they are as of `interests_within_given`."""
        if self._predictor.filter_seen:
            return np.cumsum(np.exp(log_probability), axis=1).clip(0, 1)
        return self.interests_within_given(log_probability)

    def interests_within_given(self, log_interests: np.ndarray) -> np.ndarray:
        """Steps are independent; a basket brings a Poisson number of items, as many as the user's baskets had on
        average, each of this interest by its probability.
        """
        probability, histories = np.exp(log_interests), self._predictor.histories
        if not histories.baskets:
            return 1 - np.cumprod(1 - probability, axis=1)
        size = basket_size(histories, self._queries)
        return -np.expm1(-size[:, None, None] * np.cumsum(probability, axis=1))

    @cached_property
    def _wait(self) -> Wait:
        p = self._predictor
        return _waits(p.model, p.params, self._states)

    @cached_property
    def _states(self) -> States:
        """Which all heads are read of: a history is encoded once."""
        p = self._predictor
        return _encode(p.model, p.params, *p.events(self._full.start, self._full.stop), self._steps)


@partial(jax.jit, static_argnums=(0, 4))
def _encode(model: InterestModel, params: Any, events: Events, place: jax.Array, steps: int) -> States:
    """States [n, H] that look 1 .. H steps ahead from one place of each row."""
    shape = (len(place), steps)
    places, horizon = jnp.broadcast_to(place[:, None], shape), jnp.broadcast_to(jnp.arange(1, steps + 1), shape)
    return apply(model, params, events, places, horizon=horizon, method="encode")


@partial(jax.jit, static_argnums=0)
def _log_probability(model: InterestModel, params: Any, states: States, seen: jax.Array) -> jax.Array:
    score = apply(model, params, states, method="score")
    score = score.at[jnp.arange(len(seen))[:, None], :, seen].set(-jnp.inf, mode="drop").at[..., 0].set(-jnp.inf)
    return jnp.where(score > -jnp.inf, jax.nn.log_softmax(score, axis=-1), -jnp.inf)  # a history may hold all items


@partial(jax.jit, static_argnums=0)
def _waits(model: InterestModel, params: Any, states: States) -> Wait:
    return apply(model, params, states, method="wait")
