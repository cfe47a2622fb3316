"""A trained model as a scorer of queries: the last events of each history through the model, in jitted batches."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np

from trajectory.data.pipeline.featurize import row_length, slices
from trajectory.inference.predictor import Predictor
from trajectory.models.apply import apply
from trajectory.models.interest_model import InterestModel
from trajectory.models.top_down import log_sums
from trajectory.protocols import Scores
from trajectory.schema import Events, Queries

CONVERSIONS_AT_ONCE = 256
ROWS = 1024  # up to which numbers of queries are filled up, so that few are compiled


class ModelScorer:
    """Log-probabilities of the next step's items and interests, and of a conversion."""

    log_probabilities = True
    batch: int | None = None

    def __init__(self, predictor: Predictor, name: str = "model") -> None:
        self.predictor, self.name = predictor, name

    def score(self, queries: Queries) -> Scores:
        """Log-probabilities of the next item [n, V + 1] and of its interest [n, K + 1], None where the log has none."""
        p, n = self.predictor, len(queries.user)
        full = queries.padded(row_length(n, max(n, ROWS)))
        items = _items(p.model, p.params, *p.events(full.start, full.stop))
        if not p.histories.interests:
            return Scores(items[:n])
        interests = _interests(items, p.histories.item_interest[: items.shape[1]], len(p.histories.interests))
        return Scores(items[:n], interests[:n])

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
        parts = []
        for at in range(0, len(row), CONVERSIONS_AT_ONCE):
            part = slice(at, at + CONVERSIONS_AT_ONCE)
            events, newest = predictor.events(start[row[part]], high[part])
            targets = slices(newest + 1 - (high[part] - low[part]), newest + 1)
            parts.append((_conversions(predictor.model, predictor.params, events), targets))
        return np.concatenate([np.zeros(0, np.float32), *(np.asarray(rows)[targets] for rows, targets in parts)])


@partial(jax.jit, static_argnums=0)
def _items(model: InterestModel, params: Any, events: Events, place: jax.Array) -> jax.Array:
    """Log-probabilities of items at one place of each row."""
    states = apply(model, params, events, place[:, None], method="encode")
    return apply(model, params, states, method="score")[:, 0]  # type: ignore[no-any-return]


_interests = jax.jit(log_sums, static_argnums=2)


@partial(jax.jit, static_argnums=0)
def _conversions(model: InterestModel, params: Any, events: Events) -> jax.Array:
    """Probability of a conversion at all places [B, L]."""
    states = apply(model, params, events, method="encode")
    return jax.nn.sigmoid(apply(model, params, states, method="score_conversion"))
