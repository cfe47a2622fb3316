"""Rates drawn to those of others: beside laws with known rates, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from trajectory.insights.funnel.rates import in_groups, together


def test_intervals_hold_rates_of_known_laws_as_often_as_they_say_and_miss_them_less_than_counting():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(30), 100)
    middle = rng.beta(6, 34, 30)[group]  # groups differ, and units within them
    true = rng.beta(20 * middle, 20 * (1 - middle))
    trials = rng.integers(1, 60, group.size)
    hits = rng.binomial(trials, true)
    rates = in_groups(hits, trials, group)
    low, high = rates.interval()
    assert ((low <= true) & (true <= high)).mean() == pytest.approx(0.9, abs=0.02)
    counted = (hits + 1) / (trials + 2)
    pooled = (np.bincount(group, hits) / np.bincount(group, trials))[group]
    errors = [np.abs(guess - true).mean() for guess in (rates.mean, pooled, counted)]
    assert errors[0] < 0.95 * min(errors[1:])


def test_two_trials_are_neither_never_nor_always():
    hits, trials = np.array([0, 2, 10, 12, 8, 11]), np.array([2, 2, 100, 100, 100, 100])
    rates = together(hits, trials)
    assert 0.05 < rates.mean[0] < rates.mean[1] < 0.2
    low, high = rates.interval()
    assert (low > 0.03).all()
    assert (high < 0.3).all()


def test_what_is_known_of_many_trials_stays_what_was_counted():
    hits, trials = np.array([10, 3_000, 50_000]), np.array([100_000] * 3)
    assert together(hits, trials).mean == pytest.approx(hits / trials, abs=1e-3)


def test_one_group_alone_is_as_wide_as_its_own_trials_make_it():
    low, high = together(np.array([30]), np.array([100])).interval()
    assert (low[0], high[0]) == pytest.approx(beta.ppf([0.05, 0.95], 30.5, 70.5), abs=0.005)


def test_where_nothing_was_hit_something_may_be():
    rates = together(np.zeros(3), np.array([400.0, 300.0, 300.0]))
    low, high = rates.interval()
    assert (rates.mean > 0).all()
    assert (rates.mean < 0.002).all()
    assert (high > 0.0005).all()
    assert (high < 0.01).all()
    assert (low >= 0).all()


def test_a_unit_without_trials_is_like_its_group():
    hits, trials = np.array([0, 50, 52, 1, 2]), np.array([0, 100, 100, 100, 100])
    rates = in_groups(hits, trials, np.array([0, 0, 0, 1, 1]))
    assert rates.mean[0] == pytest.approx(0.51, abs=0.03)
    assert np.isfinite(rates.interval()).all()
