"""Who answers, learned from what had come of earlier campaigns."""

from __future__ import annotations

import numpy as np
import pytest

from tests.insights.campaigns.conftest import DAY
from trajectory.insights.campaigns.responses import counts_at_start, known_rows, regress_responses, response_rate_before


def test_answers_are_known_as_far_as_they_had_come(small):
    log, campaigns = small
    counts = counts_at_start(log, campaigns)
    assert not len(known_rows(campaigns, counts, 17 * DAY, "redeem").answered)  # not yet a fifth of its days
    np.testing.assert_array_equal(known_rows(campaigns, counts, 19 * DAY, "redeem").answered, [False])
    np.testing.assert_array_equal(known_rows(campaigns, counts, 40 * DAY, "redeem").answered, [True])
    np.testing.assert_array_equal(known_rows(campaigns, counts, 44 * DAY, "buy").answered, [True, False, True])


def test_purchases_before_a_campaign_are_of_as_many_days(small):
    log, (_, second) = small
    assert (
        response_rate_before(log, second) == 0
    )  # the log ends five days after its start: days 35 to 40, when nobody bought
    np.testing.assert_array_equal(second.bought, [45 * DAY, 41 * DAY])
    np.testing.assert_array_equal(second.redeemed, [45 * DAY, np.inf])


def test_who_answers_is_learned_from_earlier_campaigns(planted):
    log, campaigns, keen = planted
    counts = counts_at_start(log, campaigns)
    known = known_rows(campaigns, counts, campaigns[2].start, "redeem")
    assert len(known.answered) == 800
    response = regress_responses(known, counts[2], "redeem", 0.2)
    assert response.probability.mean() == pytest.approx(0.2)
    assert response.probability[keen].mean() > 3 * response.probability[~keen].mean()
