"""A trained model as a scorer of queries: the last events of each history through the model, in jitted batches."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.baselines.next_item import basket_size
from trajectory.data.pipeline.featurize import slices
from trajectory.inference.predictor import Predictor
from trajectory.metrics.by_interest import log_by_interest
from trajectory.metrics.ranking import distinct_items
from trajectory.metrics.waiting_time import Times, timing
from trajectory.models.interest_model import InterestModel
from trajectory.models.time_head import Wait
from trajectory.protocols import Scores
from trajectory.schema import Events, Queries, UserError

CONVERSIONS_AT_ONCE = 256


class ModelScorer:
    """Log-probabilities of the next step's items and interests, and of a conversion."""

    log_probabilities = True
    batch: int | None = None

    def __init__(self, predictor: Predictor, name: str = "model") -> None:
        self.predictor, self.name = predictor, name

    def score(self, queries: Queries) -> Scores:
        """Log-probabilities of the next item [n, V + 1] and interest [n, K + 1], None where there is no head of it."""
        p = self.predictor
        return Scores(*_heads(p.model, p.params, *p.events(queries.start, queries.stop)))

    def conversion(self, start: np.ndarray, first: np.ndarray, stop: np.ndarray) -> np.ndarray:
        """Probability of a conversion after each event of the slices first:stop of histories that begin at `start`.

        Flat [sum of slice lengths], in order. Each is read with at least length / 2 earlier events where there are so
        many.
        """
        predictor = self.predictor
        half = max(predictor.length // 2, 1)
        pieces = np.maximum(-(-(stop - first) // half), 0)
        row, number = slices(np.zeros_like(pieces), pieces)
        low = first[row] + number * half
        high = np.minimum(low + half, stop[row])
        found = []
        for at in range(0, len(row), CONVERSIONS_AT_ONCE):
            part = slice(at, at + CONVERSIONS_AT_ONCE)
            events, newest = predictor.events(start[row[part]], high[part])
            asked = slices(newest + 1 - (high[part] - low[part]), newest + 1)
            found.append((_conversions(predictor.model, predictor.params, events), asked))
        return np.concatenate([np.zeros(0, np.float32), *(np.asarray(rows)[asked] for rows, asked in found)])


class DirectForecast(ModelScorer):
    """What the heads of a model of several steps foretell directly of each of the next `steps` steps (see `Ahead`).

    Where the predictor filters seen items, those of the history cannot come again, nor any item twice.
    """

    name = "direct"
    batch = 64

    def __init__(self, predictor: Predictor, steps: int) -> None:
        super().__init__(predictor)
        horizon = predictor.model.spec.horizon
        if steps > horizon:
            raise UserError(f"steps={steps}: this model foretells {horizon} steps directly (heads.horizon)")
        self.steps = steps

    def ahead(self, queries: Queries) -> jax.Array:
        """Log-probability of each item at each step [n, H, V + 1]."""
        p, seen = self.predictor, np.zeros((len(queries.user), 1), np.int32)
        if p.filter_seen:
            seen = distinct_items(p.histories, queries.start, queries.stop, least=64)
        return _ahead(p.model, p.params, *p.events(queries.start, queries.stop), seen, self.steps)

    def within(self, queries: Queries, ahead: np.ndarray) -> np.ndarray:
        """Probability of each item within the first h steps [n, H, V + 1], given `ahead` of these queries.

        Where nothing comes twice, steps exclude each other. Else they are taken as of `interests_within`.
        """
        if self.predictor.filter_seen:
            return np.cumsum(np.exp(np.asarray(ahead)), axis=1).clip(0, 1)
        return self.interests_within(queries, ahead)

    def interests(self, queries: Queries, ahead: np.ndarray) -> np.ndarray:
        """Log-probability of each interest at each step [n, H, K + 1], given `ahead` (column 0: items without one)."""
        return log_by_interest(self.predictor.histories, np.asarray(ahead))

    def interests_within(self, queries: Queries, log_shares: np.ndarray) -> np.ndarray:
        """Probability of each interest within the first h steps [n, H, K + 1], given its log-chances at each.

        Steps are taken as independent; a basket brings a Poisson number of items, as many as the user's baskets had
        on average, each of this interest by its chance.
        """
        chance, histories = np.exp(np.asarray(log_shares)), self.predictor.histories
        if not histories.baskets:
            return 1 - np.cumprod(1 - chance, axis=1)
        size = basket_size(histories, queries)
        return -np.expm1(-size[:, None, None] * np.cumsum(chance, axis=1))

    def waits(self, queries: Queries) -> Wait:
        """How the time until each step is distributed, arrays [n, H, ...]."""
        p = self.predictor
        return _waits(p.model, p.params, *p.events(queries.start, queries.stop), self.steps)

    def times(self, queries: Queries, observed: np.ndarray) -> Times:
        """Quantiles of the days until each step, and the likelihood of the `observed` days [n, H]."""
        return timing(self.waits(queries), observed)


def _look(model: InterestModel, params: Any, events: Events, place: jax.Array, steps: int) -> Any:
    """States [n, H] that look 1 .. H steps ahead from one place of each row."""
    shape = (len(place), steps)
    places, horizon = jnp.broadcast_to(place[:, None], shape), jnp.broadcast_to(jnp.arange(1, steps + 1), shape)
    return cast(Any, model.apply)(params, events, places, horizon=horizon, method="encode")


@partial(jax.jit, static_argnums=(0, 5))
def _ahead(
    model: InterestModel, params: Any, events: Events, place: jax.Array, seen: jax.Array, steps: int
) -> jax.Array:
    score = cast(Any, model.apply)(params, _look(model, params, events, place, steps), method="score")
    score = score.at[jnp.arange(len(seen))[:, None], :, seen].set(-jnp.inf, mode="drop").at[..., 0].set(-jnp.inf)
    return jnp.where(score > -jnp.inf, jax.nn.log_softmax(score, axis=-1), -jnp.inf)  # a history may hold all items


@partial(jax.jit, static_argnums=(0, 4))
def _waits(model: InterestModel, params: Any, events: Events, place: jax.Array, steps: int) -> Wait:
    return cast(Any, model.apply)(params, _look(model, params, events, place, steps), method="wait")


@partial(jax.jit, static_argnums=0)
def _heads(model: InterestModel, params: Any, events: Events, place: jax.Array) -> tuple[Any, Any]:
    """Item and interest log-probabilities at one place of each row."""
    apply = cast(Any, model.apply)
    states = apply(params, events, place[:, None], method="encode")
    item = apply(params, states, method="score")[:, 0]
    return item, apply(params, states, method="score_interest")[:, 0] if model.spec.interest else None


@partial(jax.jit, static_argnums=0)
def _conversions(model: InterestModel, params: Any, events: Events) -> jax.Array:
    """Probability of a conversion at all places [B, L]."""
    apply = cast(Any, model.apply)
    states = apply(params, events, method="encode")
    return jax.nn.sigmoid(apply(params, states, method="score_conversion"))
