from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import average_precision_score

from trajectory.metrics.event_sequences import ScoredEvents, TimedEvents, best_matches, otd, t_map


def events(pairs: list[tuple[float, int]]) -> TimedEvents:
    """One row of (time, label)."""
    time, label = (
        (np.array([list(values)]) for values in zip(*pairs, strict=True)) if pairs else (np.empty((1, 0)),) * 2
    )
    return TimedEvents(time, label, np.ones(time.shape, bool))


@pytest.mark.parametrize(
    ("predicted", "true", "distance"),
    [
        ([(1, 1), (2, 2)], [(1, 1), (2, 2)], 0),
        ([(1, 1), (2.5, 2)], [(1.25, 1), (2, 2)], 0.75),
        ([(1, 1)], [(1, 2)], 5),  # another label: delete at 2, insert at 3
        ([(1, 1)], [(7, 1)], 5),  # too far: likewise
        ([(1, 1)], [(5.5, 1)], 4.5),
        ([], [(1, 1), (2, 1)], 6),
        ([(1, 1), (2, 1)], [], 4),
        ([(1, 1), (2, 1), (3, 2)], [(2.25, 1)], 4.25),
        ([(2.25, 1)], [(1, 1), (2, 1), (3, 2)], 6.25),
        ([(1, 1), (2, 2)], [(1, 2), (2, 1)], 6),  # they would have to cross: align one, delete and insert the other
        ([], [], 0),
    ],
)
def test_otd_by_hand(predicted: list[tuple[float, int]], true: list[tuple[float, int]], distance: float) -> None:
    assert otd(events(predicted), events(true), insert_cost=3, delete_cost=2).tolist() == [pytest.approx(distance)]


def random_events(rng: np.random.Generator, rows: int, width: int, labels: int) -> TimedEvents:
    time = np.sort(rng.uniform(0, 10, (rows, width)), axis=1)
    return TimedEvents(time, rng.integers(labels, size=time.shape), rng.random(time.shape) < 0.7)


def test_otd_is_the_best_of_all_alignments_and_passes_over_padding() -> None:
    rng = np.random.default_rng(0)
    predicted, true = random_events(rng, 60, 6, 2), random_events(rng, 60, 7, 2)
    got = otd(predicted, true, insert_cost=0.8, delete_cost=1.5)
    for b in range(60):
        left = [(t, k) for t, k, m in zip(*(x[b] for x in predicted), strict=True) if m]
        right = [(t, k) for t, k, m in zip(*(x[b] for x in true), strict=True) if m]

        @functools.cache
        def least(i: int, j: int, left: tuple = tuple(left), right: tuple = tuple(right)) -> float:
            ways = [1.5 + least(i + 1, j)] if i < len(left) else []
            ways += [0.8 + least(i, j + 1)] if j < len(right) else []
            if i < len(left) and j < len(right) and left[i][1] == right[j][1]:
                ways.append(abs(left[i][0] - right[j][0]) + least(i + 1, j + 1))
            return min(ways, default=0)

        assert got[b] == pytest.approx(least(0, 0))


def test_otd_refuses_what_has_no_order() -> None:
    with pytest.raises(ValueError, match="order of time"):
        otd(events([(1, 1)]), events([(2, 1), (1, 1)]), 1, 1)
    with pytest.raises(ValueError, match="costs"):
        otd(events([]), events([]), -1, 1)
    with pytest.raises(ValueError, match="rows"):
        otd(events([]), random_events(np.random.default_rng(0), 2, 3, 2), 1, 1)


