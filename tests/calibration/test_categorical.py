from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, log_softmax
from sklearn.model_selection import GroupKFold

from trajectory.calibration.binary import BinaryCalibration, fit_binary
from trajectory.calibration.categorical import Calibration, choose, fit
from trajectory.calibration.cross_validation import held_out_losses
from trajectory.metrics import categorical
from trajectory.metrics.binary import binary_nll
from trajectory.metrics.categorical import proper_scores

INF = np.inf


def forecasts(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return log_softmax(np.random.default_rng(seed).normal(0, 1.5, (rows, columns)), axis=1)


def draw(log_p: np.ndarray, seed: int = 1) -> np.ndarray:
    """A target for each row, from its own distribution."""
    u = np.random.default_rng(seed).random((len(log_p), 1))
    return np.minimum((np.exp(log_p).cumsum(axis=1) < u).sum(axis=1), log_p.shape[1] - 1)


def test_proper_scores_by_hand() -> None:
    log_p = np.log([[0.5, 0.25, 0.25]] * 2)
    nll, brier = proper_scores(log_p, np.array([[0.5, 0.5, 0], [0, 0, 1]]))
    assert nll.tolist() == pytest.approx([1.5 * np.log(2), 2 * np.log(2)])
    # A line of column 0 costs 0.25 + 0.0625 + 0.0625, one of column 1 or 2 costs 0.25 + 0.5625 + 0.0625.
    assert brier.tolist() == pytest.approx([(0.375 + 0.875) / 2, 0.875])
    impossible = proper_scores(np.array([[0, -INF]]), np.array([1]))
    assert (impossible.nll.item(), impossible.brier.item()) == (pytest.approx(12 * np.log(10)), 2)


def test_temperature_by_hand() -> None:
    log_p = np.log([[0.9, 0.1]] * 5)
    fitted = fit("temperature", log_p, np.array([0, 0, 0, 1, 1]))  # 0.9 said, 0.6 came
    assert fitted.scale == pytest.approx(np.log(1.5) / np.log(9), rel=1e-4)
    np.testing.assert_allclose(np.exp(fitted.apply(log_p)), [[0.6, 0.4]] * 5, rtol=1e-4)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(
    ("form", "scale", "bias", "pool"),
    [
        ("temperature", 0.5, [0], 0),
        ("pool", 0.5, [0], 0.25),
        ("bias", 2, [0.5, 0.2, -0.3, -0.4], 0),
        ("bias", 0.5, [0.5, 0.2, -0.3, -0.4], 0.25),
    ],
)
def test_each_form_finds_the_truth_of_its_kind(
    form: str, scale: float, bias: list[float], pool: float, wide: bool
) -> None:
    log_p = forecasts(4000, 4)
    # Beside biases one forecast for all rows would say nothing.
    log_q = forecasts(4000, 4, seed=2) if wide or form == "bias" else np.log([0.1, 0.2, 0.3, 0.4])
    truth = log_softmax(scale * log_p + bias + pool * log_q, axis=1)
    fitted = fit(form, log_p, np.exp(truth), log_q)  # the shares of infinitely many lines
    assert fitted.scale == pytest.approx(scale, abs=0.02)
    assert fitted.bias == pytest.approx(bias, abs=0.02)
    assert fitted.pool == pytest.approx(pool, abs=0.02)
    np.testing.assert_allclose(np.exp(fitted.apply(log_p, log_q)), np.exp(truth), atol=0.01)


def test_what_is_fitted_per_column_is_drawn_to_the_identity() -> None:
    log_p = np.log([[0.5, 0.5]])
    fitted = fit("bias", log_p, np.array([0]))
    # One row alone would send the bias to infinity; with the prior, b = P(other column) = 1 / (1 + e^(2b)).
    assert fitted.bias == pytest.approx([0.3380, -0.3380], abs=1e-3)


@pytest.mark.parametrize("form", ["temperature", "pool", "bias"])
def test_what_cannot_come_stays_so(form: str) -> None:
    log_p = np.array([[-INF, np.log(0.7), np.log(0.3)], [-INF, 0, -INF], [-INF, np.log(0.5), np.log(0.5)]])
    log_q = np.array([0, -INF, -INF])
    fitted = fit(form, log_p, np.array([1, 0, 2]), log_q)  # the second row's target was held impossible
    assert np.isfinite([fitted.scale, *fitted.bias, fitted.pool]).all()
    got = fitted.apply(log_p, log_q)
    assert (np.isneginf(got) == np.isneginf(log_p)).all()
    np.testing.assert_allclose(np.exp(got).sum(axis=1), 1)


def test_a_large_catalogue_is_fitted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    log_p, log_q = forecasts(50, 7), forecasts(50, 7, seed=3)
    target = draw(log_softmax(log_p + log_q, axis=1))
    for form in ("pool", "bias"):
        whole = fit(form, log_p, target, log_q)
        assert whole.pool > 0.5
        with monkeypatch.context() as patch:
            patch.setattr(categorical, "BLOCK", 7 * 8)
            parts = fit(form, log_p, target, log_q)
            scores = proper_scores(log_p, target)
        np.testing.assert_allclose([parts.scale, parts.pool], [whole.scale, whole.pool], rtol=1e-3)
        np.testing.assert_allclose(parts.bias, whole.bias, atol=1e-3)
        np.testing.assert_allclose(scores, proper_scores(log_p, target))


def test_choice_is_by_users_held_out() -> None:
    truth = forecasts(60, 30)
    few = choose(truth, draw(truth))
    overfitted = fit("bias", truth, draw(truth)).apply(truth)
    assert proper_scores(overfitted, draw(truth)).nll.mean() < proper_scores(truth, draw(truth)).nll.mean()
    assert few.calibration.form != "bias"
    assert few.held_out_nll["bias"] > few.held_out_nll["identity"]
    many = forecasts(2000, 4)
    sharp = log_softmax(3 * many, axis=1)
    assert choose(sharp, draw(many)).calibration == fit("temperature", sharp, draw(many))
    moved = log_softmax(many + np.array([1, 0, 0, -1]), axis=1)
    assert choose(moved, draw(many)).calibration.form == "bias"
    log_q = forecasts(2000, 4, seed=5)
    mixed = log_softmax(many + log_q, axis=1)
    pooled = choose(many, draw(mixed), log_q, forms=("identity", "temperature", "pool"))
    assert (pooled.calibration.form, pooled.calibration.pool) == ("pool", pytest.approx(1, abs=0.2))
    np.testing.assert_allclose(
        choose(many, draw(many), forms=("identity",)).held_out_nll["identity"],
        proper_scores(many, draw(many)).nll.mean(),
    )


def test_held_out_chances_are_of_fits_without_the_row() -> None:
    log_p = forecasts(300, 20)
    target = draw(log_p)
    chosen = choose(log_p, target, forms=["bias"])
    own = proper_scores(chosen.calibration.apply(log_p), target).nll.mean()
    held_out = proper_scores(chosen.held_out, target).nll.mean()
    assert held_out == pytest.approx(chosen.held_out_nll["bias"])
    assert own < held_out - 0.01
    plain = choose(log_p, target, forms=["identity", "bias"])
    np.testing.assert_allclose(plain.held_out, log_p)  # the truth as it is did best


def test_rows_of_one_user_are_held_out_together() -> None:
    user = np.array([7, 3, 7, 5, 3, 9, 7])
    held = []

    def loss(fitted: np.ndarray, rows: np.ndarray) -> np.ndarray:
        assert not set(user[fitted]) & set(user[rows])
        assert sorted([*fitted, *rows]) == list(range(7))
        held.extend(rows)
        return np.full(len(rows), 2.0)

    assert held_out_losses(["any"], lambda _, rows: rows, loss, user, 3, seed=0) == {"any": 2}
    assert sorted(held) == list(range(7))
    with pytest.raises(ValueError, match="4 users"):
        held_out_losses(["any"], lambda _, rows: rows, loss, user, 5, seed=0)


def test_folds_are_as_group_k_fold_makes_them() -> None:
    user = np.random.default_rng(0).integers(23, size=200)
    folds = []

    def loss(_: np.ndarray, rows: np.ndarray) -> np.ndarray:
        folds.append(rows)
        return np.zeros(len(rows))

    held_out_losses(["any"], lambda _, rows: rows, loss, user, 5, seed=0)
    theirs = [rows for _, rows in GroupKFold(5, shuffle=True, random_state=0).split(user, groups=user)]

    def users(parts: list[np.ndarray]) -> list[int]:
        return sorted(len(np.unique(user[rows])) for rows in parts)

    assert users(folds) == users(theirs)
    assert sum(users(folds)) == 23  # nobody is in two


def test_calibrations_survive_json() -> None:
    log_p = forecasts(30, 3)
    for form in ("identity", "temperature", "pool", "bias"):
        fitted = fit(form, log_p, draw(log_p), log_p[0])
        assert Calibration.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted
    binary = fit_binary(np.array([0.2, 0.4, 0.6]), np.array([0, 1, 0]))
    assert BinaryCalibration.from_dict(json.loads(json.dumps(binary.to_dict()))) == binary


@pytest.mark.parametrize(
    ("log_p", "target", "message"),
    [
        (np.zeros((2, 3)), np.array([0, 1]), "log_softmax"),
        (np.full((2, 3), np.nan), np.array([0, 1]), "log_softmax"),
        (np.zeros(3), np.array([0]), "shape"),
        (forecasts(2, 3), np.array([0, 3]), "0..2"),
        (forecasts(2, 3), np.array([0.0, 1.0]), "targets"),
        (forecasts(2, 3), np.ones((2, 3)), "sum to 1"),
        (forecasts(2, 3), np.ones((2, 2)) / 2, "weights"),
    ],
)
def test_what_is_no_forecast_or_target_is_refused(log_p: np.ndarray, target: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit("identity", log_p, target)


def test_unknown_forms_and_missing_seconds_are_refused() -> None:
    log_p, target = forecasts(5, 3), np.zeros(5, int)
    with pytest.raises(ValueError, match="pool, bias"):
        fit("temprature", log_p, target)
    with pytest.raises(ValueError, match="second"):
        fit("pool", log_p, target)
    with pytest.raises(ValueError, match="second"):
        fit("pool", log_p, target, log_p[:, :2])
    with pytest.raises(ValueError, match="3 columns"):
        fit("bias", log_p, target).apply(forecasts(5, 4))


def observed(p: list[float], hits: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Ten forecasts of each probability, of which so many came true."""
    return np.repeat(p, 10), np.concatenate([np.arange(10) < h for h in hits]).astype(int)


def test_binary_calibration_reaches_what_was_observed() -> None:
    p, outcome = observed([0.1, 0.5, 0.9], [2, 3, 6])  # three values: three parameters fit them
    fitted = fit_binary(p.reshape(6, 5), outcome.reshape(6, 5))
    np.testing.assert_allclose(fitted.apply(np.array([[0.1], [0.5], [0.9]])), [[0.2], [0.3], [0.6]], atol=2e-3)


def test_binary_calibration_never_turns_the_order_round() -> None:
    p, outcome = observed([0.2, 0.8], [8, 2])
    np.testing.assert_allclose(fit_binary(p, outcome).apply(np.array([0.2, 0.8])), 0.5, atol=1e-3)


def test_binary_certainty_is_bearable_and_what_has_no_chance_keeps_none() -> None:
    p, outcome = np.array([0, 0, 1, 1, 0.5, 0.5]), np.array([0, 1, 1, 0, 1, 0])
    fitted = fit_binary(p, outcome, np.full(6, 0.9))
    assert np.isfinite([*fitted.to_dict().values()]).all()
    found = fitted.apply(p, np.full(6, 0.9))
    assert (found[:2] == 0).all()
    assert ((found[2:] > 0) & (found[2:] < 1)).all()
    assert fit_binary(p[:2], outcome[:2]) == BinaryCalibration()
    np.testing.assert_allclose(binary_nll(np.array([0.0, 0.25, 0.25]), np.array([1, 1, 0])), np.log([1e6, 4, 4 / 3]))


def test_a_second_binary_forecast_is_weighed_against_the_first() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.uniform(0.02, 0.98, (2, 1000, 200))
    truth = expit(0.5 * np.log(p) - 1.5 * np.log1p(-p) + 0.75 * np.log(q) - 0.25 * np.log1p(-q) - 0.5)
    fitted = fit_binary(p, (rng.random(p.shape) < truth).astype(int), q)
    assert [*fitted.to_dict().values()] == pytest.approx([0.5, 1.5, -0.5, 0.75, 0.25], abs=0.1)
    np.testing.assert_allclose(fitted.apply(p, q), truth, atol=0.02)


def test_what_is_no_probability_or_outcome_is_refused() -> None:
    p, came = np.full((2, 3), 0.5), np.ones((2, 3), int)
    with pytest.raises(ValueError, match="logits"):
        fit_binary(p * 4, came)
    with pytest.raises(ValueError, match="0 or 1"):
        fit_binary(p, came * 2)
    with pytest.raises(ValueError, match="shape"):
        fit_binary(p, came[0])
