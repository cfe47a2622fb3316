"""How near a forecast sequence of timed, labelled events comes to what came: OTD and T-mAP.

Times, deltas, horizon and costs share one unit, which is the caller's choice. Rows are users.

Own code, as the one package that has both metrics (hotpp-benchmark) needs PyTorch and Spark. Matches are those of
scipy's linear_sum_assignment and precision is scikit-learn's (tests/metrics/test_event_sequences.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class TimedEvents(NamedTuple):
    """Events of each row, in any order unless stated; where `mask` is False there is none."""

    time: np.ndarray  # float [B, N]
    label: np.ndarray  # int [B, N]
    mask: np.ndarray  # bool [B, N]


class ScoredEvents(NamedTuple):
    """Forecast events of each row; where `mask` is False there is none."""

    time: np.ndarray  # float [B, P]
    score: np.ndarray  # float [B, P, C], of each label; the larger, the likelier
    mask: np.ndarray  # bool [B, P]


class TMAP(NamedTuple):
    """T-mAP, 0..1, the larger the better; NaN if nothing came."""

    macro: float  # mean over all C labels; one that never came counts 0
    weighted: float  # mean over labels by how often they came
    by_delta: dict[float, float]  # macro of each delta


def otd(predicted: TimedEvents, true: TimedEvents, insert_cost: float, delete_cost: float) -> np.ndarray:
    """Optimal transport distance of each row, float64 [B]: the least cost that turns `predicted` into `true`.

    Events of one label may be aligned at |difference of times|, a predicted event may be deleted, a true one inserted;
    alignments keep the order in which the events stand, which must be that of time (Mei, Qin & Eisner 2019; as in
    HoTPP, Karpukhin et al. 2024). Raises ValueError if rows differ in number, times fall, or a cost is negative.
    """
    if len(predicted.time) != len(true.time):
        raise ValueError(f"expected as many rows on both sides, got {len(predicted.time)} and {len(true.time)}")
    if min(insert_cost, delete_cost) < 0:
        raise ValueError(f"expected costs of at least 0, got {insert_cost} and {delete_cost}")
    for events in (predicted, true):
        latest = np.maximum.accumulate(np.where(events.mask, events.time, -np.inf), axis=1)
        if (events.mask & (events.time < latest)).any():
            raise ValueError("expected the events of each row in the order of time: sort them first")
    # What is not there costs nothing.
    delete, insert = np.where(predicted.mask, delete_cost, 0.0), np.where(true.mask, insert_cost, 0.0)
    both = predicted.mask[:, :, None] & true.mask[:, None, :]
    same = both & (predicted.label[:, :, None] == true.label[:, None, :])
    distance = np.abs(predicted.time[:, :, None].astype(np.float64) - true.time[:, None, :])
    align = np.where(same, distance, np.inf)
    # least[:, j] is of all predicted events so far against the first j true ones
    least = np.concatenate([np.zeros((len(insert), 1)), np.cumsum(insert, axis=1)], axis=1)
    for i in range(delete.shape[1]):
        above, least = least, np.empty_like(least)
        least[:, 0] = above[:, 0] + delete[:, i]
        for j in range(insert.shape[1]):
            unaligned = np.minimum(above[:, j + 1] + delete[:, i], least[:, j] + insert[:, j])
            least[:, j + 1] = np.minimum(unaligned, above[:, j] + align[:, i, j])
    return least[:, -1]


def t_map(
    start: np.ndarray, true: TimedEvents, forecasts: ScoredEvents, horizon: float, deltas: Sequence[float]
) -> TMAP:
    """Temporal mean average precision (HoTPP, Karpukhin et al. 2024) of events less than `horizon` after `start` [B].

    For each label and delta, the row's forecasts are matched with its true events of the label at most delta away, so
    that the sum of the label's scores is greatest; matched ones are hits, all others are false alarms. A label's
    average precision goes over all rows' forecasts by score, those of equal score together, and its recall is of all
    its true events. A label of which all forecasts are hits counts in full (the reference gives it 0). Raises
    ValueError if rows, labels or deltas do not fit, or a score is NaN.
    """
    rows, _, labels = forecasts.score.shape
    if not len(start) == len(true.time) == len(forecasts.time) == rows:
        raise ValueError(
            f"expected as many rows each, got {len(start)}, {len(true.time)}, {len(forecasts.time)}, {rows}"
        )
    if not len(deltas) or min(deltas) < 0:
        raise ValueError(f"expected at least one delta, all at least 0, got {list(deltas)}")
    in_horizon = true.mask & (true.time - start[:, None] < horizon)
    stated = forecasts.mask & (forecasts.time - start[:, None] < horizon)
    if np.isnan(forecasts.score[stated]).any():
        raise ValueError("expected scores of forecast events, got NaN")
    if in_horizon.any() and not 0 <= true.label[in_horizon].min() <= true.label[in_horizon].max() < labels:
        raise ValueError(
            f"expected labels 0..{labels - 1}, got {true.label[in_horizon].min()}..{true.label[in_horizon].max()}"
        )
    total = np.bincount(true.label[in_horizon], minlength=labels)
    if not total.sum():
        return TMAP(np.nan, np.nan, {delta: np.nan for delta in deltas})
    # One problem per row and label that came there; its candidates in the order of time.
    problem, label_of, true_times = _problems(true, in_horizon, labels)
    order = np.argsort(np.where(stated, forecasts.time, np.inf), axis=1, kind="stable")
    time = np.take_along_axis(np.where(stated, forecasts.time, np.nan), order, axis=1)[problem].astype(np.float64)
    score = forecasts.score[problem[:, None], order[problem], label_of[:, None]]
    pools = [np.sort(forecasts.score[..., label][stated]) for label in range(labels)]
    precision = np.zeros((len(deltas), labels))
    for d, delta in enumerate(deltas):
        hit = best_matches(time, true_times, score, delta)
        for label in np.unique(label_of):
            of_label = label_of == label
            precision[d, label] = _average_precision(score[of_label][hit[of_label]], pools[label], total[label])
    macro, weighted = precision.mean(axis=1), precision @ (total / total.sum())
    by_delta = dict(zip(deltas, macro.tolist(), strict=True))
    return TMAP(float(macro.mean()), float(weighted.mean()), by_delta)


def best_matches(time: np.ndarray, true_times: np.ndarray, score: np.ndarray, delta: float) -> np.ndarray:
    """Which forecasts of each row are matched, bool [m, P], so that their number and then their score is greatest.

    `time` [m, P] rises along a row and ends in NaN where there is none; `true_times` [m, T] likewise; a pair may match
    if at most `delta` apart. Sets that can be matched are a transversal matroid, so adding forecasts by falling score
    as long as all still find a partner is best (Edmonds & Fulkerson 1965). Each may take a run of true events whose
    ends rise with time, so partners are found by giving each in turn the first free one.
    """
    within = np.abs(time[:, :, None] - true_times[:, None, :]) <= delta
    first, last = within.argmax(axis=2), within.argmax(axis=2) + within.sum(axis=2) - 1
    can = within.any(axis=2)
    chosen = np.zeros(time.shape, bool)
    row = np.arange(len(time))
    for candidate in np.argsort(np.where(can, -score, np.inf), axis=1, kind="stable").T:
        trial = chosen.copy()
        trial[row, candidate] = True
        fits, taken = can[row, candidate], np.full(len(row), -1)
        for p in range(time.shape[1]):
            partner = np.maximum(taken + 1, first[:, p])
            fits &= ~trial[:, p] | (partner <= last[:, p])
            taken = np.where(trial[:, p], partner, taken)
        chosen[row, candidate] = fits
    return chosen


def _problems(true: TimedEvents, asked: np.ndarray, labels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row and label of each pair that came, [m], and its times in rising order [m, T], NaN where there is no more."""
    row, column = np.nonzero(asked)
    time, key = true.time[row, column].astype(np.float64), row * labels + true.label[row, column]
    order = np.lexsort([time, key])
    pair, number, count = np.unique(key[order], return_inverse=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    times = np.full((len(pair), count.max()), np.nan)
    times[number, place] = time[order]
    return pair // labels, pair % labels, times


def _average_precision(hits: np.ndarray, pool: np.ndarray, total: int) -> float:
    """Average precision of the `hits` (scores) among the forecasts of `pool` (their scores and all others, rising)."""
    value, count = np.unique(hits, return_counts=True)
    cumulative = np.cumsum(count[::-1])[::-1]  # hits with this score or a greater one
    made = len(pool) - np.searchsorted(pool, value, side="left")
    return float((count / total * cumulative / made).sum())
