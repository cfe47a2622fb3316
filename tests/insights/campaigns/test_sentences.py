"""Advice on campaigns is of what ranked better than chance; an effect within chance is none."""

from __future__ import annotations

import pytest

from trajectory.insights.campaigns.campaign_forecast import OURS
from trajectory.insights.campaigns.sentences import sentences
from trajectory.insights.campaigns.uplift import Uplift


def redeemed(low=0.6, rival_high=0.1):
    methods = {OURS: {"auc": 0.7, "lift": 2.0, "low": low}, "coupons before": {"auc": 0.8, "lift": 3.0, "low": 0.7}}
    leads = {"coupons before": {"low": -0.2, "high": rival_high}}
    return {"redeem": {"methods": methods, "leads": leads, "campaigns": ["a", "b"]}}


@pytest.mark.parametrize(
    ("held", "kind", "said"),
    [
        (redeemed(), "do", "address the most likely tenth first: they redeemed 2.0 times as often as all"),
        (
            redeemed(rival_high=-0.01),
            "do",
            "tenth first by coupons before, which ranks better here than the forecast: ",
        ),
        (redeemed(low=0.45), "sure", "was not told better than chance: address none of them first."),
    ],
)
def test_who_is_addressed_first_is_of_the_ranking_that_held(held, kind, said):
    (one,) = sentences(held, [])
    assert one.kind == kind
    assert said in one
    assert ("3.0 times" in one) == ("by coupons" in one)


@pytest.mark.parametrize(
    ("during", "before", "said"),
    [
        ((0.05, 0.02, 0.08), (0.04, 0.01, 0.07), "it was +3.0 (+0.0 to +6.0) points also in the weeks before"),
        ((0.05, 0.02, 0.08), (0.01, -0.03, 0.05), "in the weeks before no difference can be told from chance"),
        ((0.01, -0.02, 0.04), (0.04, 0.01, 0.07), "cannot be told from chance"),
    ],
)
def test_an_effect_is_told_as_far_as_it_is_more_than_chance(during, before, said):
    other = (before[0] - 0.02, before[1] - 0.02 + 1e-5, before[2] - 0.02)
    compared = [Uplift("a", 200, 300, 0.1, during, before), Uplift("b", 200, 300, 0.1, during, other)]
    (one,) = sentences({}, compared)
    assert said in one
    assert one.startswith("That recipients buy is no proof") == (during[1] > 0)
    assert f"{100 * during[0]:+.1f} ({100 * during[1]:+.1f} to {100 * during[2]:+.1f}) points apart" in one
    assert "(mean of 2 campaigns)" in one
