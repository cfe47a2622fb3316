"""Expected purchases: how much of each group of items a user's next days bring, and when the next step comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from trajectory import hints
from trajectory.baselines.next_item import basket_size
from trajectory.data.pipeline.splits import target_starts
from trajectory.data.times import DAY
from trajectory.inference.step_forecast import forecast_steps, steps_ahead
from trajectory.insights.audiences.audience_targets import AudienceTargets, sum_by_target
from trajectory.metrics.waiting_time import LEVELS, first_wait
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError

RATE_DAYS = 84.0  # of the past, over which the steps of a user are counted
SHORTEST = 1e-3  # days


class ExpectedPurchases(NamedTuple):
    """The next `days` days of n users, from the moment each is asked at."""

    lines: dict[str, np.ndarray]  # kind of goods -> float32 [n, G], expected events of each group within the days
    next: np.ndarray  # float64 [n], days until the next step, median


def expected_purchases(
    run: Run, queries: Queries, moment: np.ndarray, days: np.ndarray, goods: Sequence[AudienceTargets]
) -> ExpectedPurchases:
    """Reads the run's heads after the history start:stop of each query, asked at `moment` [n] (unix seconds)
    for the `days` [n] from there.

    A step counts by the chance that it comes within the days; steps beyond the H-th, as many as the user's rate of the
    last 12 weeks lets expect, are like the mean of those before. Raises UserError where the run forecasts no times.
    """
    c, histories = run.config, run.experiment.histories
    if not (run.model.spec.heads.time and histories.has_time):
        raise UserError(
            "audiences ask who buys within so many days, but this run forecasts no times; train on a log with times "
            f"and heads.time above 0 ({hints.setting('heads.time', 0.1)})"
        )
    if not len(queries.user):
        raise UserError("no user has an event before the days that audiences are checked with: the log is too short")
    parts: list[list[np.ndarray]] = []
    at, begun = 0, np.zeros(len(queries.user))  # what passed since is left out below
    for chunk, forecast, _ in forecast_steps(run, histories, queries, steps_ahead(c), c.forecast.paths, begun):
        now, span = moment[at : at + len(chunk.user)], days[at : at + len(chunk.user)]
        at += len(chunk.user)
        since = (now - histories.time[chunk.stop - 1]) / DAY
        quantiles = forecast.days(np.zeros(len(chunk.user)))
        assert quantiles is not None  # the run forecasts times
        within, median = step_times(quantiles, since, span)
        following = median[:, 0] if forecast.wait is None else first_wait(forecast.wait, since)
        steps = np.maximum(within.sum(1), step_rate(histories, chunk, now) * span)
        weight = within * (steps / np.maximum(within.sum(1), 1e-12))[:, None]
        size = basket_size(histories, chunk) if histories.baskets else np.ones(len(chunk.user))
        lines = np.einsum("nh,nhv->nv", weight * size[:, None], forecast.probability).astype(np.float32)
        parts.append([*(sum_by_target(targets, lines) for targets in goods), following])
    *lines, following = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return ExpectedPurchases(dict(zip((targets.kind for targets in goods), lines, strict=True)), following)


def step_times(quantiles: np.ndarray, since: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chance [n, H] that each step comes within `days` [n] of the moment asked at, and its median in days from there.

    `quantiles` [n, H, 3] are of the days (`LEVELS`) from the last event on, which was `since` [n] days before that
    moment; between them a log-normal is laid. That nothing came since is known: chances are given it.
    """
    low, middle, high = np.moveaxis(np.log(np.maximum(quantiles, SHORTEST)), -1, 0)
    scale = np.maximum((high - low) / (ndtri(LEVELS[2]) - ndtri(LEVELS[0])), 1e-3)
    waited = np.log(np.maximum(since, SHORTEST))[:, None]
    gone = ndtr((waited - middle) / scale)
    over = ndtr((np.log(np.maximum(since, SHORTEST) + days)[:, None] - middle) / scale)
    left = np.maximum(1 - gone, 1e-6)
    half = np.exp(middle + scale * ndtri(np.clip(gone + left / 2, 1e-9, 1 - 1e-9)))
    return np.clip((over - gone) / left, 0, 1), np.maximum(half - since[:, None], 0)


def step_rate(histories: Histories, queries: Queries, moment: np.ndarray) -> np.ndarray:
    """Steps a day of each user in the `RATE_DAYS` before `moment` [n] (or since the log began), float64 [n]."""
    starts = target_starts(histories)
    first, last = np.searchsorted(starts, queries.start), np.searchsorted(starts, queries.stop)
    began = np.maximum(moment - RATE_DAYS * DAY, histories.time.min())
    time = histories.time[starts]
    count = [(time[a:b] >= since).sum() for a, b, since in zip(first, last, began, strict=True)]
    return np.array(count) / np.maximum((moment - began) / DAY, 1.0)
