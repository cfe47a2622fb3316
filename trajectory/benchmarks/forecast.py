"""Forecasts of many users: sampled paths of all households, and of a hundred thousand made-up users in chunks."""

import time
from typing import Any

import numpy as np

from trajectory.benchmarks.timing import peak_gib
from trajectory.data.pipeline.event_statistics import event_statistics
from trajectory.data.simulate.synthetic import Synthetic, generate
from trajectory.inference.direct import DirectForecaster
from trajectory.inference.new_users import whole_histories
from trajectory.inference.predictor import Predictor
from trajectory.inference.sampling import sample
from trajectory.presets import trajectories
from trajectory.schema import Queries
from trajectory.training import experiment, optimizer, train_step

STEPS, PATHS, MANY, FEW_PATHS = 10, 100, 100_000, 10


def forecast() -> None:
    """Seconds of 10 steps of every household of Complete Journey, categories; untrained is as fast as trained."""
    c = trajectories.get_config("domain=complete_journey")
    built, params = _untrained(c)
    queries = whole_histories(built.histories)
    direct = _direct(built, params, queries)
    sampled = _sampled(built, params, queries, PATHS)
    print(
        f"forecast: {len(queries.user):,} households, {STEPS} steps, {built.histories.num_items} categories: "
        f"{direct:.0f} s directly, {sampled:.0f} s by {PATHS} sampled paths; peak {peak_gib():.1f} GiB"
    )


def many() -> None:
    """Seconds and peak memory of 100,000 users: those of a synthetic log of 2,000, fifty times."""
    c = trajectories.get_config("domain=complete_journey")
    folder = "prepared/forecast_bench_log"
    generate(Synthetic()).write(folder)
    c.data.source, c.data.item_column, c.data.interest_column, c.data.baskets = folder, "", "category", True
    built, params = _untrained(c)
    own = whole_histories(built.histories)
    queries = Queries(*(np.tile(column, -(-MANY // len(column)))[:MANY] for column in own))
    direct = _direct(built, params, queries)
    sampled = _sampled(built, params, queries, FEW_PATHS)
    print(
        f"many: {MANY:,} users, {STEPS} steps, {built.histories.num_items:,} items: {direct:.0f} s directly, "
        f"{sampled:.0f} s by {FEW_PATHS} sampled paths; peak {peak_gib():.1f} GiB"
    )


def _untrained(config: Any) -> tuple[Any, Any]:
    built = experiment.build(config)
    first = built.training_data().plan(0).batch(0)
    return built, train_step.initial_state(built.model, optimizer.optimiser(config.optim, 1), first, 0).params


def _direct(built: Any, params: Any, queries: Queries) -> float:
    began = time.perf_counter()
    forecaster = DirectForecaster(_predictor(built, params), STEPS)
    for chunk in queries.chunks(forecaster.batch):
        forecaster.forecast(chunk).log_probability  # noqa: B018  (made when it is read)
    return time.perf_counter() - began


def _sampled(built: Any, params: Any, queries: Queries, paths: int) -> float:
    began = time.perf_counter()
    predictor = _predictor(built, params)
    for _ in sample(predictor, queries, event_statistics(built.histories), steps=STEPS, paths=paths, seed=0, days=28.0):
        pass
    return time.perf_counter() - began


def _predictor(built: Any, params: Any) -> Predictor:
    return Predictor.of(built, built.model, params).replace(filter_seen=False)
