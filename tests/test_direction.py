from __future__ import annotations

import pytest

from trajectory.direction import less_is_better


@pytest.mark.parametrize(
    ("metric", "less"),
    [
        ("loss", True),
        ("log_loss", True),
        ("conversion_log_loss", True),
        ("conversion_calibration_error_calibrated", True),
        ("ndcg@10", False),
        ("conversion_auc", False),
    ],
)
def test_less_of_a_loss_is_better_and_more_of_all_else(metric: str, less: bool) -> None:
    assert less_is_better(metric) == less
