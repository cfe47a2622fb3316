"""Recipients beside users like them."""

from __future__ import annotations

import numpy as np
import pytest

from trajectory.insights.campaigns.uplift import difference


def test_comparable_others_take_away_what_only_seemed_an_effect():
    rng = np.random.default_rng(0)
    habit = rng.normal(size=4000)
    addressed = rng.random(4000) < 1 / (1 + np.exp(-2 * habit))
    bought = rng.random(4000) < 1 / (1 + np.exp(-habit - 0.0 * addressed))
    lifted = bought | (addressed & (rng.random(4000) < 0.2))
    once = np.ones(4000, int)
    assert bought[addressed].mean() - bought[~addressed].mean() > 0.2
    assert abs(difference(habit[:, None], addressed, bought, once)) < 0.05
    assert difference(habit[:, None], addressed, lifted, once) == pytest.approx(0.1, abs=0.05)
