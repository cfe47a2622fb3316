"""User and item vectors of a run, as tables: for search, clustering, or another system's features."""

from __future__ import annotations

import jax
import numpy as np
import polars as pl

from trajectory.inference.new_users import whole_histories
from trajectory.models.apply import apply
from trajectory.models.item_encoder import comparable
from trajectory.run import Run
from trajectory.schema import Events, Histories

REPEATS = (
    "this run has a repeat head (model.repeat): the product of a user's and an item's vector ranks what is no repeat "
    "of the user's own items; run.predict ranks both"
)


def item_vectors(run: Run) -> pl.DataFrame:
    """Columns item (source id) and vector (float32 array [width]): the table of the softmax."""
    known = run.vocabulary.catalogue
    table = apply(run.model, run.params, method="item_table")
    items = known.items[: known.num_items]
    return pl.DataFrame({"item": items["item"], "vector": np.asarray(table)[1:]})


def user_vectors(run: Run, histories: Histories | None = None) -> pl.DataFrame:
    """Columns user (source id) and vector (float32 array [width]): the state after each user's newest event.

    Of the run's own users, or of those of `histories` (see `read_histories`). Its product with an item's vector is that
    item's logit in the softmax over the catalogue.
    """
    c, predictor = run.config, run.predictor(histories)

    @jax.jit
    def encode(events: Events, place: jax.Array) -> jax.Array:
        states = apply(run.model, run.params, events, place, method="encode")
        return comparable(states.vector, c.model.temperature)

    vectors = []
    for chunk in whole_histories(predictor.histories).chunks(c.evaluation.batch):
        events, place = predictor.events(chunk.start, chunk.stop)
        vectors.append(np.asarray(encode(events, place[:, None]))[:, 0])
    return pl.DataFrame({"user": predictor.histories.users["user"], "vector": np.concatenate(vectors)})
