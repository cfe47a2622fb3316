from __future__ import annotations

import copy
from typing import Any

import pytest

from trajectory.evaluation.multi_step.seeds import over_seeds
from trajectory.schema import UserError


def measured(seed: int, ndcg: float, ece: float) -> dict[str, Any]:
    """What a run of two steps may have written to trajectories.json; the baselines are the same for all."""
    metrics = ("ndcg@10", "recall@10", "hr@5", "within_ndcg@10")

    def means(*values: float) -> dict[str, Any]:
        return {"test": {name: list(values) for name in metrics} | {"log_loss": [1 - value for value in values]}}

    statement = [{"ece": ece, "high": 0.02, "within_sampling_error": ece <= 0.02}] * 2
    sets = [{"all": {"coverage": 0.88 + seed / 100, "nominal_inside": seed > 0, "mean_size": 4.0}}] * 2
    return {
        "steps": 2,
        "unit": "basket",
        "forecasters": ["direct, calibrated", "direct"],
        "baselines": ["popularity", "markov"],
        "means": {
            "direct, calibrated": means(ndcg, ndcg),
            "direct": means(0.31, 0.31),
            "popularity": means(0.2, 0.3),
            "markov": means(0.1, 0.35),
        },
        "reliability": {"uncalibrated_top": statement, "top": statement, "sets": sets},
        "baseline_sets": [{"coverage": 0.9, "mean_size": 5.0}, {"coverage": 0.9, "mean_size": 4.0}],
        "protocol": {"seed": seed, "users": {"test": 1000}, "fingerprint": "f", "split": "leave_last"},
    }


def test_means_leads_and_calibration_over_seeds() -> None:
    text = over_seeds({"a": measured(0, 0.34, 0.01), "b": measured(1, 0.38, 0.03)})
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines()}
    assert "1,000 users; mean ± standard deviation over 2 runs (seeds 0, 1)" in text
    assert rows["ndcg@10"] == "| ndcg@10 | 0.3600 ± 0.0283 | 0.3600 ± 0.0283 |"
    # At each step over the floor that is best there: popularity 0.3 - 0.1 at the first, the Markov chain at the second.
    assert "| ... lead | +0.1600 ± 0.0283 (2 of 2) | +0.0100 ± 0.0283 (1 of 2) |" in text
    assert "| ... lead of direct | +0.1100 ± 0.0000 (2 of 2) | -0.0400 ± 0.0000 (0 of 2) |" in text
    assert "| ... lead | -0.1600 ± 0.0283 (2 of 2) | -0.0100 ± 0.0283 (1 of 2) |" in text  # nll: less is better
    assert rows["most likely item at step"] == "| most likely item at step | 1.0 ± 1.4 of 2 | 1.00 ± 0.71 |"
    assert "each interest at step" not in text  # not measured
    assert "| sets at 90%: covered | 0.885 ± 0.007 | 0.885 ± 0.007 |" in text
    assert "| ... of the best baseline: mean size | 5.0 ± 0.0 | 4.0 ± 0.0 |" in text
    assert (
        "holds 0.9 at 1.0 ± 1.4 of 2 steps; they are smaller than the best baseline's at 2 of 4 steps and runs" in text
    )


def test_only_runs_that_were_measured_alike_are_put_together() -> None:
    one, other = measured(0, 0.3, 0.01), measured(1, 0.3, 0.01)
    with pytest.raises(UserError, match="two runs or more to compare seeds, got a"):
        over_seeds({"a": one})
    other["protocol"]["fingerprint"] = "g"
    with pytest.raises(UserError, match=r"b was not measured as a \(fingerprint differ\)"):
        over_seeds({"a": one, "b": other})
    fewer = copy.deepcopy(one) | {"forecasters": ["direct"]}
    with pytest.raises(UserError, match=r"\(steps or forecasters differ\)"):
        over_seeds({"a": one, "b": fewer})
