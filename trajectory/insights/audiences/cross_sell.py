"""What goes with what: how much having bought of one group speaks for another, beside all others."""

from __future__ import annotations

import numpy as np

from trajectory.baselines.ease import weights

RIDGE = 50.0  # chosen on validation out of 1, 10, 50


def past_vectors(ever: np.ndarray) -> np.ndarray:
    """A user's past as a unit vector over groups, float32 [n, G]: the log of how often each came."""
    weight = np.log1p(ever)
    return weight / np.maximum(np.linalg.norm(weight, axis=1, keepdims=True), 1e-6)


def cross_sell_affinity(ever: np.ndarray) -> np.ndarray:
    """Weight of each past group (row) for each other one (column), float64 [G, G], of counts `ever` [n, G].

    Ridge regression of each group of a user's mix on all others (EASE, Steck 2019): it tells apart what goes with a
    group from what all buy. Nothing speaks for itself.
    """
    past = past_vectors(ever).astype(np.float64)
    return weights(past.T @ past, RIDGE)


def recent_affinities(ever: np.ndarray, season: np.ndarray, weight: np.ndarray, top: int = 2) -> np.ndarray:
    """The `top` groups that a user has bought of within 12 weeks and that speak most for a group, int64 [n, top].

    `ever`, `season` [n, G]; `weight` [n, G]: of each past group for the one in question. -1 where nothing speaks.
    """
    speaks = np.where(season > 0, past_vectors(ever) * weight, 0)
    order = np.argsort(-speaks, axis=1, kind="stable")[:, :top]
    return np.where(np.take_along_axis(speaks, order, 1) > 0, order, -1)
