"""What was known when each campaign started."""

from __future__ import annotations

import numpy as np

from tests.insights.campaigns.conftest import DAY
from trajectory.insights.audiences.counts import NEVER
from trajectory.insights.campaigns.counts import campaign_counts


def test_only_what_came_before_the_start_is_counted(small):
    log, (first, second) = small
    counts = campaign_counts(log, second, [first], np.array([0, 1]), second.start)
    expected = {
        "baskets_ever": [2, 1],
        "spend_ever": [7, 5],
        "promoted_ever": [2, 0],
        "promoted_baskets": [2, 0],
        "promoted_month": [1, 0],
        "promoted_items": [1, 0],
        "promoted_again": [1, 0],
        "alike_ever": [3, 0],
        "coupons_ever": [1, 0],
        "coupon_share": [0.5, 0],
        "since": [20, 38],
        "promoted_since": [20, NEVER],
        "received": [1, 0],
        "answered": [1, 0],
        "redeemed_alike": [1, 0],
        "redeemed_since": [20, NEVER],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(counts[name], values, err_msg=name)


def test_redemptions_that_are_yet_to_come_are_not_known(small):
    log, (first, second) = small
    counts = campaign_counts(log, second, [first], np.array([0, 1]), 18 * DAY)
    np.testing.assert_array_equal(counts["received"], [1, 0])
    for name in ("answered", "redeemed", "coupons_ever"):
        np.testing.assert_array_equal(counts[name], [0, 0], err_msg=name)
