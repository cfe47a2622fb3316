from __future__ import annotations

import numpy as np
import pytest

from trajectory.evaluation.conversion import conversion_floor, conversion_metrics


def test_metrics_by_hand() -> None:
    got = conversion_metrics([0.9, 0.6, 0.4, 0.2, 0.99], [1, 0, 1, 0, -1])  # the last label is unknown
    # Pairs (converted, not): 0.9 beats 0.6 and 0.2, 0.4 beats 0.2 only: 3 of 4.
    assert got == pytest.approx({"auc": 3 / 4, "accuracy": 2 / 4, "log_loss": -np.log([0.9, 0.4, 0.4, 0.8]).mean()})


def test_floor_states_the_training_share() -> None:
    got = conversion_floor([1, 0, 0, 0, -1], [1, 1, 0, -1])
    assert got == pytest.approx({"auc": 0.5, "accuracy": 1 / 3, "log_loss": -(2 * np.log(0.25) + np.log(0.75)) / 3})


def test_what_labels_do_not_define_is_nan() -> None:
    one_class = conversion_metrics([0.2, 0.4], [0, 0])
    assert np.isnan(one_class["auc"])
    assert one_class["accuracy"] == 1
    assert all(np.isnan(value) for value in conversion_metrics([0.2], [-1]).values())
    assert conversion_floor([-1], [0, 1])["log_loss"] == pytest.approx(np.log(2))


@pytest.mark.parametrize("probability", [np.nan, 1.5, -3])
def test_logits_and_nan_are_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        conversion_metrics([probability, 0.5], [0, 1])
