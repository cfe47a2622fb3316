"""Weights of a mixture of forecasts by maximum likelihood (expectation maximisation)."""

from __future__ import annotations

import numpy as np

EM_STEPS = 1000


EM_TOLERANCE = 1e-6  # of every weight


def mixture_weights(log_probability: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weights [m], summing to 1, of the mixture under which the observations are most likely, by EM from equal ones.

    `log_probability` [n, m] of each observation under each member, `weight` [n] of the observations, summing to 1.
    """
    relative = np.exp(log_probability - log_probability.max(axis=1, keepdims=True))
    weights = np.full(relative.shape[1], 1 / relative.shape[1])
    for _ in range(EM_STEPS):
        share = weights * relative
        before, weights = weights, weight @ (share / share.sum(axis=1, keepdims=True))
        if np.abs(weights - before).max() < EM_TOLERANCE:
            break
    return weights
