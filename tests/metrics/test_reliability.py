from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.calibration import calibration_curve

from trajectory.evaluation.reliability_plot import draw
from trajectory.metrics import reliability
from trajectory.metrics.reliability import (
    Pairs,
    band,
    calibration_error,
    clustered_pairs,
    column_pairs,
    diagram,
    event_pairs,
    summary,
    top_pairs,
)


def forecasts(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return log_softmax(np.random.default_rng(seed).normal(0, 1.5, (rows, columns)), axis=1)


def test_error_of_as_many_values_as_bins_is_their_mean_distance() -> None:
    p = np.linspace(0.05, 0.75, 15)
    outcome = np.arange(15) % 2
    assert calibration_error(event_pairs(p, outcome)) == pytest.approx(np.abs(p - outcome).mean())


def test_bins_hold_equal_mass() -> None:
    rng = np.random.default_rng(0)
    p, outcome = np.sort(rng.random(45)), rng.integers(2, size=45)
    want = np.abs((p - outcome).reshape(15, 3).mean(axis=1)).mean()
    shuffled = rng.permutation(45)
    assert calibration_error(event_pairs(p[shuffled], outcome[shuffled])) == pytest.approx(want)
    assert diagram(event_pairs(p, outcome), 10)["count"].tolist() == [3] * 15


def test_the_diagram_of_unlike_probabilities_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    p, outcome = rng.random(450), rng.integers(2, size=450)
    observed, predicted = calibration_curve(outcome, p, n_bins=15, strategy="quantile")
    bins = diagram(event_pairs(p, outcome), 10)
    np.testing.assert_allclose(bins["confidence"], predicted)
    np.testing.assert_allclose(bins["outcome"], observed)
    assert calibration_error(event_pairs(p, outcome)) == pytest.approx(np.abs(observed - predicted).mean())


@pytest.mark.parametrize("count", [16, 29, 31])
def test_events_and_their_opposites_have_the_same_error(count: int) -> None:
    rng = np.random.default_rng(count)
    p, outcome = rng.integers(1, 64, count) / 64, rng.integers(2, size=count)
    assert calibration_error(event_pairs(1 - p, 1 - outcome)) == pytest.approx(
        calibration_error(event_pairs(p, outcome))
    )


def test_equal_probabilities_share_a_bin_whatever_their_order() -> None:
    p, outcome = np.repeat([0.2, 0.6], [40, 5]), np.repeat([1, 0, 1, 0], [8, 32, 3, 2])
    assert calibration_error(event_pairs(p, outcome)) == pytest.approx(0)  # 8 of 40 and 3 of 5
    rng = np.random.default_rng(0)
    p, outcome = rng.integers(1, 8, 200) / 10, rng.integers(2, size=200)
    want = sum(abs((p - outcome)[p == value].sum()) for value in np.unique(p)) / 200
    for _ in range(5):
        order = rng.permutation(200)
        assert calibration_error(event_pairs(p[order], outcome[order])) == pytest.approx(want)


def test_pairs_by_hand() -> None:
    log_p = np.log([[0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])
    weight = np.array([[0.5, 0.25, 0.25], [0.5, 0.0, 0.5]])
    top = top_pairs(log_p, weight, np.array([4, 2]))
    assert top.confidence == pytest.approx([0.4, 0.7])
    assert top.outcome.tolist() == [0.375, 0.5]  # two columns are most likely: 0.5 and 0.25
    columns = column_pairs(log_p, weight, np.array([4, 2]))
    assert columns.confidence == pytest.approx([0.4, 0.4, 0.2, 0.1, 0.2, 0.7])
    assert columns.outcome.tolist() == weight.ravel().tolist()
    assert column_pairs(log_p, np.array([2, 0])).outcome.tolist() == [0, 0, 1, 1, 0, 0]
    assert top_pairs(log_p, np.array([1, 2])).outcome.tolist() == [0.5, 1]
    events = event_pairs(np.array([[0.2, 0.5]]), np.array([[0, 1]]))
    assert (events.brier, events.users) == (pytest.approx((0.04 + 0.25) / 2), 1)
    assert events.nll == pytest.approx(-(np.log(0.8) + np.log(0.5)) / 2)


ROWS, COLUMNS = 60, 5
LINES = np.arange(ROWS) % 4 + 1


def drawn(kind: str, log_p: np.ndarray, rng: np.random.Generator) -> Pairs:
    """Pairs of one kind whose outcomes really come from the forecast."""
    p = np.exp(log_p)
    if kind == "events":
        return event_pairs(p, rng.random(p.shape) < p)
    if kind == "joint":
        return event_pairs(p, joint(log_p, 1, rng)[0], joint(log_p, 400, np.random.default_rng(9)))
    make = top_pairs if kind == "top" else column_pairs
    return make(log_p, rng.multinomial(LINES, p) / LINES[:, None], LINES)


def joint(log_p: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Events of a row as alike as they can be: one number decides all."""
    return rng.random((count, len(log_p), 1)) < np.exp(log_p)


@pytest.mark.parametrize("kind", ["top", "columns", "events", "joint"])
def test_band_is_what_outcomes_of_the_forecast_show(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log_p = forecasts(ROWS, COLUMNS)
    rng = np.random.default_rng(1)
    seen = [calibration_error(drawn(kind, log_p, rng)) for _ in range(1500)]
    pairs = drawn(kind, log_p, rng)
    assert band(pairs, 3000) == pytest.approx(np.quantile(seen, [0.025, 0.975]), rel=0.1)
    monkeypatch.setattr(reliability, "BLOCK", 10_000)  # in parts
    assert band(pairs, 3000, seed=1) == pytest.approx(np.quantile(seen, [0.025, 0.975]), rel=0.1)


def test_bands_depend_on_how_much_was_seen() -> None:
    log_p = forecasts(400, 4)
    p = np.exp(log_p)
    weight = np.eye(4)[np.zeros(400, int)]
    for make in (top_pairs, column_pairs):
        one, many = (np.array(band(make(log_p, weight, np.full(400, m)), 500)) for m in (1, 16))
        np.testing.assert_allclose(one / many, 4, rtol=0.15)
    p = np.repeat(p[:, :1], 9, axis=1)  # nine events that come together are as one
    alone = band(event_pairs(p, p > 0.5), 500)[1]
    together = band(event_pairs(p, p > 0.5, joint(np.log(p), 100, np.random.default_rng(0))), 500)[1]
    assert together / alone == pytest.approx(3, rel=0.15)


def test_band_of_clustered_events_is_what_such_outcomes_show() -> None:
    log_p = forecasts(400, 6)
    p, user = np.exp(log_p), np.repeat(np.arange(400), 6)
    rng = np.random.default_rng(1)
    seen = [calibration_error(event_pairs(p, joint(log_p, 1, rng)[0])) for _ in range(1000)]
    came = joint(log_p, 1, rng)[0]
    pairs = clustered_pairs(p.ravel(), came.ravel(), user)
    assert pairs.users == 400
    assert band(pairs, 1000) == pytest.approx(np.quantile(seen, [0.025, 0.975]), rel=0.15)
    alone = clustered_pairs(p.ravel(), rng.random(2400) < p.ravel(), np.arange(2400))  # everyone has one event
    assert band(alone, 1000) == pytest.approx(band(event_pairs(p, came), 1000), rel=0.15)


def test_a_bin_that_is_off_does_not_widen_its_band() -> None:
    rng = np.random.default_rng(0)
    p, user = np.full(4000, 0.3), np.repeat(np.arange(1000), 4)
    true, off = (clustered_pairs(p, rng.random(4000) < chance, user) for chance in (0.3, 0.7))
    assert summary(off)["high"] == pytest.approx(summary(true)["high"], rel=0.1)
    assert not summary(off)["within_sampling_error"]


def test_probabilities_that_are_all_a_little_too_high_are_biased_though_their_bins_do_not_tell() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.15, 400)
    honest, high = (summary(event_pairs(p, rng.random(400) < p * share)) for share in (1, 0.55))
    assert honest["bias_within_sampling_error"]
    assert honest["bias_low"] < 0 < honest["bias_high"]
    assert high["within_sampling_error"]
    assert not high["bias_within_sampling_error"]
    assert high["bias"] == pytest.approx(0.045, abs=0.03)
    rows = summary(column_pairs(forecasts(300, 5), rng.integers(5, size=300)), 20)  # of rows that sum to 1
    assert rows["bias"] == pytest.approx(0)
    assert rows["bias_within_sampling_error"]


def test_recalibrated_forecasts_take_only_the_noise_of_their_paths() -> None:
    p = np.full((500, 3), 0.5)
    paths = np.random.default_rng(0).random((50, 500, 3)) < 0.2
    low, high = band(event_pairs(p, p > 0.6, paths), 400)
    assert 0 <= low < high < 0.05  # the paths are 0.3 off


def test_few_paths_of_many_users_make_many_outcomes() -> None:
    p = np.full((500, 1), 0.3)
    paths = np.random.default_rng(0).random((2, 500, 1)) < 0.3
    low, high = band(event_pairs(p, p > 0.6, paths), 400)
    assert low < high / 5  # all users on the first path, or all on the second, would be equally far off


def test_summary_tells_honest_from_overconfident() -> None:
    log_p = forecasts(1500, 6)
    u = np.random.default_rng(2).random((1500, 1))
    target = np.minimum((np.exp(log_p).cumsum(axis=1) < u).sum(axis=1), 5)
    sharp = log_softmax(2 * log_p, axis=1)
    for make in (top_pairs, column_pairs):
        honest, loud = (summary(make(forecast, target), 300) for forecast in (log_p, sharp))
        assert honest["within_sampling_error"] is True
        assert loud["within_sampling_error"] is False
        assert honest["low"] < honest["ece"] <= honest["high"] < loud["ece"]
        assert honest["log_loss"] < loud["log_loss"]
        assert honest["brier"] < loud["brier"]
        assert honest["n"] == 1500
    assert summary(top_pairs(log_p, target), 50, seed=3) == summary(top_pairs(log_p, target), 50, seed=3)
    assert band(top_pairs(log_p, target), 50, seed=3) != band(top_pairs(log_p, target), 50, seed=4)


def test_diagram_by_hand() -> None:
    p, outcome = np.repeat([0.25, 0.75], [100, 300]), np.repeat([1, 0, 1, 0], [20, 80, 240, 60])
    bins = diagram(event_pairs(p, outcome), 4000)
    assert bins["confidence"] == pytest.approx([0.25, 0.75])
    assert bins["outcome"] == pytest.approx([0.2, 0.8])
    assert bins["count"].tolist() == [100, 300]
    mean, error = np.array([0.25, 0.75]), 1.96 * np.sqrt(0.25 * 0.75 / np.array([100, 300]))
    np.testing.assert_allclose(bins["low"], mean - error, atol=0.011)
    np.testing.assert_allclose(bins["high"], mean + error, atol=0.011)


def test_picture_gives_each_diagram_its_place(tmp_path: Path) -> None:
    bins = diagram(event_pairs(np.array([0.1, 0.2, 0.3]), np.array([0, 0, 1])), 20)
    sizes = []
    for count in (1, 2, 4):
        draw({f"{i}": bins for i in range(count)}, tmp_path / "a.png")
        sizes.append(struct.unpack(">II", (tmp_path / "a.png").read_bytes()[16:24]))  # width and height of the PNG
    (one, two, four) = sizes
    assert two[0] > 1.8 * one[0]
    assert four[0] > 2.7 * one[0]
    assert two[1] == one[1]
    assert four[1] > 1.8 * one[1]
    with pytest.raises(ValueError, match="at least one"):
        draw({}, tmp_path / "a.png")


def test_what_does_not_fit_is_refused() -> None:
    log_p, weight = forecasts(3, 2), np.full((3, 2), 0.5)
    p = np.exp(log_p)
    with pytest.raises(ValueError, match="number of lines"):
        top_pairs(log_p, weight)
    with pytest.raises(ValueError, match="number of lines"):
        column_pairs(log_p, weight, np.array([1, 0, 2]))
    with pytest.raises(ValueError, match="log_softmax"):
        top_pairs(p, np.zeros(3, int))
    with pytest.raises(ValueError, match="draws"):
        event_pairs(p, p > 0.5, np.ones((4, 2, 3), bool))
    with pytest.raises(ValueError, match="0 or 1"):
        event_pairs(p, p)
    with pytest.raises(ValueError, match="a user for each"):
        clustered_pairs(np.ones(3) / 2, np.ones(3, int), np.arange(2))
    with pytest.raises(ValueError, match="2 simulations"):
        band(event_pairs(p, p > 0.5), 1)
