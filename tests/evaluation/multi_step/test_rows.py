"""Each number of trajectories.json is a row that says of which method it is and whether that was calibrated."""

from __future__ import annotations

import polars as pl

from trajectory.evaluation.multi_step.rows import sequence_rows, sequences_table, step_rows

CONTENT = {
    "forecasters": ["direct, calibrated", "sampled"],
    "means": {name: {"test": {"ndcg@10": [0.3, 0.2]}} for name in ("direct, calibrated", "sampled", "markov")},
    "standard_errors": {
        name: {"test": {"ndcg@10": [0.1, 0.2]}} for name in ("direct, calibrated", "sampled", "markov")
    },
    "times": {
        name: {
            "test": {
                **{"median_error_days": [1.0, 2.0], "mean_error_days": [1.5, 2.5], "log_loss": [0.5, 0.6]},
                **{"coverage_80": [0.8, 0.7], "mean_error_days_standard_error": [0.1, 0.1]},
                "log_loss_standard_error": [0.1, 0.1],
            }
        }
        for name in ("direct, calibrated", "own_gap")
    },
    "reliability": {
        "uncalibrated_top": [{"ece": 0.2}, {"ece": 0.3}],
        "top": [{"ece": 0.02}, {"ece": 0.03}],
        "sets": [{"all": {"coverage": 0.9, "mean_size": 4.0}}, {"all": {"coverage": 0.8, "mean_size": 5.0}}],
    },
    "baseline_sets": [
        {"baseline": "markov", "coverage": 0.7, "mean_size": 9.0},
        {"baseline": "markov", "coverage": 0.6, "mean_size": 8.0},
    ],
    "sequences": {"rows": {"direct, calibrated": {"otd": 1.0}, "history_again": {"otd": 2.0}}},
}


def test_every_measure_is_a_row_of_its_method():
    rows = {(row.method, row.calibrated, row.metric, row.step): row for row in step_rows("runs/a", CONTENT)}
    assert rows["direct", True, "ndcg@10", 2][-2:] == (0.2, 0.2)
    assert rows["sampled", False, "ndcg@10", 1].value == 0.3
    assert rows["markov", None, "ndcg@10", 1].value == 0.3
    assert rows["direct", True, "time_log_loss", 1][-2:] == (0.5, 0.1)
    assert rows["own_gap", None, "time_median_error_days", 2][-2:] == (2.0, None)
    assert rows["direct", True, "calibration_error_top", 2].value == 0.03
    assert rows["direct", False, "calibration_error_top", 1].value == 0.2
    assert rows["direct", True, "set_coverage_90", 1].value == 0.9
    assert rows["markov", None, "set_size_90", 2].value == 8.0


def test_sequences_are_a_table_where_they_were_measured():
    table = sequences_table([*sequence_rows("runs/a", CONTENT)])
    assert table.rows() == [("runs/a", "direct", True, 1.0), ("runs/a", "history_again", None, 2.0)]
    assert table.schema["calibrated"] == pl.Boolean
    assert not [*sequence_rows("runs/a", {**CONTENT, "sequences": {}})]
