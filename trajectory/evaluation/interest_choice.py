"""Chooses a run's forecast of interests on validation: items summed by interest, or the interest head."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from trajectory.data.pipeline.splits import step_bounds
from trajectory.inference.direct import DirectForecaster
from trajectory.inference.predictor import Predictor
from trajectory.metrics.ranking import distinct_items
from trajectory.models.item_table import export_item_table
from trajectory.models.top_down import with_interest_head
from trajectory.run import Run, load_run
from trajectory.schema import Queries
from trajectory.training.experiment import Experiment
from trajectory.training.interest_forecast import FILE, InterestForecast

USERS = 10_000  # of validation, at most: the two differ by more than so many cannot tell
LEAST = np.log(1e-30)  # where float32 sums to nothing


def choose_after_training(experiment: Experiment, workdir: Path) -> None:
    """Chooses for the best checkpoint of a training that is over, unless that is done."""
    run = load_run(workdir)
    vars(run)["experiment"] = experiment  # which is in hand
    with_interest_forecast(run)


def with_interest_forecast(run: Run) -> Run:
    """The run with its forecast of interests chosen; what was chosen of its checkpoint stays."""
    heads = run.config.heads
    if not (heads.item and heads.interest):
        return run
    if (run.workdir / FILE).exists() and InterestForecast.find(run.workdir, run.config, run.checkpoint).log_loss:
        return run
    choose(run).save(run.workdir)
    opened = load_run(run.workdir)
    vars(opened)["experiment"] = run.experiment
    return opened


def choose(run: Run) -> InterestForecast:
    """The forecast with less log-loss of the next step's interests, mean over validation users.

    Both are as they are delivered: among items that the user has not had, where seen items are filtered. Where
    validation has nothing that may come, items summed by interest are taken.
    """
    experiment, h = run.experiment, run.experiment.histories
    model, params = export_item_table(experiment.model, run.content_model[1], experiment.content)
    item_interest = h.item_interest[: h.num_items + 1]
    models = {"items": (model, params), "head": with_interest_head(model, params, item_interest)}
    queries = _next_steps(run)
    losses = {by: _log_loss(Predictor.of(experiment, *of), queries) for by, of in models.items()}
    counted = np.isfinite(losses["items"])
    if not counted.any():
        return InterestForecast("items", run.checkpoint, {}, 0)
    means = {by: float(loss[counted].mean()) for by, loss in losses.items()}
    better: Literal["items", "head"] = "head" if means["head"] < means["items"] else "items"
    return InterestForecast(better, run.checkpoint, means, int(counted.sum()))


def _next_steps(run: Run) -> Queries:
    """The next step of validation users, USERS at most."""
    queries = run.experiment.split.validation
    drawn = np.sort(np.random.default_rng(run.config.seed).permutation(len(queries.user))[:USERS])
    queries = Queries(*(column[drawn] for column in queries))
    return queries._replace(end=step_bounds(run.experiment.histories, queries, 1)[:, 1])


def _log_loss(predictor: Predictor, queries: Queries) -> np.ndarray:
    """Of each query, mean over its items that may come, in nats; NaN where there are none."""
    h, forecaster, parts = predictor.histories, DirectForecaster(predictor, 1), [np.zeros(0)]
    for chunk in queries.chunks(forecaster.batch):
        items = distinct_items(h, chunk.stop, chunk.end)
        items = np.where(items <= h.num_items, items, 0)
        forecast = forecaster.forecast(chunk)
        may_come = np.isfinite(np.take_along_axis(forecast.log_probability[:, 0], items, axis=1))
        log_p = np.maximum(forecast.log_interests[:, 0], LEAST)
        own = np.where(may_come, np.take_along_axis(log_p, h.item_interest[items], axis=1), 0)
        counted = may_come.sum(1)
        parts.append(np.where(counted > 0, -own.sum(1) / np.maximum(counted, 1), np.nan))
    return np.concatenate(parts)
