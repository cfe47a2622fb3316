"""When each of the next H steps comes: errors and likelihood of a run's time head compared with baselines."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from ml_collections import ConfigDict
from scipy import stats

from trajectory.data.pipeline.splits import target_starts
from trajectory.data.times import DAY
from trajectory.metrics.significance import bootstrap
from trajectory.metrics.waiting_time import LEVELS, Times, observed_waits, timing
from trajectory.protocols import Forecaster, StepForecast
from trajectory.schema import Histories, Queries, Split

LEAST_GAP = 1 / DAY  # days: a baseline's typical inter-event time is at least a second


class GapBaseline:
    """Log-normal waiting times around a line in the log of the typical inter-event time, of the user or of all.

    With a point mass at zero. The line, the standard deviation and the mass are fitted on validation, for each step.
    """

    def __init__(self, name: str, personal: bool) -> None:
        self.name, self.personal = name, personal

    def fit(self, histories: Histories, queries: Queries, steps: int) -> GapBaseline:
        """Fits to what was observed after (validation) queries, and returns itself."""
        self.histories = histories
        observed, typical = observed_waits(histories, queries, steps), self._typical(queries)
        self.zero, self.line, self.deviation = np.zeros(steps), np.zeros((steps, 2)), np.ones(steps)
        for h in range(steps):
            days = observed[:, h]
            seen, later = np.isfinite(days), days > 0
            self.zero[h] = ((days == 0).sum() + 0.5) / (seen.sum() + 1)
            y, x = np.log(days[later]), np.log(typical[later])
            slope = np.polyfit(x, y, 1) if np.ptp(x) > 0 else np.array([0.0, y.mean()])
            self.line[h], self.deviation[h] = slope, max((y - np.polyval(slope, x)).std(), 0.05)
        return self

    def times(self, queries: Queries, observed: np.ndarray) -> Times:
        """Quantiles of the wait and the likelihood of the `observed` days [n, H]."""
        centre = np.log(self._typical(queries))[:, None] * self.line[:, 0] + self.line[:, 1]
        share = np.clip((np.array(LEVELS) - self.zero[:, None]) / (1 - self.zero[:, None]), 1e-9, 1 - 1e-9)
        days = np.exp(centre[..., None] + self.deviation[:, None] * stats.norm.ppf(share))
        days = np.where(np.array(LEVELS) <= self.zero[:, None], 0.0, days)
        log_days = np.log(np.where(observed > 0, observed, 1.0))
        density = stats.norm.logpdf(log_days, centre, self.deviation) - log_days + np.log1p(-self.zero)
        return Times(days, np.where(observed > 0, density, np.where(observed == 0, np.log(self.zero), np.nan)))

    def _typical(self, queries: Queries) -> np.ndarray:
        """Median gap between the steps of each history, in days [n]; of all users together where not `personal`."""
        starts = target_starts(self.histories)
        time = self.histories.time[starts]
        low, high = np.searchsorted(starts, queries.start), np.searchsorted(starts, queries.stop)
        medians = np.array(
            [np.median(np.diff(time[a:b])) if b - a > 1 else np.nan for a, b in zip(low, high, strict=True)]
        )
        overall = np.nanmedian(medians)
        own = np.where(np.isfinite(medians), medians, overall) if self.personal else np.full(len(low), overall)
        return np.maximum(own / DAY, LEAST_GAP)


class WaitingTimes(Protocol):
    """Says when each of the next steps comes."""

    @property
    def name(self) -> str:
        """What results are filed under."""

    def times(self, queries: Queries, observed: np.ndarray) -> Times:
        """Quantiles of the days until each step, and the likelihood of the `observed` days [n, H] (NaN: none)."""


class ForecastTimes:
    """The waiting times of a forecaster that is `timed`."""

    def __init__(self, forecaster: Forecaster[StepForecast]) -> None:
        self.forecaster, self.name = forecaster, forecaster.name

    def times(self, queries: Queries, observed: np.ndarray) -> Times:
        """Quantiles of the days until each step, and the likelihood of the `observed` days [n, H]."""
        wait = self.forecaster.forecast(queries).wait
        assert wait is not None  # the forecaster is timed
        return timing(wait, observed)


def evaluate_times(
    forecaster: WaitingTimes, histories: Histories, split: Split, config: ConfigDict, parts: tuple[str, ...]
) -> dict[str, Any]:
    """Errors of waiting times by step: {name: {part: {measure: [H]}}} of the forecaster and the baselines.

    Measures: mean and median absolute error of the median forecast in days, mean negative log-likelihood in nats (time
    in days), coverage of the 80 % interval, and standard errors over users of the mean error and the likelihood
    (`..._error`).
    """
    steps = config.split.steps
    baselines = [GapBaseline("typical_gap", False), GapBaseline("own_gap", True)]
    for baseline in baselines:
        baseline.fit(histories, split.validation, steps)
    results: dict[str, Any] = {}
    for row in (forecaster, *baselines):
        for part in parts:
            queries = split.queries(part)
            observed = observed_waits(histories, queries, steps)
            forecasts = [
                row.times(q, observed[i : i + 256])
                for i, q in zip(range(0, len(observed), 256), queries.chunks(256), strict=True)
            ]
            days, likelihood = (np.concatenate(column) for column in zip(*forecasts, strict=True))
            error = np.abs(days[:, :, 1] - observed)
            covered = (days[:, :, 0] <= observed) & (observed <= days[:, :, 2])
            covered = np.where(np.isfinite(observed), covered, np.nan)
            standard_errors = [
                bootstrap(x, config.evaluation.bootstrap, config.seed).standard_error for x in (error, -likelihood)
            ]
            results.setdefault(row.name, {})[part] = {
                "mean_error_days": np.nanmean(error, axis=0).tolist(),
                "median_error_days": np.nanmedian(error, axis=0).tolist(),
                "log_loss": (-np.nanmean(likelihood, axis=0)).tolist(),
                "coverage_80": np.nanmean(covered, axis=0).tolist(),
                "mean_error_days_standard_error": np.asarray(standard_errors[0]).tolist(),
                "log_loss_standard_error": np.asarray(standard_errors[1]).tolist(),
            }
    return results
