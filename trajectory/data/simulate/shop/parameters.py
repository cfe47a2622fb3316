"""What a made-up shop is like: its customers, goods, sessions and plants, and how dirty its raw exports are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajectory.data.simulate.base import at_least, require, shares
from trajectory.data.simulate.mixes import Mixing

RANKS = 4  # best-selling items of a category that causes need: trigger, its control, and two more as targets


@dataclass(frozen=True)
class Shop(Mixing):
    """A shop; the model that the numbers belong to is in `generate`. Raises UserError where they contradict."""

    users: int = 1_000  # customers, beside whom there are bots
    interests: int = 12  # categories of goods
    seasonal: int = 4  # categories with a season
    departments: int = 3  # groups of categories
    items_per_interest: int = 40  # items of a category
    zipf: float = 0.8  # exponent of an item's share by its rank within the category
    price: float = 12.0  # median list price of an item
    price_spread: float = 0.8  # standard deviation of the logarithm of list prices

    sessions: float = 1.0  # of a customer a week, mean over customers
    activity: float = 1.5  # shape of the Gamma law of a customer's sessions a week (the smaller, the more they differ)
    noise: float = 0.1  # share of sessions in any category, uniform, instead of one of the mix
    devices: float = 0.5  # of a customer beside the first, mean of a Poisson law
    logged_in: float = 0.6  # probability that a session without an order is logged in (those with one are)
    searching: float = 0.4  # probability that a session begins with a search
    impressions: float = 6.0  # items shown in a session, at least 1, mean
    viewing: float = 0.35  # probability that what was shown is viewed
    carting: float = 0.3  # that what was viewed is put into the cart
    removing: float = 0.15  # that what is in the cart is removed again
    buying: float = 0.6  # that a session buys its cart, if anything is left in it
    quantity: float = 1.5  # pieces of a line, at least 1, mean
    returning: float = 0.1  # probability that a line is returned, some or all of its pieces
    return_days: int = 30  # latest return after the order, days

    promoted: float = 0.05  # share of items in promotion in a week
    promotion_discount: float = 0.2  # share of the price taken off in promotion
    promotion_lift: float = 2.0  # factor of the chance that an item in promotion is shown
    campaigns: int = 4  # one after the other, each for a category
    campaign_weeks: int = 3  # length of a campaign
    eligible: float = 0.5  # share of customers a campaign is for, drawn at random
    holdout: float = 0.3  # share of these who are held out at random (control)
    uplift: float = 0.15  # probability that a treated customer orders once more because of a campaign
    coupon_discount: float = 0.1  # share of the price that a treated customer's coupon takes off in the campaign
    causes: int = 4  # plants "view of A -> purchase of B"
    cause_probability: float = 0.3  # that a session with a view of A makes its customer buy B within `reach_days`
    reach_days: int = 7
    bots: float = 0.01  # bots for each customer
    bot_sessions: float = 0.5  # of a bot a week
    bot_views: int = 80  # of a session of a bot, mean, 0.2 to 0.9 s apart

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "departments", "items_per_interest", "quantity", "impressions", "return_days", "reach_days")
        at_least(self, 1, "campaign_weeks", "bot_views", "promotion_lift")
        at_least(self, 0, "zipf", "price_spread", "devices", "campaigns", "causes", "bots", "bot_sessions")
        shares(self, "noise", "logged_in", "searching", "viewing", "carting", "removing", "buying", "returning")
        shares(self, "promoted", "promotion_discount", "eligible", "holdout", "uplift", "coupon_discount")
        shares(self, "cause_probability")
        for name in ("sessions", "activity", "price"):
            require(getattr(self, name) > 0, f"{name}={getattr(self, name)}: expected more than 0")
        require(self.departments <= self.interests, f"departments={self.departments}: expected at most interests")
        require(
            self.causes <= self.interests and (not self.causes or self.items_per_interest >= RANKS),
            f"causes={self.causes}: expected at most one for each of interests={self.interests}, each of "
            f"items_per_interest={RANKS} or more",
        )
        require(
            self.campaigns * self.campaign_weeks <= self.weeks // 2,
            f"campaigns={self.campaigns} of {self.campaign_weeks} weeks: expected to fit into half of weeks="
            f"{self.weeks}",
        )

    @property
    def names(self) -> np.ndarray:
        """Name of each category."""
        return np.array([f"category_{k + 1:02d}" for k in range(self.interests)])

    @property
    def items(self) -> int:
        """Size of the catalogue."""
        return self.interests * self.items_per_interest


@dataclass(frozen=True)
class Dirt:
    """Shares of the rows of a raw export that have each defect; a row has one at most."""

    duplicate: float = 0.005  # the row is there twice, equal to the last letter
    retry: float = 0.005  # a view or a cart is sent again 1 to 900 ms later
    missing_user: float = 0.01  # the customer is a word such as NA, or nothing
    missing_item: float = 0.002  # the item is such a word
    bad_time: float = 0.002  # the time is no time
    ragged: float = 0.002  # the line has too many or too few cells, or breaks off
    foreign: float = 0.002  # a row of what is no product, such as postage
    missing_price: float = 0.01  # the price is such a word; the row is of use nevertheless

    def __post_init__(self) -> None:
        names = tuple(vars(self))
        shares(self, *names)
        require(sum(vars(self).values()) <= 0.5, f"{', '.join(names)}: expected shares that sum to half at most")
