"""What the page says of a ranking: the methods beside ours, and how far probabilities held."""

from __future__ import annotations

import pytest

from trajectory.insights.audiences.ranking_page import ranking_table


@pytest.mark.parametrize(("within", "word"), [(True, "within what"), (False, "outside what")])
def test_methods_stand_beside_ours_and_the_note_says_whose_probabilities_held(within, word):
    method = {"auc": 0.8, "low": 0.7, "high": 0.9, "lift": 2.0}
    measured = {
        "methods": {"ours": method, "recency": {**method, "auc": 0.75}},
        "leads": {"recency": {"difference": 0.05}},
        "calibration": {
            "ece": 0.0123,
            "high": 0.02,
            "within_sampling_error": within,
            "share_within_sampling_error": 0.75,
            "bias": 0.0103,
            "bias_within_sampling_error": within,
        },
    }
    table = ranking_table("How well", measured, "Mean over 4 groups.", "campaigns")
    assert table.rows.select("ranked by", "AUC", "behind by").rows() == [("ours", 0.8, None), ("recency", 0.75, 0.05)]
    assert table.note.startswith("Mean over 4 groups. Probabilities miss by 1.23% on average, " + word)
    bias = (
        "" if within else " In all they are too high by 1.03 percentage points on average, more than chance explains."
    )
    assert table.note.endswith(f"(up to 2.00%); campaigns one by one: 75% within.{bias}")