def assigned(time: np.ndarray, true: np.ndarray, score: np.ndarray, delta: float) -> np.ndarray:
    """Matched forecasts of one row by linear assignment; every match gains, a greater score more."""
    gain = np.where(np.abs(time[:, None] - true) <= delta, score[:, None] - score.min() + 1, 0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    matched = np.zeros(len(time), bool)
    matched[rows[gain[rows, columns] > 0]] = True
    return matched


def test_best_matches_are_those_of_linear_assignment() -> None:
    rng = np.random.default_rng(0)
    time, true = np.sort(rng.uniform(0, 10, (400, 9)), axis=1), np.sort(rng.uniform(0, 10, (400, 6)), axis=1)
    time[::3, 7:], true[::2, 4:] = np.nan, np.nan
    score = rng.normal(size=time.shape)
    for delta in (0.3, 1, 3):
        got = best_matches(time, true, score, delta)
        for b in range(400):
            some = ~np.isnan(time[b])
            want = assigned(time[b][some], true[b][~np.isnan(true[b])], score[b][some], delta)
            assert got[b][some].tolist() == want.tolist()
            assert not got[b][~some].any()


def one_label(times: list[float], scores: list[float]) -> ScoredEvents:
    return ScoredEvents(np.array([times]), np.array([scores])[..., None], np.ones((1, len(times)), bool))


@pytest.mark.parametrize(
    ("true", "times", "scores", "value"),
    [
        ([1], [1.1, 5], [0.9, 0.5], 1),
        ([1], [1.1, 5], [0.5, 0.9], 1 / 2),
        ([1], [5, 1.1], [0.7, 0.7], 1 / 2),  # equal scores go together
        ([1], [1.1, 5], [0.7, 0.7], 1 / 2),
        ([1, 8], [1.1, 5], [0.9, 0.5], 1 / 2),  # half of the true events are found
        ([1, 8], [1.1, 5, 8.1], [0.9, 0.7, 0.5], (1 + 2 / 3) / 2),
        ([1], [1.1, 0.9], [0.5, 0.9], 1),  # only one can be matched: the better
        ([1, 1.3], [1.15, 0.9], [0.9, 0.5], 1),  # the better one makes room, and all forecasts are hits
        ([1, 12], [1.1, 12], [0.5, 0.9], 1),  # both at 12 are beyond the horizon
        ([1], [1.2], [0.9], 1),
        ([1], [1.21], [0.9], 0),
    ],
)
def test_t_map_by_hand(true: list[float], times: list[float], scores: list[float], value: float) -> None:
    came = events([(t, 0) for t in true])
    got = t_map(np.zeros(1), came, one_label(times, scores), 10, [0.2 + 1e-9])
    assert (got.macro, got.weighted) == pytest.approx((value, value))
    later = t_map(
        np.full(1, 3.0), came._replace(time=came.time + 3), one_label([t + 3 for t in times], scores), 10, [0.2 + 1e-9]
    )
    assert later.macro == pytest.approx(value)


def test_t_map_averages_over_labels_and_deltas() -> None:
    came = events([(1, 0), (2, 0), (3, 0), (4, 1)])
    score = np.array([[[0.9, 0.2, 0.5], [0.1, 0.8, 0.5]]])
    got = t_map(np.zeros(1), came, ScoredEvents(np.array([[1, 4.5]]), score, np.ones((1, 2), bool)), 10, [0.1, 1])
    # Label 0: one hit first (1/3). Label 1: nothing within 0.1, then the first of two (1). Label 2 never came.
    assert got.by_delta == pytest.approx({0.1: (1 / 3) / 3, 1: (1 / 3 + 1) / 3})
    assert got.macro == pytest.approx((1 / 9 + 4 / 9) / 2)
    assert got.weighted == pytest.approx((1 / 3 * 3 / 4 + (1 / 3 * 3 / 4 + 1 / 4)) / 2)


def test_t_map_is_that_of_assignment_and_average_precision_in_any_order() -> None:
    rng = np.random.default_rng(1)
    rows, width, labels, delta = 40, 8, 3, 0.7
    start, true = rng.uniform(0, 2, rows), random_events(rng, rows, 7, labels)
    time, mask = rng.uniform(0, 12, (rows, width)), rng.random((rows, width)) < 0.8
    score = rng.normal(size=(rows, width, labels)).round(1)  # scores are often equal
    want, total = [], []
    stated, asked = mask & (time - start[:, None] < 8), true.mask & (true.time - start[:, None] < 8)
    for label in range(labels):
        hits, scores, came = [], [], 0
        for b in range(rows):
            times = true.time[b][asked[b] & (true.label[b] == label)]
            own = score[b, stated[b], label]
            scores.extend(own)
            came += len(times)
            hits.extend(assigned(time[b][stated[b]], times, own, delta) if len(own) else [])
        want.append(average_precision_score(hits, scores) * sum(hits) / came)
        total.append(came)
    got = t_map(start, true, ScoredEvents(time, score, mask), 8, [delta])
    assert got.macro == pytest.approx(np.mean(want))
    assert got.weighted == pytest.approx(np.average(want, weights=total))
    row, place = rng.permutation(rows), rng.permutation(width)
    moved = ScoredEvents(time[row][:, place], score[row][:, place], mask[row][:, place])
    again = t_map(start[row], TimedEvents(*(x[row, ::-1] for x in true)), moved, 8, [delta])
    assert again[:2] == pytest.approx(got[:2])


def test_t_map_of_nothing_is_no_number_and_nonsense_is_refused() -> None:
    nothing = t_map(np.zeros(1), events([(11, 0)]), one_label([1], [1]), 10, [1])
    assert np.isnan([nothing.macro, nothing.weighted, nothing.by_delta[1]]).all()
    with pytest.raises(ValueError, match="rows"):
        t_map(np.zeros(2), events([(1, 0)]), one_label([1], [1]), 10, [1])
    with pytest.raises(ValueError, match="labels 0"):
        t_map(np.zeros(1), events([(1, 1)]), one_label([1], [1]), 10, [1])
    with pytest.raises(ValueError, match="delta"):
        t_map(np.zeros(1), events([(1, 0)]), one_label([1], [1]), 10, [])
    with pytest.raises(ValueError, match="NaN"):
        t_map(np.zeros(1), events([(1, 0)]), one_label([1], [np.nan]), 10, [1])
