from __future__ import annotations

import json

import numpy as np
import pytest
from crepes import ConformalClassifier
from crepes.extras import hinge
from scipy.special import log_softmax

from trajectory.calibration.conformal import Conformal, Sets, calibrate, coverage
from trajectory.metrics import categorical

TENTHS = np.arange(1, 10) / 10


def forecasts(rows: int, columns: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Overconfident log-probabilities, and targets of what they should have been."""
    truth = log_softmax(rng.normal(0, 1.5, (rows, columns)), axis=1)
    target = np.minimum((np.exp(truth).cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1), columns - 1)
    return log_softmax(2 * truth, axis=1), target


def members(fitted: Conformal, log_p: np.ndarray) -> np.ndarray:
    """Which columns are in each row's set: those that cover a target there, [n, C]."""
    columns = range(log_p.shape[1])
    return np.stack([fitted.sets(log_p, np.full(len(log_p), column)).covered for column in columns], axis=1)


@pytest.mark.parametrize(("rows", "alpha", "threshold"), [(9, 0.1, 0.9), (9, 0.3, 0.7), (9, 0.35, 0.7), (8, 0.1, 1)])
def test_threshold_by_hand(rows: int, alpha: float, threshold: float) -> None:
    p = TENTHS[:rows]
    log_p = np.log(np.stack([1 - p, p], axis=1))[::-1]
    got = calibrate(log_p, np.zeros(rows, int), alpha=alpha)  # scores 0.1, 0.2, ...; the 9th, 7th, 7th, none
    assert got.threshold == pytest.approx(threshold)


@pytest.mark.parametrize("alpha", [0.1, 0.25])
def test_sets_of_one_target_a_row_are_those_of_crepes(alpha: float) -> None:
    log_p, target = forecasts(600, 7, np.random.default_rng(5))
    group = np.repeat([0, 1, 0, 1], 150)
    p, classes = np.exp(log_p), np.arange(7)
    for of_group in (None, group):
        theirs = ConformalClassifier()
        bins = (None, None) if of_group is None else (of_group[:300], of_group[300:])
        theirs.fit(hinge(p[:300], classes, target[:300]), bins[0])
        expected = theirs.predict_set(hinge(p[300:]), bins[1], confidence=1 - alpha, smoothing=False)
        fitted = calibrate(log_p[:300], target[:300], bins[0], alpha=alpha)
        for column in classes:
            inside = fitted.sets(log_p[300:], np.full(300, column), bins[1]).covered
            np.testing.assert_array_equal(inside, expected[:, column])


def test_lines_of_a_basket_count_by_their_share() -> None:
    log_p = np.log([[0.6, 0.3, 0.1]] * 3)
    weight = np.array([[0.5, 0.5, 0], [1, 0, 0], [0, 0, 1]])
    fitted = calibrate(log_p, weight, alpha=0.5)  # 2 of the rows' weight: 1.5 at score 0.4, 2 at 0.7
    assert fitted.threshold == pytest.approx(0.7)
    assert members(fitted, log_p[:1]).tolist() == [[1, 1, 0]]
    size, covered = fitted.sets(
        np.log([[0.6, 0.35, 0.05], [0.2, 0.2, 0.6]]), np.array([[0.5, 0.2, 0.3], [0.5, 0.5, 0]])
    )
    assert (size.tolist(), covered.tolist()) == ([2, 1], [0.7, 0])


@pytest.mark.parametrize(
    ("p", "threshold", "inside"),
    [
        ([0.5, 0.3, 0.2], 0.5, [1, 0, 0]),  # scores 0.5 u, 0.5 + 0.3 u, 0.8 + 0.2 u
        ([0.3, 0.2, 0.5], 0.8, [1, 0, 1]),
        ([0.4, 0.2, 0.4], 0.4, [1, 0, 1]),  # neither of two equals stands above the other
        ([0.4, 0.2, 0.4], 0.8, [1, 0, 1]),
        ([0.0, 1.0, 0.0], 0.99999, [0, 1, 0]),  # in one row of 100,000 it would be left out
        ([0.0, 1.0, 0.0], 1.0, [1, 1, 1]),
        ([0.4998, 0.4998, 0.0], 0.9999, [1, 1, 0]),  # rounded sums do not let in what cannot come
        ([0.6, 0.4005, 0.0003], 1.0, [1, 1, 1]),  # nor keep out what can
    ],
)
def test_adaptive_sets_by_hand(p: list[float], threshold: float, inside: list[int]) -> None:
    fitted = Conformal("aps", 0.1, 0, threshold, {}, ())
    with np.errstate(divide="ignore"):
        log_p = np.log(np.array([p] * 20))
    assert (members(fitted, log_p) == inside).all()


@pytest.mark.parametrize("method", ["lac", "aps"])
@pytest.mark.parametrize("basket", [False, True])
def test_coverage_is_nominal_though_the_forecast_is_overconfident(method: str, basket: bool) -> None:
    rng = np.random.default_rng(0)
    reached, unguarded = [], []
    for seed in range(150):
        log_p, target = forecasts(299, 6, rng)
        asked = (np.eye(6)[target] + np.eye(6)[rng.permuted(target)]) / 2 if basket else target
        fitted = calibrate(log_p[:99], asked[:99], method=method, seed=seed)
        reached.append(fitted.sets(log_p[99:], asked[99:]).covered.mean())
        unguarded.append(Conformal(method, 0.1, seed, 0.9, {}, ()).sets(log_p[99:], asked[99:]).covered.mean())
    error = np.std(reached) / np.sqrt(150)
    assert 0.9 - 3 * error < np.mean(reached) < 0.9 + (0.02 if basket else 0.01) + 3 * error
    assert abs(np.mean(unguarded) - 0.9) > 0.02


def test_the_plain_score_gives_the_smaller_sets() -> None:
    rng = np.random.default_rng(1)
    log_p, target = forecasts(3000, 12, rng)
    size = {m: calibrate(log_p, target, method=m).sets(log_p, target).size.mean() for m in ("lac", "aps")}
    assert size["lac"] < 0.98 * size["aps"]


def test_groups_have_their_own_thresholds_if_they_are_large() -> None:
    rng = np.random.default_rng(2)
    log_p, target = forecasts(450, 5, rng)
    target[:200] = rng.integers(5, size=200)  # group 1 is hard
    group = np.repeat([1, 2, 3], [200, 200, 50])
    for method in ("lac", "aps"):
        fitted = calibrate(log_p, target, group, method=method)
        assert fitted.pooled == ("3",)
        assert set(fitted.thresholds) == {"1", "2"}
        assert fitted.thresholds["1"] > fitted.threshold > fitted.thresholds["2"]
        assert fitted.threshold == calibrate(log_p, target, method=method).threshold
        sets = fitted.sets(log_p, target, group)
        alone = Conformal(method, 0.1, 0, fitted.threshold, {}, ()).sets(log_p, target)
        assert sets.size[group == 3].tolist() == alone.size[group == 3].tolist()
        assert sets.size[group == 1].sum() > alone.size[group == 1].sum()
        found = coverage(sets, 0.1, group)
        assert list(found) == ["all", "1", "2", "3"]
        assert [found[name]["coverage"] for name in "12"] == pytest.approx([0.9, 0.9], abs=0.03)
        assert found["all"]["n"] == sum(found[name]["n"] for name in "123") == 450
        assert (members(Conformal(method, 0.1, 0, fitted.threshold, {}, ()), log_p).sum(axis=1) == alone.size).all()
    one = calibrate(log_p[:200], target[:200])
    assert calibrate(log_p, target, group).thresholds["1"] == one.threshold


def test_coverage_by_hand() -> None:
    sets = Sets(np.array([1, 1, 2, 2, 2, 3, 3, 3, 3, 10]), np.array([1] * 9 + [0]))
    got = coverage(sets, 0.1)["all"]
    assert (got["coverage"], got["low"], got["high"]) == pytest.approx((0.9, 0.5550, 0.9975), abs=1e-4)
    assert (got["mean_size"], got["median_size"], got["n"], got["nominal_inside"]) == (3, 2.5, 10, True)
    assert coverage(sets, 0.5)["all"]["nominal_inside"] is False
    full = coverage(Sets(sets.size, np.ones(10)), 0.1)["all"]
    assert (full["low"], full["high"]) == (pytest.approx(0.025**0.1), 1)
    none = coverage(Sets(sets.size, np.zeros(10)), 0.1)["all"]
    assert (none["low"], none["high"], none["nominal_inside"]) == (0, pytest.approx(1 - 0.025**0.1), False)


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_blocks_and_json_change_nothing(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    log_p, target = forecasts(300, 5, rng)
    group = rng.integers(2, size=300)
    whole = calibrate(log_p, target, group, method=method)
    again = Conformal.from_dict(json.loads(json.dumps(whole.to_dict())))
    assert again == whole
    monkeypatch.setattr(categorical, "BLOCK", 5 * 7)
    assert calibrate(log_p, target, group, method=method) == whole
    parts = again.sets(log_p, target, group)
    monkeypatch.undo()
    for mine, other in zip(whole.sets(log_p, target, group), parts, strict=True):
        assert mine.tolist() == other.tolist()


def test_what_does_not_fit_is_refused() -> None:
    log_p, target = forecasts(10, 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match="lac"):
        calibrate(log_p, target, method="raps")
    with pytest.raises(ValueError, match="alpha"):
        calibrate(log_p, target, alpha=0)
    with pytest.raises(ValueError, match="group"):
        calibrate(log_p, target, np.zeros(9))
    with pytest.raises(ValueError, match="log_softmax"):
        calibrate(log_p, target).sets(np.exp(log_p), target)
