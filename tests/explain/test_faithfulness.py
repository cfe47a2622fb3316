from __future__ import annotations

import numpy as np
import pytest

from tests.explain.cases import made
from trajectory.explain.attribution import Attribution
from trajectory.explain.faithfulness import infidelity, max_sensitivity, rank_agreement, removal_metrics

MASK = np.array([[True] * 10, [True] * 4 + [False] * 6])
WORTH = np.array([[5.0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [1, 2, 3, -2, 0, 0, 0, 0, 0, 0]])


def additive(rows: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Each event adds its worth."""
    return (WORTH[rows] * kept).sum(axis=1) - 7


def attribution(values: np.ndarray) -> Attribution:
    value = WORTH.sum(axis=1) - 7
    return Attribution({"event": values}, value * 0 - 7, value, value * 0, value.astype(int) * 0)


def test_metrics_of_a_sum_are_those_by_hand() -> None:
    found = removal_metrics(additive, MASK, WORTH)
    # Ten equal steps; the first takes the event worth 5, the second the one worth 1, the others nothing.
    assert found["deletion"][0] == pytest.approx((5 + 9 * 6) / 10)
    assert found["insertion"][0] == pytest.approx((5 + 9 * 6) / 10)
    # 1, 5, 10 % are one event; 20 % are two, 50 % five.
    assert found["comprehensiveness"][0] == pytest.approx((3 * 5 + 2 * 6) / 5)
    assert found["sufficiency"][0] == pytest.approx((3 * 1 + 0) / 5)
    # Of four events 10 and 20 % are one, 30 to 50 % two, 60 and 70 % three, from 80 % on all.
    assert found["deletion"][1] == pytest.approx((2 * 3 + 3 * 5 + 2 * 6 + 3 * 4) / 10)


def test_the_right_order_is_best_and_the_wrong_one_worst() -> None:
    right, wrong = removal_metrics(additive, MASK, WORTH), removal_metrics(additive, MASK, -WORTH)
    drawn = [removal_metrics(additive, MASK, np.random.default_rng(n).random(WORTH.shape)) for n in range(20)]
    for name in ("deletion", "insertion", "comprehensiveness"):
        some = np.array([found[name] for found in drawn])
        assert (wrong[name] <= some.min(axis=0)).all()
        assert (right[name] >= some.max(axis=0)).all()
    assert (right["sufficiency"] <= wrong["sufficiency"]).all()


def test_of_equal_scores_the_newer_event_is_first() -> None:
    equal, newest = (
        removal_metrics(additive, MASK, 0 * WORTH),
        removal_metrics(additive, MASK, np.tile(np.arange(10), (2, 1))),
    )
    for name in equal:
        np.testing.assert_array_equal(equal[name], newest[name])


def test_infidelity_is_zero_for_what_adds_up_and_does_not_mind_a_factor() -> None:
    np.testing.assert_allclose(infidelity(additive, MASK, attribution(WORTH)), 0, atol=1e-9)
    np.testing.assert_allclose(infidelity(additive, MASK, attribution(3 * WORTH)), 0, atol=1e-9)
    assert (infidelity(additive, MASK, attribution(-WORTH)) > 0.1).all()
    assert (infidelity(additive, MASK, attribution(WORTH[:, ::-1] * MASK)) > 0.1).all()


def test_agreement_of_ranks_is_over_the_events_alone() -> None:
    found = rank_agreement(MASK, WORTH, WORTH**3)
    np.testing.assert_allclose(found, 1)
    np.testing.assert_allclose(rank_agreement(MASK, np.arange(20).reshape(2, 10), -np.arange(20).reshape(2, 10)), -1)
    assert np.isnan(rank_agreement(MASK[:, :1], WORTH[:, :1], WORTH[:, :1])).all()


def test_sensitivity_is_the_largest_relative_change() -> None:
    _, inputs = made("gru")
    steady = max_sensitivity(lambda i: np.ones(i.mask.shape), inputs)
    np.testing.assert_array_equal(steady, 0)
    shaky = max_sensitivity(lambda i: np.asarray(i.vectors).sum(axis=-1), inputs)
    assert (shaky > 0).all()
    assert (max_sensitivity(lambda i: np.asarray(i.vectors).sum(axis=-1), inputs, radius=0.2) > shaky).all()
