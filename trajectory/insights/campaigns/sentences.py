"""What matters of campaigns: whom to address first, and that a purchase is no proof of an effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trajectory.insights.campaigns.campaign_forecast import OURS
from trajectory.insights.campaigns.uplift import Uplift
from trajectory.insights.report_model import Statement


def sentences(held: dict[str, dict[str, Any]], compared: Sequence[Uplift]) -> tuple[Statement, ...]:
    """What was held out says of the most likely, and the comparison with others of an effect."""
    said: list[Statement] = []
    if "redeem" in held:
        redeemed = held["redeem"]
        words = (
            "Of the recipients of a campaign, address the most likely tenth first: they redeemed "
            f"{redeemed['methods'][OURS]['lift']:.1f} times as often as all (mean of {len(redeemed['campaigns'])} "
            "campaigns)."
        )
        said.append(Statement(words, "do"))
    if compared:
        during = float(np.mean([uplift.during[0] for uplift in compared]))
        before = float(np.mean([uplift.before[0] for uplift in compared]))
        sure = sum(uplift.during[1] > 0 for uplift in compared)
        words = (
            "That recipients buy is no proof that the campaign made them: they bought promoted items more often than "
            f"others like them by {100 * during:.1f} percentage points (mean of {len(compared)} campaigns, {sure} "
            f"of them beyond chance), but by {100 * before:.1f} also in the weeks before; hold back a "
            "tenth at random to know."
        )
        said.append(Statement(words, "watch"))
    return tuple(said)
