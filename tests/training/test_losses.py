"""Losses that need no next item: a history told from its last state, and two looks at it told from those at others."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.builders import NO_FEATURES, applied, changed, initialise, make_histories, make_model
from trajectory.data.pipeline.batches import TrainingData
from trajectory.data.pipeline.splits import split
from trajectory.settings import base
from trajectory.training import losses
from trajectory.training.sampled_softmax_loss import Negatives

ITEMS = 30
NONE = dict.fromkeys(losses.HEADS, 0.0)


@pytest.fixture(scope="module", params=[0, 3], ids=["learned", "kept"])
def case(request):
    """(model without dropout, parameters, a batch whose rows hold several windows); items have so many numbers that no
    learning changes.
    """
    lists = np.random.default_rng(1).integers(1, ITEMS + 1, (12, 8)).tolist()
    histories, parts = split(make_histories(lists, num_items=ITEMS), base().split)
    config = base().batch
    config.rows, config.length, config.targets = 4, 16, 16
    batch = TrainingData(histories, parts, NO_FEATURES, config, 0).plan(0).batch(0)
    model = make_model("gru", repeat=False, dropout=0.0, frozen=request.param)
    model = changed(model, reconstruct=True, contrast=True, interest=False, conversion=False, time=False)
    return model, initialise(model, batch.events), batch


def _loss(case, name: str, **options) -> float:
    model, params, batch = case
    weights = NONE | {name: 1.0}
    objective = losses.Objective(weights, jnp.zeros(ITEMS + 1, int))
    return float(losses.sums(objective, model, params, batch, jax.random.key(0), **options)[name])


def _windows(batch) -> list[tuple[int, int, list[int]]]:
    """Row, place of the last target and the items until there, of each window."""
    found = []
    for row, segments in enumerate(np.asarray(batch.events.segment)):
        places = np.asarray(batch.targets.position)[row][np.asarray(batch.targets.weight)[row].any(-1)]
        for window in np.unique(segments[places]):
            last = int(places[segments[places] == window].max())
            inside = (segments == window) & (np.arange(len(segments)) <= last)
            found.append((row, last, np.asarray(batch.events.item)[row][inside].tolist()))
    return found


def test_reconstruction_is_the_likelihood_of_a_row_s_last_history_from_its_last_state(case):
    model, params, batch = case
    states = applied(model, params, batch.events, method="encode")
    logits = applied(model, params, states, method="recall") @ applied(model, params, method="item_table").T
    log_p = np.asarray(jax.nn.log_softmax(logits[..., 1:]))
    last = {row: (place, items) for row, place, items in _windows(batch)}  # the last window of each row
    expected = -sum(log_p[row, place, np.array(items) - 1].mean() for row, (place, items) in last.items())
    assert _loss(case, "reconstruct") == pytest.approx(expected, rel=1e-4)
    assert float(losses.counts(batch)["reconstruct"]) == len(last)


def test_reconstruction_may_be_over_drawn_items(case):
    negatives = Negatives.of(20000, np.arange(1, ITEMS + 1), ITEMS)
    drawn = negatives.draw(jax.random.key(1))
    assert _loss(case, "reconstruct", drawn=drawn) == pytest.approx(_loss(case, "reconstruct"), rel=0.01)


def test_contrast_tells_each_window_s_two_looks_from_those_at_all_others(case):
    model, params, batch = case
    view = np.asarray(applied(model, params, applied(model, params, batch.events, method="encode"), method="view"))
    views = np.array([view[row, place] for row, place, _ in _windows(batch)])
    assert len(views) > 4, "rows hold several windows"
    logits = losses.SHARPNESS * views @ views.T
    expected = -np.diagonal(np.asarray(jax.nn.log_softmax(logits))).sum()
    assert _loss(case, "contrast") == pytest.approx(expected, rel=1e-4)
    assert float(losses.counts(batch)["contrast"]) == len(views)


def test_looks_differ_by_what_is_dropped(case):
    model, params, batch = case
    noisy = changed(model, dropout=0.5, event_dropout=0.3)
    assert _loss((noisy, params, batch), "contrast") > _loss(case, "contrast")
