from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_info, threadpool_limits

from trajectory.metrics import significance
from trajectory.metrics.significance import BLOCK, bootstrap, compare, holm


def test_bootstrap_agrees_with_theory() -> None:
    values = np.random.default_rng(0).normal(3, 2, 4000)
    interval = bootstrap(values, 1000, seed=1)
    error = values.std() / np.sqrt(len(values))
    assert interval.standard_error == pytest.approx(error, rel=0.1)
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.3 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.3 * error)


def test_bootstrap_is_scipys_on_the_same_resamples() -> None:
    table = np.random.default_rng(0).normal(size=(60, 3))
    expected = stats.bootstrap(
        (table,), np.mean, n_resamples=203, batch=BLOCK, method="percentile", rng=np.random.default_rng(3)
    )
    got = bootstrap(table, 203, seed=3)
    np.testing.assert_allclose(got.low, expected.confidence_interval.low, rtol=1e-12)
    np.testing.assert_allclose(got.high, expected.confidence_interval.high, rtol=1e-12)
    np.testing.assert_allclose(got.standard_error, expected.standard_error, rtol=1e-12)


def test_bootstrap_of_two_users_takes_all_four_draws() -> None:
    interval = bootstrap(np.array([0.0, 1.0]), 4001, seed=0)  # means 0, 1/2, 1/2, 1
    assert (interval.low, interval.high) == (0, 1)
    assert interval.standard_error == pytest.approx(np.sqrt(1 / 8), rel=0.05)


def test_columns_share_resamples_and_users_that_do_not_count_are_left_out() -> None:
    values = np.random.default_rng(0).normal(size=300)
    half = np.where(np.arange(300) < 150, values, np.nan)
    table = np.stack([values, 2 * values, half, np.full(300, np.nan)], axis=1)
    low, high, error = bootstrap(table, 200, seed=3)
    alone = bootstrap(values, 200, seed=3)
    assert (low[0], high[0], error[0]) == pytest.approx(alone)
    assert (low[1], high[1], error[1]) == pytest.approx(2 * np.array(alone))
    assert error[2] == pytest.approx(values[:150].std() / np.sqrt(150), rel=0.2)
    assert low[2] < half[:150].mean() < high[2]
    assert np.isnan([low[3], high[3], error[3]]).all()


def test_the_seed_decides() -> None:
    values = np.random.default_rng(0).normal(size=50)
    assert bootstrap(values, 40, 1) == bootstrap(values, 40, 1) != bootstrap(values, 40, 2)
    assert compare(values, values[::-1], 40, 1) == compare(values, values[::-1], 40, 1)


def test_p_value_is_that_of_all_sign_flips() -> None:
    difference = np.array([0.5, 0.4, -0.1, 0.3, 0.2, 0.0, np.nan])
    exact = stats.permutation_test((difference[:6],), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert exact == 4 / 32
    got = compare(difference, np.zeros(7), 8000, seed=0)
    assert got["p_value"] == pytest.approx(exact, abs=0.015)
    assert got["difference"] == pytest.approx(1.3 / 6)  # the NaN is no user
    assert got["low"] < got["difference"] < got["high"]


def test_equal_scorers_differ_by_chance_only() -> None:
    values = np.random.default_rng(0).normal(size=100)
    assert compare(values, values, 100, seed=0) == {"difference": 0, "low": 0, "high": 0, "p_value": 1}
    assert compare(values + 1, values, 100, seed=0)["p_value"] == pytest.approx(1 / 101)


def test_holm_is_the_closed_test_of_bonferroni() -> None:
    p = [0.01, 0.04, np.nan, 0.03, 0.005, 0.9]
    tests = [i for i, value in enumerate(p) if np.isfinite(value)]
    families = [chosen for size in range(1, 6) for chosen in combinations(tests, size)]
    adjusted = holm(p)
    for i in tests:  # rejected where Bonferroni rejects every family that the test is in (Marcus et al. 1976)
        expected = max(min(1, len(chosen) * min(p[j] for j in chosen)) for chosen in families if i in chosen)
        assert adjusted[i] == pytest.approx(expected)
    assert np.isnan(adjusted[2])


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="at least 1 user"):
        bootstrap(np.zeros(0), 10, 0)
    with pytest.raises(ValueError, match="2 resamples"):
        bootstrap(np.zeros(3), 1, 0)
    with pytest.raises(ValueError, match="same users"):
        compare(np.zeros(3), np.zeros(4), 10, 0)
    with pytest.raises(ValueError, match="at least 1 user"):
        compare(np.full(3, np.nan), np.zeros(3), 10, 0)


def test_many_small_products_are_of_one_thread(monkeypatch) -> None:
    threads, drawn = [], np.random.default_rng

    class Noting:
        def __init__(self, seed):
            self.rng = drawn(seed)

        def integers(self, *args, **options):
            threads.append([library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"])
            return self.rng.integers(*args, **options)

    monkeypatch.setattr(np.random, "default_rng", Noting)
    with threadpool_limits(2, user_api="blas"):
        bootstrap(np.arange(4.0), 2, seed=0)
        compare(np.arange(4.0), np.arange(4.0)[::-1], 2, seed=0)
    assert len(threads) == 3
    assert {number for numbers in threads for number in numbers} == {1}


def test_the_p_value_alone_is_that_of_the_comparison_however_many_signs_are_drawn_at_once(monkeypatch) -> None:
    values, other = np.random.default_rng(3).random((2, 30))
    values[:10] = other[:10]
    values[11] = np.nan
    expected = compare(values, other, 1001, 7)["p_value"]
    for signs in (1, 300, 2**16):
        monkeypatch.setattr(significance, "SIGNS", signs)
        assert significance.p_value(values - other, 1001, 7) == expected
