"""The next days as one sequence of timed events: how near forecasts come to it as a whole, beside floors.

Labels are items. A forecaster's sequence is its step 1, 2, ... H at the median of the time it gives each, with its
chance of each label there; the floors' steps come the user's own typical gap apart. Of what came, the held-out events
before the horizon count. One unit of time is the mean gap between steps of training, as in HoTPP's data, whose costs
(one unit for an event too many or too few) and tolerance (two units) are taken over (Karpukhin et al. 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trajectory.baselines.next_item import basket_size
from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import step_bounds, step_starts
from trajectory.data.times import DAY
from trajectory.evaluation.multi_step.timing import GapFloor
from trajectory.metrics.event_sequences import Forecasts, TimedEvents, otd, t_map
from trajectory.metrics.significance import bootstrap
from trajectory.schema import Histories, Queries, Split

HORIZON, DELTA, COST = 5.0, 2.0, 1.0  # units
PRESENT = 0.5  # a label is in a basket of the sequence from this chance on


def evaluate_sequences(
    forecaster: Any,
    floors: Sequence[Any],
    histories: Histories,
    split: Split,
    part: str,
    steps: int,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """OTD (in units, with standard error over users) and T-mAP of the forecaster and the floors.

    `forecaster` has `name`, `ahead` (log-probabilities) and `times`; `floors` have `name`, `ahead` and `log_chances`.
    One more floor: the user's last H steps come again with their gaps ("history_again"). Returns `unit_days`,
    `horizon_days`, `cut` (share of users whose held-out steps end before the horizon) and `rows` {name: {otd,
    otd_error, t_map, t_map_weighted}}.
    """
    queries = split.queries(part)
    unit = _mean_gap(histories, split)
    bounds = step_bounds(histories, queries, steps)
    begin = histories.time[queries.stop - 1].astype(np.float64) / DAY
    truth = _truth(histories, bounds, HORIZON * unit, begin)
    ends = histories.time[np.maximum(bounds[:, -1] - 1, 0)] / DAY
    gaps = GapFloor("", True).fit(histories, split.validation, steps)
    nothing = np.full((len(begin), steps), np.nan)
    own = gaps.times(queries, nothing).days[:, :, 1]
    found: dict[str, Any] = {}
    for row in (forecaster, *floors):
        chance = np.concatenate([_chances(row, q) for q in queries.chunks(row.batch)])
        days = own
        if row is forecaster:
            size = row.batch
            parts = zip(queries.chunks(size), np.split(nothing, range(size, len(nothing), size)), strict=True)
            days = np.concatenate([row.times(q, some).days[:, :, 1] for q, some in parts])
        days = np.maximum.accumulate(days, axis=1)
        found[row.name] = _measure(histories, queries, chance[:, :, 1:], days, begin, truth, unit, resamples, seed)
    again, days = _history_again(histories, queries, steps)
    found["history_again"] = _measure(histories, queries, again, days, begin, truth, unit, resamples, seed)
    cut = float((ends - begin < HORIZON * unit).mean())
    return {"unit_days": unit, "horizon_days": HORIZON * unit, "cut": cut, "rows": found}


def _chances(row: Any, queries: Queries) -> np.ndarray:
    ahead = row.ahead(queries)
    return np.exp(np.asarray(row.log_chances(queries, ahead) if hasattr(row, "log_chances") else ahead, np.float64))


def _measure(
    histories: Histories,
    queries: Queries,
    chance: np.ndarray,
    days: np.ndarray,
    begin: np.ndarray,
    truth: TimedEvents,
    unit: float,
    resamples: int,
    seed: int,
) -> dict[str, float]:
    """`chance` [n, H, V] of each label at each step, `days` [n, H] from `begin` to each."""
    time = begin[:, None] + days
    there = days < HORIZON * unit
    if histories.baskets:
        present = -np.expm1(-basket_size(histories, queries)[:, None, None] * chance) >= PRESENT
    else:
        present = np.arange(chance.shape[2]) == chance.argmax(axis=2)[..., None]
    row, number, label = np.nonzero(present & there[..., None])
    predicted = _pad(len(time), row, time[row, number], label)
    distance = otd(_in_units(predicted, unit), _in_units(truth, unit), COST, COST)
    scored = Forecasts(time / unit, chance, there)
    precision = t_map(begin / unit, _in_units(truth, unit), scored, HORIZON, [DELTA])
    return {
        "otd": float(distance.mean()),
        "otd_error": float(bootstrap(distance, resamples, seed).standard_error),
        "t_map": precision.macro,
        "t_map_weighted": precision.weighted,
    }


def _truth(histories: Histories, bounds: np.ndarray, horizon: float, begin: np.ndarray) -> TimedEvents:
    """Distinct labels of each held-out step before the horizon (days)."""
    steps = bounds.shape[1] - 1
    row, index = slices(bounds[:, :-1].ravel(), bounds[:, 1:].ravel())
    user, item = row // steps, histories.item[index]
    key = np.unique(np.stack([row, item]), axis=1, return_index=True)[1]  # a label once a step
    user, item, time = user[key], item[key], histories.time[index[key]] / DAY
    some = (item > 0) & (item <= histories.num_items) & (time - begin[user] < horizon)
    return _pad(len(begin), user[some], time[some], item[some] - 1)


def _history_again(histories: Histories, queries: Queries, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The last H steps once more: labels' shares of the lines of each [n, H, V], and days until each [n, H]."""
    starts = step_starts(histories)
    low, high = np.searchsorted(starts, queries.start), np.searchsorted(starts, queries.stop)
    number = high[:, None] - steps + np.arange(steps)
    there = number >= low[:, None]
    number = np.maximum(number, low[:, None])
    time = histories.time[starts[number]] / DAY
    before = histories.time[starts[np.maximum(number[:, 0] - 1, low)]] / DAY
    chance = np.zeros((len(low), steps, histories.num_items))
    row, index = slices(starts[number].ravel(), starts[number + 1].ravel())
    item = histories.item[index]
    known = (item > 0) & (item <= histories.num_items)
    np.add.at(chance.reshape(-1, histories.num_items), (row[known], item[known] - 1), 1.0)
    chance /= np.maximum(chance.sum(axis=2, keepdims=True), 1)
    return chance * there[..., None], np.where(there, time - before[:, None], np.inf)


def _mean_gap(histories: Histories, split: Split) -> float:
    """Mean days between the steps of training."""
    starts = step_starts(histories)[:-1]
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
    found = TimedEvents(np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape, bool))
    at = row[order], place
    found.time[at], found.label[at], found.mask[at] = time[order], label[order], True
    return found


def _in_units(events: TimedEvents, unit: float) -> TimedEvents:
    return events._replace(time=events.time / unit)
