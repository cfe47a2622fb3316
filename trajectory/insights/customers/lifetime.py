"""Orders of customers who may leave unseen, and what an order brings: BG/NBD and Gamma-Gamma by maximum likelihood.

Fader, Hardie & Lee 2005 ("Counting your customers" the easy way), Fader & Hardie 2013 (the Gamma-Gamma model). No
library that is kept has them without a sampler of posteriors; `lifetimes`, which is not kept, gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from scipy.special import gammaln, hyp2f1

PENALTY = 1e-6  # of the squares of the logs of parameters, so that small logs have an optimum
LARGEST = 10.0  # absolute log of a parameter: past it gammaln of b is noise, which a fit without leavers runs off to
FEWEST = 20  # customers who came again, to fit anything


class Habits(NamedTuple):
    """Of n customers at one moment, in days since the first order of each."""

    again: np.ndarray  # orders after the first
    recency: np.ndarray  # days until the last order
    age: np.ndarray  # days until now


class BgNbd(NamedTuple):
    """Orders come at a gamma distributed rate (r, alpha); after each a customer leaves by a beta distributed chance."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, h: Habits) -> np.ndarray:
        """Chance that each customer has not left, float64 [n]."""
        odds = self.a / np.maximum(self.b + h.again - 1, 1e-9)
        odds = odds * ((self.alpha + h.age) / (self.alpha + h.recency)) ** (self.r + h.again)
        return 1 / (1 + np.where(h.again > 0, odds, 0))

    def orders(self, h: Habits, days: float) -> np.ndarray:
        """Expected orders of each customer in the next `days`, float64 [n]."""
        r, alpha, a, b = self
        a = a if abs(a - 1) > 1e-6 else 1 + 1e-6
        x = h.again
        reached = hyp2f1(r + x, b + x, a + b + x - 1, days / (alpha + h.age + days))
        left = ((alpha + h.age) / (alpha + h.age + days)) ** (r + x) * reached
        return (a + b + x - 1) / (a - 1) * (1 - left) * self.alive(h)


def fit_orders(h: Habits) -> BgNbd | None:
    """The model of maximum likelihood; None where too few customers came again."""
    if (h.again > 0).sum() < FEWEST:
        return None
    x, scale = h.again, float(h.age.max())
    recency, age = h.recency / scale, h.age / scale

    def loss(log: np.ndarray) -> float:
        r, alpha, a, b = np.exp(log)
        own = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stays = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        alive = -(r + x) * np.log(alpha + age)
        left = np.log(a) - np.log(np.maximum(b + x - 1, 1e-12)) - (r + x) * np.log(alpha + recency)
        gone = np.where(x > 0, left, -np.inf)
        return -float((own + stays + np.logaddexp(alive, gone)).mean()) + PENALTY * float((log**2).sum())

    starts = ([0.0, 0.0, 0.0, 0.0], [-0.5, -1.5, -1.0, 1.0])
    found = [_fitted(loss, start) for start in starts]
    best = min(found, key=lambda fit: fit.fun)
    r, alpha, a, b = np.exp(best.x)
    return BgNbd(float(r), float(alpha * scale), float(a), float(b))


class GammaGamma(NamedTuple):
    """What an order brings varies about each customer's mean, which is gamma distributed in its turn."""

    p: float
    q: float
    v: float

    def value(self, orders: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Expected value of an order of each customer [n], given how many orders brought how much on average."""
        p, q, v = self
        return p * (v + mean * orders) / (p * orders + q - 1)


def fit_value(orders: np.ndarray, mean: np.ndarray) -> GammaGamma | None:
    """The model of maximum likelihood, of customers whose orders brought something; None where there are too few."""
    some = (orders > 0) & (mean > 0)
    if some.sum() < FEWEST:
        return None
    x, scale = orders[some], float(mean[some].mean())
    m = mean[some] / scale

    def loss(log: np.ndarray) -> float:
        p, q, v = np.exp(log)
        told = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        told += (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(x * m + v)
        return -float(told.mean()) + PENALTY * float((log**2).sum())

    p, q, v = np.exp(_fitted(loss, [1.0, 1.0, 1.0]).x)
    return GammaGamma(float(p), float(max(q, 1 + 1e-6)), float(v * scale))


def _fitted(loss: Callable[[np.ndarray], float], start: Sequence[float]) -> OptimizeResult:
    bounds = [(-LARGEST, LARGEST)] * len(start)
    return minimize(loss, start, method="Nelder-Mead", bounds=bounds, options={"maxiter": 4000})
