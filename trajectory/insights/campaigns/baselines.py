"""The rivals of a campaign's audience: RFM, counts alone, and gradient boosting on all counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from trajectory.insights.audiences.baselines import boosted, rfm
from trajectory.insights.campaigns.responses import USED, Rows, standardised_within_campaign

# Chosen on validation, as those of audiences: who redeems is learned best from our columns within each campaign, who
# buys from all counts as they are.
TREES: dict[str, dict[str, Any]] = {
    "redeem": {"learning_rate": 0.05, "max_iter": 60, "max_leaf_nodes": 3, "min_samples_leaf": 40},
    "buy": {"learning_rate": 0.05, "max_iter": 100, "max_leaf_nodes": 8, "min_samples_leaf": 20},
}


def campaign_rivals(known: Rows, counts: dict[str, np.ndarray], outcome: str) -> dict[str, np.ndarray]:
    """Scores [n] of recipients with these counts; boosting learns from the rows that were known, as ours does."""
    n = len(counts["since"])
    trees = np.zeros(n)
    if len(np.unique(known.answered)) == 2:
        if outcome == "redeem":
            names = USED[outcome]
            past, now = (
                standardised_within_campaign(known.counts, names, known.campaign),
                standardised_within_campaign(counts, names, np.zeros(n, int)),
            )
        else:
            past, now = (np.stack([of[name] for name in sorted(counts)], 1) for of in (known.counts, counts))
        trees = boosted(past, known.answered, now, TREES[outcome])
    return {
        "gradient boosting on counts": trees,
        "category frequency": counts["alike_season"],
        "promoted items bought": counts["promoted_baskets"],
        "coupons used": counts["coupons_ever"],
        "RFM": rfm(counts["since"], counts["baskets_season"], counts["spend_season"]),
    }
