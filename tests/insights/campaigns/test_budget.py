"""How many answers an audience of each size brings."""

from __future__ import annotations

import numpy as np

from trajectory.insights.campaigns.budget import curve


def test_a_budget_curve_adds_up_the_likeliest_first():
    probability = np.array([0.1, 0.8, 0.5])
    rows = curve(probability, np.array([False, True, True]), {"ours": probability})
    np.testing.assert_allclose(rows["expected"], [0, 0.8, 1.3, 1.4])
    np.testing.assert_allclose(rows["ours"], [0, 1, 2, 2])
    np.testing.assert_allclose(rows["at random"], [0, 2 / 3, 4 / 3, 2])
