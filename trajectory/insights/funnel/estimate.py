"""What becomes of a view, of each item and interest: rates of carts and purchases by sessions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajectory.insights.funnel.rates import Rates, in_groups, together
from trajectory.insights.funnel.views import Views

STEPS = {  # name -> (what follows, of what)
    "cart": ("cart", "view"),
    "purchase": ("purchase", "view"),
    "purchase_of_cart": ("purchase", "cart"),
}


class Counts(NamedTuple):
    """Sessions of each unit [m + 1]; of unit 0 none."""

    view: np.ndarray  # float64, with a view
    cart: np.ndarray  # float64, in which it then was put into the cart
    purchase: np.ndarray  # float64, in which it then was bought
    bought_cart: np.ndarray  # float64, in which both were

    def of(self, step: str) -> tuple[np.ndarray, np.ndarray]:
        """How many sessions went a step of STEPS, and of how many."""
        if step == "purchase_of_cart":
            return self.bought_cart, self.cart
        return getattr(self, step), self.view


def count(views: Views, units: int) -> Counts:
    """Sessions of each of so many units."""
    some = (np.ones(len(views.unit), bool), views.cart, views.purchase, views.cart & views.purchase)
    return Counts(*(np.bincount(views.unit, happened, units + 1) for happened in some))


def steps_of(views: Views) -> tuple[str, ...]:
    """The steps that the log tells of: without carts only from the view to the purchase."""
    return tuple(STEPS) if views.cart.any() else ("purchase",)


def item_rates(counts: Counts, interest: np.ndarray, step: str) -> Rates:
    """Rates of all items [V + 1], shrunk towards those of their interests; `interest` int [V + 1]."""
    return in_groups(*counts.of(step), interest)


def interest_rates(counts: Counts, step: str) -> Rates:
    """Rates of all interests [K + 1], shrunk towards that of all."""
    return together(*counts.of(step))
