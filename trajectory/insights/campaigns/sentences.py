"""What matters of campaigns: whom to address first, and that a purchase is no proof of an effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trajectory.insights.campaigns.campaign_forecast import OURS
from trajectory.insights.campaigns.uplift import Uplift
from trajectory.insights.report_model import Statement

CHANCE = 0.5  # AUC of a ranking that tells nothing


def sentences(held: dict[str, dict[str, Any]], compared: Sequence[Uplift]) -> tuple[Statement, ...]:
    """What was held out says of the most likely, and the comparison with others of an effect."""
    said = [_redeemers(held["redeem"])] if "redeem" in held else []
    return (*said, Statement(_effect(compared), "watch")) if compared else tuple(said)


def _redeemers(redeemed: dict[str, Any]) -> Statement:
    """Whom to address first: by the forecast, or by a counting rule that ranks better beyond chance; nobody where
    neither ranks better than chance.
    """
    methods, better = redeemed["methods"], [name for name, lead in redeemed["leads"].items() if lead["high"] < 0]
    by = max(better, key=lambda name: methods[name]["auc"], default=OURS)
    if methods[by]["low"] <= CHANCE:
        words = "Who of a campaign's recipients redeems was not told better than chance: address none of them first."
        return Statement(words, "sure")
    ranked = "" if by == OURS else f" by {by}, which ranks better here than the forecast"
    words = (
        f"Of the recipients of a campaign, address the most likely tenth first{ranked}: they redeemed "
        f"{methods[by]['lift']:.1f} times as often as all (mean of {len(redeemed['campaigns'])} campaigns)."
    )
    return Statement(words, "do")


def _effect(compared: Sequence[Uplift]) -> str:
    """Whether recipients bought more than others like them, as far as that is more than chance."""
    during, before = (_mean([getattr(uplift, when) for uplift in compared]) for when in ("during", "before"))
    of = f"mean of {len(compared)} campaigns"
    if during[1] <= 0 <= during[2]:
        return (
            "Whether campaigns made their recipients buy cannot be told from chance: the share that bought promoted "
            f"items was {_points(during)} points apart from that of others like them ({of}); hold back a random tenth "
            "to know."
        )
    also = (
        "in the weeks before no difference can be told from chance"
        if before[1] <= 0 <= before[2]
        else f"it was {_points(before)} points also in the weeks before"
    )
    return (
        "That recipients buy is no proof that the campaign made them: the share that bought promoted items was "
        f"{_points(during)} points apart from that of others like them ({of}), and {also}; hold back a random tenth to "
        "know."
    )


def _mean(intervals: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Mean difference with an interval that is no narrower than its own: campaigns share their users."""
    value, low, high = np.mean(intervals, axis=0)
    return float(value), float(low), float(high)


def _points(interval: tuple[float, float, float]) -> str:
    value, low, high = (100 * of for of in interval)
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"
