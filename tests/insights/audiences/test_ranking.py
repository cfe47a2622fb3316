"""Lift and expected hits, reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from trajectory.insights.audiences.ranking import auc_differences, expected_hits, lift

CAME = np.array([True, False, True, False])


def test_lift_is_the_rate_at_the_top_over_that_of_all():
    outcome = np.arange(20) < 4
    assert lift(outcome, -np.arange(20.0)) == pytest.approx(1 / 0.2)
    assert lift(outcome, np.zeros(20)) == pytest.approx(1)


def test_ties_share_their_hits():
    np.testing.assert_allclose(expected_hits(CAME, np.array([5.0, 5.0, 5.0, 9.0])), [0, 0, 2 / 3, 4 / 3, 2])


def test_a_lead_on_every_resample_is_sure_and_none_is_not():
    ours = np.linspace(0.7, 0.8, 199)
    found = auc_differences({"ours": ours, "worse": ours - 0.1, "like": ours[::-1]})
    assert found["worse"]["difference"] == pytest.approx(0.1)
    assert found["worse"]["p_value"] == pytest.approx(2 * 2 / 200)  # the least there is, for two tests
    assert found["like"]["low"] < 0 < found["like"]["high"]
    assert found["like"]["p_value"] == 1
