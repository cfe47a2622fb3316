"""Hand-made counts of users before a campaign starts: what they bought, of its items and of all, and coupons so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trajectory.data.times import DAY
from trajectory.insights.audiences.counts import MONTH, NEVER, SEASON
from trajectory.insights.campaigns.campaign_log import Campaign, CampaignLog

SPANS = {"month": MONTH, "season": SEASON, "ever": np.inf}
FADING = (30.0, 90.0, 250.0)  # days after which a basket counts a third


def campaign_counts(
    log: CampaignLog, campaign: Campaign, earlier: Sequence[Campaign], users: np.ndarray, moment: int
) -> dict[str, np.ndarray]:
    """Columns float64 [n] for users int64 [n] (sorted, none twice), of lines and redemptions before `moment` alone.

    `earlier`: campaigns that had started by then.
    """
    n = len(users)
    row = np.full(len(log.users), -1)
    row[users] = np.arange(n)
    past = np.flatnonzero((row[log.user] >= 0) & (log.time < moment))
    who, item, basket = row[log.user[past]], log.item[past], log.basket[past]
    age, value = (moment - log.time[past]) / DAY, log.value[past]
    promoted, coupon = campaign.promoted[item], log.coupon[past]
    alike = np.isin(np.arange(len(log.groups)), log.group[campaign.promoted])[log.group[item]]

    def total(mask: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(who[mask], None if weight is None else weight[mask], n).astype(np.float64)

    def since(mask: np.ndarray) -> np.ndarray:
        days = np.full(n, NEVER)
        np.minimum.at(days, who[mask], age[mask])
        return days

    def baskets(mask: np.ndarray) -> np.ndarray:
        first = np.zeros(len(past), bool)
        marked = np.flatnonzero(mask)
        first[marked[np.unique(basket[marked], return_index=True)[1]]] = True
        return first

    every = np.ones(len(past), bool)
    visit, wanted, paid = baskets(every), baskets(promoted), baskets(coupon)
    counts: dict[str, np.ndarray] = {}
    for name, days in SPANS.items():
        span = age <= days
        counts |= {f"baskets_{name}": total(visit & span), f"spend_{name}": total(span, value)}
        counts |= {f"promoted_{name}": total(promoted & span), f"promoted_spend_{name}": total(promoted & span, value)}
        counts |= {f"alike_{name}": total(alike & span), f"coupons_{name}": total(coupon & span)}
        counts[f"coupon_baskets_{name}"] = total(paid & span)
    counts |= {"since": since(every), "promoted_since": since(promoted), "coupon_since": since(coupon)}
    counts |= {f"promoted_baskets_{days:.0f}": total(wanted, np.exp(-age / days)) for days in FADING}
    counts |= {"promoted_baskets": total(wanted), "coupons_promoted": total(coupon & promoted)}
    counts["coupon_fading"] = total(paid, np.exp(-age / 60))
    pair, times = np.unique(who[promoted] * len(log.items) + item[promoted], return_counts=True)
    counts["promoted_items"] = np.bincount(pair // len(log.items), minlength=n).astype(np.float64)
    counts["promoted_again"] = np.bincount((pair // len(log.items))[times > 1], minlength=n).astype(np.float64)
    counts["promoted_share"] = counts["promoted_ever"] / np.maximum(total(every), 1)
    counts["coupon_share"] = counts["coupon_baskets_ever"] / np.maximum(counts["baskets_ever"], 1)
    return counts | _answers(campaign, earlier, row, n, moment)


def _answers(
    campaign: Campaign, earlier: Sequence[Campaign], row: np.ndarray, n: int, moment: int
) -> dict[str, np.ndarray]:
    """Earlier campaigns of any kind and of this one: received, answered, coupons redeemed; days since the last."""
    columns = {f"{name}{kind}": np.zeros(n) for kind in ("", "_alike") for name in ("received", "answered", "redeemed")}
    last = np.full(n, NEVER)
    for other in earlier:
        mine = row[other.recipients]
        who, when = row[other.redemptions], other.when
        counts = (who >= 0) & (when < moment)
        who, when = who[counts], when[counts]
        np.minimum.at(last, who, (moment - when) / DAY)
        for kind in ("", "_alike") if other.kind == campaign.kind else ("",):
            columns[f"received{kind}"][mine[mine >= 0]] += 1
            columns[f"answered{kind}"][np.unique(who)] += 1
            np.add.at(columns[f"redeemed{kind}"], who, 1)
    return columns | {"redeemed_since": last}
