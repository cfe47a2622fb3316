from dataclasses import replace

import numpy as np

from trajectory.insights.demand.features import HORIZONS, Known
from trajectory.insights.demand.regression import forecasts

SERIES, WEEKS = 60, 30
ORIGINS = tuple(range(13, WEEKS + 1))


def a_log(seed=0):
    """Series that sell twice as much in weeks with 200 stores of promotion, which one week in four has."""
    rng = np.random.default_rng(seed)
    promotions = 200.0 * (rng.random((SERIES, WEEKS + HORIZONS, 1)) < 0.25)
    mean = rng.uniform(20, 200, (SERIES, 1)) * np.where(promotions[..., 0] > 0, 2, 1)
    return Known(rng.poisson(mean[:, :WEEKS]).astype(float), ORIGINS, promotions=promotions), mean


def error(found, mean):
    """Of the last origin, over weeks whose true means are known."""
    return np.abs(found[-1] - mean[:, WEEKS:].T).sum() / mean[:, WEEKS:].sum()


def test_planned_promotions_are_learned():
    known, mean = a_log()
    assert error(forecasts(known), mean) < 0.15 < 0.25 < error(forecasts(known, promotions=False), mean)


def test_nothing_after_an_origin_is_known_to_it():
    known, _ = a_log()
    changed = known.count.copy()
    changed[:, 25:] = 0
    before = [i for i, origin in enumerate(ORIGINS) if origin <= 25]
    found, other = forecasts(known), forecasts(replace(known, count=changed))
    np.testing.assert_array_equal(found[before], other[before])
    assert not np.array_equal(found[-1], other[-1])


def test_users_forecasts_are_learned_from_where_they_tell_and_their_bias_is_taken_out():
    known, mean = a_log(1)
    rng = np.random.default_rng(2)
    ahead = np.stack([mean[:, origin : origin + HORIZONS].T for origin in ORIGINS])
    with_users = replace(known, users=ahead * rng.uniform(0.3, 3, SERIES), promotions=None)
    found = error(forecasts(with_users), mean)
    assert found < 0.15 < 0.25 < error(forecasts(with_users, users=False), mean)


def test_weeks_of_which_no_plan_is_known_are_taken_to_be_as_usual():
    known, _ = a_log()
    usual = known.promotions.copy()
    usual[:, WEEKS:] = np.nan
    unknown = replace(known, promotions=usual)
    assert np.isfinite(forecasts(unknown)).all()
    np.testing.assert_array_equal(unknown.planned[-1], 0)


def test_forecasts_of_what_sells_seldom_add_up_to_what_comes():
    rate = np.random.default_rng(0).gamma(2, 1.4, (160, 1))  # 0 to 8 pieces a week
    said, true = np.zeros(HORIZONS), 0.0
    for seed in range(3):
        count = np.random.default_rng(seed).poisson(rate, (160, 40)).astype(float)
        said += forecasts(Known(count, tuple(range(13, 41))))[-1].sum(-1)
        true += rate.sum()
    np.testing.assert_allclose(said / true, 1, atol=0.05)


def test_nothing_counts_before_it_was_tried_and_longer_horizons_follow_the_longest_that_was():
    known, _ = a_log()
    found = forecasts(known)
    np.testing.assert_array_equal(found[:2], np.repeat(known.level[:2, None], HORIZONS, axis=1))
    assert (found[2, 0] != known.level[2]).any()  # said at week 14 for week 14, and seen at week 15
    np.testing.assert_array_equal(found[2, 1:], np.repeat(found[2, :1], HORIZONS - 1, axis=0))


def test_what_few_series_teach_by_chance_counts_little():
    rng, lost, smooth = np.random.default_rng(0), 0.0, 0.0
    for _ in range(20):
        rate = rng.uniform(20, 60, (6, 1))
        known = Known(rng.poisson(rate, (6, 18)).astype(float), tuple(range(13, 19)))
        lost += np.abs(forecasts(known)[-1, 3] - rate[:, 0]).sum()
        smooth += np.abs(known.level[-1] - rate[:, 0]).sum()
    assert lost < 1.1 * smooth
