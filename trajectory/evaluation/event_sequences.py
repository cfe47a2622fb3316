"""The next days as one sequence of timed events: how near forecasts come to it as a whole, compared with baselines.

Labels are items. A forecaster's sequence is its step 1, 2, ... H at the median of the time it gives each, with its
probability of each label there; the baselines' steps come the user's own typical inter-event time apart. Observed are
the held-out events before the horizon. One unit of time is the mean gap between steps of training, as in HoTPP's data;
its costs (one unit for an event too many or too few) and tolerance (two units) are taken over (Karpukhin et al. 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trajectory.baselines.next_item import basket_size
from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import step_bounds, target_starts
from trajectory.data.times import DAY
from trajectory.evaluation.multi_step.timing import GapBaseline
from trajectory.metrics.event_sequences import ScoredEvents, TimedEvents, otd, t_map
from trajectory.metrics.significance import bootstrap
from trajectory.protocols import Forecaster, StepForecast, StepScores
from trajectory.schema import Histories, Queries, Split

HORIZON, DELTA, COST = 5.0, 2.0, 1.0  # units
PRESENT = 0.5  # a label is in a basket of the sequence from this probability on


def evaluate_sequences(
    forecaster: Forecaster[StepForecast],
    baselines: Sequence[Forecaster[StepScores]],
    histories: Histories,
    split: Split,
    part: str,
    steps: int,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """OTD (in units, with standard error over users) and T-mAP of the forecaster and the baselines.

    `forecaster` is timed; all have log-probabilities. One more baseline: the user's last H steps come again with their
    gaps ("history_again"). Returns `unit_days`, `horizon_days`, `cut` (share of users whose held-out steps end before
    the horizon) and `rows` {name: {otd, otd_standard_error, t_map, t_map_weighted}}.
    """
    queries = split.queries(part)
    unit = _mean_gap(histories, split)
    bounds = step_bounds(histories, queries, steps)
    begin = histories.time[queries.stop - 1].astype(np.float64) / DAY
    ends = histories.time[np.maximum(bounds[:, -1] - 1, 0)] / DAY
    truth = _truth(histories, bounds, HORIZON * unit, begin)
    observed = _Observed(histories, queries, begin, truth, unit, resamples, seed)
    gaps = GapBaseline("", True).fit(histories, split.validation, steps)
    typical = gaps.times(queries, np.full((len(begin), steps), np.nan)).days[:, :, 1]
    forecasts = [forecaster.forecast(chunk) for chunk in queries.chunks(forecaster.batch)]
    days = np.concatenate(
        [np.asarray(forecast.days(np.zeros(len(forecast.log_probability))))[:, :, 1] for forecast in forecasts]
    )
    rows = {forecaster.name: observed.measure(_probability(forecasts), np.maximum.accumulate(days, axis=1))}
    for baseline in baselines:
        probability = _probability([baseline.forecast(chunk) for chunk in queries.chunks(baseline.batch)])
        rows[baseline.name] = observed.measure(probability, np.maximum.accumulate(typical, axis=1))
    rows["history_again"] = observed.measure(*_history_again(histories, queries, steps))
    cut = float((ends - begin < HORIZON * unit).mean())
    return {"unit_days": unit, "horizon_days": HORIZON * unit, "cut": cut, "rows": rows}


def _probability(forecasts: Sequence[StepScores]) -> np.ndarray:
    """Of each label at each step, float64 [n, H, V]."""
    log_probability = np.concatenate([np.asarray(forecast.log_probability, np.float64) for forecast in forecasts])
    return np.exp(log_probability)[:, :, 1:]


@dataclass(frozen=True)
class _Observed:
    """What was observed after some queries, and how forecasts are compared with it."""

    histories: Histories
    queries: Queries
    begin: np.ndarray  # float64 [n], days
    events: TimedEvents  # before the horizon
    unit: float  # days
    resamples: int
    seed: int

    def measure(self, probability: np.ndarray, days: np.ndarray) -> dict[str, float]:
        """Metrics of the `probability` [n, H, V] of labels at each step, which comes `days` [n, H] after `begin`."""
        time = self.begin[:, None] + days
        there = days < HORIZON * self.unit
        if self.histories.baskets:
            size = basket_size(self.histories, self.queries)[:, None, None]
            present = -np.expm1(-size * probability) >= PRESENT
        else:
            present = np.arange(probability.shape[2]) == probability.argmax(axis=2)[..., None]
        row, number, label = np.nonzero(present & there[..., None])
        predicted = _pad(len(time), row, time[row, number], label)
        truth = _in_units(self.events, self.unit)
        distance = otd(_in_units(predicted, self.unit), truth, COST, COST)
        scored = ScoredEvents(time / self.unit, probability, there)
        precision = t_map(self.begin / self.unit, truth, scored, HORIZON, [DELTA])
        return {
            "otd": float(distance.mean()),
            "otd_standard_error": float(bootstrap(distance, self.resamples, self.seed).standard_error),
            "t_map": precision.macro,
            "t_map_weighted": precision.weighted,
        }


def _truth(histories: Histories, bounds: np.ndarray, horizon: float, begin: np.ndarray) -> TimedEvents:
    """Distinct labels of each held-out step before the horizon (days)."""
    steps = bounds.shape[1] - 1
    row, index = slices(bounds[:, :-1].ravel(), bounds[:, 1:].ravel())
    user, item = row // steps, histories.target_item[index]
    key = np.unique(np.stack([row, item]), axis=1, return_index=True)[1]  # a label once a step
    user, item, time = user[key], item[key], histories.time[index[key]] / DAY
    in_window = (item > 0) & (item <= histories.num_items) & (time - begin[user] < horizon)
    return _pad(len(begin), user[in_window], time[in_window], item[in_window] - 1)


def _history_again(histories: Histories, queries: Queries, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The last H steps once more: labels' shares of the lines of each [n, H, V], and days until each [n, H]."""
    starts = np.append(target_starts(histories), histories.num_events)
    low, high = np.searchsorted(starts, queries.start), np.searchsorted(starts, queries.stop)
    number = high[:, None] - steps + np.arange(steps)
    there = number >= low[:, None]
    number = np.maximum(number, low[:, None])
    time = histories.time[starts[number]] / DAY
    before = histories.time[starts[np.maximum(number[:, 0] - 1, low)]] / DAY
    share = np.zeros((len(low), steps, histories.num_items))
    row, index = slices(starts[number].ravel(), starts[number + 1].ravel())
    item = histories.target_item[index]
    known = (item > 0) & (item <= histories.num_items)
    np.add.at(share.reshape(-1, histories.num_items), (row[known], item[known] - 1), 1.0)
    share /= np.maximum(share.sum(axis=2, keepdims=True), 1)
    return share * there[..., None], np.where(there, time - before[:, None], np.inf)


def _mean_gap(histories: Histories, split: Split) -> float:
    """Mean days between the steps of training."""
    starts = target_starts(histories)
    user = np.searchsorted(histories.offsets, starts, side="right") - 1
    training = starts < split.train_end[user]
    days = np.diff(histories.time[starts]) / DAY
    inside = (user[1:] == user[:-1]) & training[1:] & (days >= 0)
    return float(days[inside].mean())


def _pad(rows: int, row: np.ndarray, time: np.ndarray, label: np.ndarray) -> TimedEvents:
    """Events of each row in the order of time, padded."""
    order = np.lexsort([label, time, row])
    count = np.bincount(row, minlength=rows)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    shape = rows, max(int(count.max(initial=0)), 1)
    padded = TimedEvents(np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape, bool))
    at = row[order], place
    padded.time[at], padded.label[at], padded.mask[at] = time[order], label[order], True
    return padded


def _in_units(events: TimedEvents, unit: float) -> TimedEvents:
    return events._replace(time=events.time / unit)
