"""Probabilities of binary outcomes: what they must be, and their log-likelihood."""

from __future__ import annotations

import numpy as np

CLIP = 1e-6


def check_binary(p: np.ndarray, outcome: np.ndarray) -> None:
    """Raises ValueError unless `p` are probabilities and `outcome` are 0 / 1 of the same shape, [n] or [n, K]."""
    if p.shape != outcome.shape or p.ndim not in (1, 2) or not p.size:
        raise ValueError(f"expected p and outcome of one shape [n] or [n, K], got {p.shape} and {outcome.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("expected probabilities between 0 and 1, got others or NaN: pass probabilities, not logits")
    if not ((outcome == 0) | (outcome == 1)).all():
        raise ValueError("expected outcomes 0 or 1, got others")


def binary_nll(p: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Negative log-likelihood in nats of each outcome (0 / 1), of the shape of `p`."""
    chance = np.where(np.asarray(outcome) == 1, p, 1 - np.asarray(p, np.float64))
    return -np.log(np.maximum(chance, CLIP))
