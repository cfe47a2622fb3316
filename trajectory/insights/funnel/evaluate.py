"""How well the rates predict what becomes of later views, compared with counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from trajectory.insights.funnel.estimate import count, item_rates, steps_of
from trajectory.insights.funnel.views import Views
from trajectory.metrics.binary import binary_nll
from trajectory.metrics.significance import confidence_interval
from trajectory.threads import one_thread

OURS = "item, shrunk towards its interest"
COUNTING = "counting each item, one hit and one miss more"
ALL = "rate of all items"
MEASURES = ("log_loss", "brier")


def measure(views: Views, interest: np.ndarray, cut: int, resamples: int, seed: int) -> dict[str, Any]:
    """Log loss (nats) and Brier score of "this view becomes a cart" and "... a purchase" in sessions from `cut` on.

    Rates are of the sessions before; `interest` int [V + 1] of each item. Intervals of 95 % resample users as a whole;
    `less`: ours less each other. Empty where no session with a view is on one of the sides.
    """
    past, held = views.of(views.time < cut), views.of(views.time >= cut)
    if not len(past.unit) or not len(held.unit):
        return {}
    counts, measured = count(past, len(interest) - 1), {}
    for step in steps_of(past):
        if step != "purchase_of_cart":
            hits, trials = counts.of(step)
            happened = getattr(held, step).astype(np.int8)
            rates = _rates(hits, trials, interest) | {OURS: item_rates(counts, interest, step).mean}
            chances = {name: rates[name][held.unit] for name in (OURS, *_rates(hits, trials, interest))}
            measured[step] = _scores(chances, happened, held.user, resamples, seed)
    return measured


def _rates(hits: np.ndarray, trials: np.ndarray, interest: np.ndarray) -> dict[str, np.ndarray]:
    """What counting says of each item [V + 1]."""
    of_interest = [np.bincount(interest, weights=part) for part in (hits, trials)]
    return {
        COUNTING: (hits + 1) / (trials + 2),
        "rate of its interest": ((of_interest[0] + 1) / (of_interest[1] + 2))[interest],
        ALL: np.full(len(hits), (hits.sum() + 1) / (trials.sum() + 2)),
    }


@one_thread("blas")
def _scores(
    chances: dict[str, np.ndarray], happened: np.ndarray, user: np.ndarray, resamples: int, seed: int
) -> dict[str, Any]:
    losses = np.stack([loss for p in chances.values() for loss in (binary_nll(p, happened), (p - happened) ** 2)], 1)
    number = np.unique(user, return_inverse=True)[1]
    users = int(number.max()) + 1
    sums = np.stack([np.bincount(number, weights=column) for column in losses.T], 1)
    views = np.bincount(number)
    drawn = np.random.default_rng(seed).multinomial(users, np.full(users, 1 / users), size=resamples).astype(float)
    means = (drawn @ sums) / (drawn @ views)[:, None]  # [R, methods x measures]
    whole = losses.mean(0)
    methods: dict[str, Any] = {}
    less: dict[str, Any] = {}
    for place, name in enumerate(chances):
        for offset, measure in enumerate(MEASURES):
            at = 2 * place + offset
            methods.setdefault(name, {})[measure] = _spread(whole[at], means[:, at])
            if place:
                difference = whole[offset] - whole[at], means[:, offset] - means[:, at]
                less.setdefault(name, {})[measure] = _spread(*difference)
    return {
        "views": len(happened),
        "users": users,
        "happened": int(happened.sum()),
        "methods": methods,
        "less": less,
    }


def _spread(value: float, drawn: np.ndarray) -> dict[str, float]:
    low, high = confidence_interval(drawn)[:2]
    return {"value": float(value), "low": float(low), "high": float(high)}
