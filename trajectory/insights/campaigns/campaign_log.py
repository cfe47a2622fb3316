"""Campaigns beside the log in numbers: users, items and lines, and who answered which campaign when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory.data.context.campaigns import Campaigns
from trajectory.data.ingest.source.side_files import as_known

LATER = np.inf  # the time of what never came


@dataclass(frozen=True)
class CampaignLog:
    """N users, numbered in order of their ids, and their lines in order of user and time; times in unix seconds."""

    users: np.ndarray  # [N], ids of the source, sorted
    items: np.ndarray  # [I], ids of the source, sorted
    user: np.ndarray  # int64 [E]
    item: np.ndarray  # int64 [E]
    group: np.ndarray  # int64 [I], what the run knows the item by
    groups: tuple[str, ...]
    time: np.ndarray  # int64 [E]
    value: np.ndarray  # float64 [E]
    basket: np.ndarray  # int64 [E], numbered
    coupon: np.ndarray  # bool [E], paid with a coupon

    @property
    def begin(self) -> int:
        """Time of the first line."""
        return int(self.time.min())

    @property
    def end(self) -> int:
        """Time of the last line."""
        return int(self.time.max())


@dataclass(frozen=True)
class Campaign:
    """One campaign; users by number. What came after `start` is for learning later, or for measuring."""

    name: str
    kind: str
    start: int
    stop: int  # first second after it
    promoted: np.ndarray  # bool [I], items that its coupons hold for
    recipients: np.ndarray  # int64 [n], sorted
    redeemed: np.ndarray  # float64 [n], time of each recipient's first redemption; LATER: none
    redemptions: np.ndarray  # int64 [m], users of all redemptions
    when: np.ndarray  # int64 [m], their times
    bought: np.ndarray  # float64 [N], time of each user's first promoted item from `start` on and before `stop`

    def answered(self, outcome: str) -> np.ndarray:
        """When each recipient did what is asked for ("redeem" or "buy"), float64 [n]; LATER: never."""
        return self.redeemed if outcome == "redeem" else self.bought[self.recipients]


def campaign_log(lines: pl.DataFrame) -> CampaignLog:
    """Numbers the lines that `read_lines` gave."""
    users, user = np.unique(lines["user"].to_numpy(), return_inverse=True)
    items, first, item = np.unique(lines["item"].to_numpy(), return_index=True, return_inverse=True)
    groups, group = np.unique(lines["group"].fill_null("").to_numpy()[first].astype(str), return_inverse=True)
    basket = np.unique(lines["basket"].to_numpy(), return_inverse=True)[1]
    time, value = lines["time"].to_numpy(), lines["value"].fill_null(0).fill_nan(0).to_numpy()
    return CampaignLog(
        users, items, user, item, group, tuple(groups.tolist()), time, value, basket, lines["coupon"].to_numpy()
    )


def campaigns_of(log: CampaignLog, campaigns: Campaigns) -> list[Campaign]:
    """The campaigns that start while the log runs, by start, with recipients who had bought something before."""
    joined = np.full(len(log.users), LATER)
    np.minimum.at(joined, log.user, log.time)
    started = []
    users, items = pl.Series(log.users), pl.Series(log.items)
    addressed = campaigns.recipients.with_columns(as_known(campaigns.recipients["user"], users))
    redemptions = campaigns.redemptions.with_columns(as_known(campaigns.redemptions["user"], users))
    offers = campaigns.offers.with_columns(as_known(campaigns.offers["item"], items))
    for row in campaigns.described.iter_rows(named=True):
        if not log.begin < row["start"] <= log.end:
            continue
        mine = pl.col("campaign") == row["campaign"]
        recipients = _numbers(log.users, addressed.filter(mine)["user"])
        recipients = np.unique(recipients[joined[recipients] < row["start"]])
        promoted = np.isin(log.items, offers.filter(mine)["item"].drop_nulls().to_numpy())
        redeemed = redemptions.filter(mine & pl.col("user").is_not_null())
        who, when = _numbers(log.users, redeemed["user"]), redeemed["time"].to_numpy()
        first = np.full(len(log.users), LATER)
        np.minimum.at(first, who, when)
        bought = np.full(len(log.users), LATER)
        hit = promoted[log.item] & (log.time >= row["start"]) & (log.time < row["stop"])
        np.minimum.at(bought, log.user[hit], log.time[hit])
        about = str(row["campaign"]), row["kind"], row["start"], row["stop"]
        started.append(Campaign(*about, promoted, recipients, first[recipients], who, when, bought))
    return started


def _numbers(known: np.ndarray, ids: pl.Series) -> np.ndarray:
    """Numbers of ids, of those that are known."""
    values = ids.drop_nulls().to_numpy()
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return place[known[place] == values]
