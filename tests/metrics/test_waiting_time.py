"""Waits that go on: what is known of a step that has not come yet."""

import numpy as np
import pytest

from trajectory.metrics.waiting_time import LEVELS, given_silence

QUANTILES = np.exp(np.array([[[-1.0, 0.0, 1.0]]]) * 1.2816)  # of a standard log-normal


def test_without_silence_nothing_changes() -> None:
    np.testing.assert_array_equal(given_silence(QUANTILES, np.zeros(1)), QUANTILES)


@pytest.mark.parametrize("silent", [0.5, 3.0])
def test_silence_leaves_the_waits_that_are_longer(silent: float) -> None:
    drawn = np.exp(np.random.default_rng(0).normal(size=400_000))
    left = drawn[drawn > silent] - silent
    np.testing.assert_allclose(given_silence(QUANTILES, np.array([silent]))[0, 0], np.quantile(left, LEVELS), rtol=0.03)


def test_a_silence_longer_than_all_that_was_expected_is_no_error() -> None:
    found = given_silence(QUANTILES, np.array([1e6]))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
