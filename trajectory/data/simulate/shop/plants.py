"""What is planted in a made-up shop beside migrations: causes, and campaigns with random holdouts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory.data.simulate.base import START, categorical
from trajectory.data.simulate.shop.catalogue import Catalogue
from trajectory.data.simulate.shop.parameters import RANKS, Shop
from trajectory.data.simulate.shop.sessions import SECOND, Sessions, moments, ordering
from trajectory.data.times import DAY, WEEK


def cause_items(p: Shop) -> np.ndarray:
    """Items [3, causes]: trigger (most shown of its category), control (the next), target (of the next category)."""
    cause = np.arange(p.causes)
    first = cause * p.items_per_interest
    return np.stack([first, first + 1, (cause + 1) % p.interests * p.items_per_interest + RANKS - 1])


def cause_table(p: Shop) -> pl.DataFrame:
    """Truth table `causes`."""
    columns = dict(zip(("trigger", "control", "target"), cause_items(p) + 1, strict=True))
    return pl.DataFrame(columns).with_columns(
        probability=pl.lit(float(p.cause_probability)), reach_days=pl.lit(p.reach_days)
    )


def caused(p: Shop, viewed: np.ndarray, sessions: Sessions, devices: np.ndarray, rng: np.random.Generator) -> Sessions:
    """The orders that views cause: `viewed` int64 [2, n], session and item of each view (once in a session)."""
    trigger, _, target = cause_items(p)
    of_item = np.full(p.items, -1)
    of_item[trigger] = np.arange(p.causes)
    cause = of_item[viewed[1]]
    fired = (cause >= 0) & (rng.random(cause.size) < p.cause_probability)
    session = viewed[0, fired]
    wait = rng.integers(3_600 * SECOND, (p.reach_days * DAY - 3_600) * SECOND, session.size)
    start = sessions.start[session] + wait
    return ordering(sessions.user[session], start, target[cause[fired]], p, devices, rng)


@dataclass(frozen=True)
class Campaigns:
    """C campaigns of whole weeks, none beside another, each for some customers at random."""

    category: np.ndarray  # int64 [C]
    week: np.ndarray  # int64 [C], in which each begins
    treated: np.ndarray  # bool [C, users]
    control: np.ndarray  # bool [C, users]
    extra: np.ndarray  # bool [C, users], whom it made order once more; only treated

    def coupon(self, p: Shop, user: np.ndarray, category: np.ndarray, week: np.ndarray) -> np.ndarray:
        """Number of the campaign whose coupon each line is paid with, -1 where none is."""
        campaign = np.full(user.size, -1)
        for number in range(len(self.category)):
            on = (category == self.category[number]) & (week >= self.week[number])
            on &= week < self.week[number] + p.campaign_weeks
            on[on] = self.treated[number, user[on]]
            campaign[on] = number
        return campaign


def campaigns(p: Shop, rng: np.random.Generator) -> Campaigns:
    """Draws for whom each campaign is, who of them is held out, and whom it moves."""
    shape = (p.campaigns, p.users)
    eligible, held = rng.random(shape) < p.eligible, rng.random(shape) < p.holdout
    treated = eligible & ~held
    return Campaigns(
        rng.integers(0, p.interests, p.campaigns),
        (np.arange(p.campaigns) + 1) * p.weeks // (p.campaigns + 1),
        treated,
        eligible & held,
        treated & (rng.random(shape) < p.uplift),
    )


def moved(p: Shop, plan: Campaigns, goods: Catalogue, devices: np.ndarray, rng: np.random.Generator) -> Sessions:
    """The orders that campaigns add, each at a moment of the campaign."""
    number, user = np.nonzero(plan.extra)
    week = plan.week[number] + rng.integers(0, p.campaign_weeks, user.size)
    row = plan.category[number] * p.weeks + week
    place = categorical(goods.share.reshape(-1, p.items_per_interest), row, rng)
    item = plan.category[number] * p.items_per_interest + place
    return ordering(user, moments(week, rng), item, p, devices, rng)


def campaign_tables(p: Shop, plan: Campaigns, ids: np.ndarray) -> dict[str, pl.DataFrame]:
    """Truth tables `campaigns` and `assignments`; `ids` int64 [users]: id of each customer."""
    number, user = np.nonzero(plan.treated | plan.control)
    begins = START + plan.week * WEEK
    return {
        "campaigns": pl.DataFrame(
            {
                "campaign": np.arange(p.campaigns) + 1,
                "category": p.names[plan.category],
                "start": begins,
                "stop": begins + p.campaign_weeks * WEEK,
                "uplift": np.full(p.campaigns, p.uplift),
                "coupon_discount": np.full(p.campaigns, p.coupon_discount),
                "treated": plan.treated.sum(1),
                "control": plan.control.sum(1),
                "extra": plan.extra.sum(1),
            }
        ),
        "assignments": pl.DataFrame(
            {
                "campaign": number + 1,
                "user": ids[user],
                "treated": plan.treated[number, user],
                "extra": plan.extra[number, user],
            }
        ),
    }
