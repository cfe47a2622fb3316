"""Chances of single items are as large as what came of them, and the largest no larger than the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from trajectory.insights.recommend.by_item import ItemBins, shrunk_ratios

TOP = 20


def test_the_largest_of_many_items_are_not_too_large():
    """Known truth: each item's own factor; of the first TOP by what is told, as much comes as is told."""
    rng = np.random.default_rng(0)
    told, raw, came = 0.0, 0.0, 0.0
    for _ in range(20):
        expected, factor = rng.lognormal(1.0, 1.2, 1000), rng.gamma(4, 0.25 * 0.7, 1000)
        observed = rng.poisson(expected * factor)
        ratios = shrunk_ratios(expected, observed)
        assert (expected * ratios).sum() == pytest.approx(observed.sum(), rel=1e-3)
        first = np.argsort(-expected * ratios)[:TOP]
        told, came = told + (expected * ratios)[first].sum(), came + (expected * factor)[first].sum()
        raw += (expected * 0.7)[first].sum()
    assert told == pytest.approx(came, rel=0.03)
    assert abs(raw / came - 1) > 0.1


def test_where_items_came_as_expected_all_have_the_ratio_of_all():
    expected = np.full(200, 30.0)
    observed = np.random.default_rng(0).poisson(15, 200)
    assert shrunk_ratios(expected, observed) == pytest.approx(0.5, rel=0.05)
    assert shrunk_ratios(np.zeros(3), np.zeros(3, int)).tolist() == [1, 1, 1]


def test_items_of_a_kind_that_never_comes_are_less_likely_than_their_few_chances_tell():
    expected, group = np.full(80, 0.3), np.repeat([1, 2], 40)
    observed = np.where(group == 1, np.random.default_rng(0).poisson(0.6, 80), 0)
    alone, grouped = shrunk_ratios(expected, observed), shrunk_ratios(expected, observed, group)
    never = group == 2
    assert grouped[never].max() < 0.1 < alone[never].min()
    assert (expected * grouped).sum() == pytest.approx(observed.sum(), rel=0.05)


def test_log_odds_are_moved_until_each_items_chances_add_up_to_what_came():
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-1, 2, (3000, 4))
    truth = np.array([0.0, -2.0, 0.0, 1.5])
    some = rng.random((3000, 4)) < 0.9
    some[:, 0] = False
    came = rng.random((3000, 4)) < expit(log_odds + truth)
    bins = ItemBins(3)
    bins.add(log_odds[:1000], some[:1000], came[:1000])
    bins.add(log_odds[1000:], some[1000:], came[1000:])
    shifts = bins.shifts()
    assert shifts == pytest.approx(truth, abs=0.25)
    chance = np.where(some, expit(log_odds + shifts), 0).sum(axis=0)
    assert chance == pytest.approx((came & some).sum(axis=0), rel=0.03, abs=1)
