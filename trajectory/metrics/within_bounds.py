"""What the probabilities of single steps say of the probability within several: no two statements contradict."""

from __future__ import annotations

import numpy as np


def bounded(within: np.ndarray, probability: np.ndarray, baskets: bool) -> np.ndarray:
    """Probabilities of coming within steps 1..h [n, H, C], kept to what those at each step [n, H, C] allow.

    What comes at a step comes within it, and what comes within more steps is no less likely. Of single events, coming
    within steps is at most as likely as its steps' probabilities together, so the first step's are the same. (A
    basket's `probability` is that of a line drawn at random; it has several, so nothing holds it from above.)
    """
    within = np.maximum(within, probability)
    if not baskets:
        within = np.minimum(np.maximum.accumulate(within, axis=1), np.cumsum(probability, axis=1))
    return np.minimum(np.maximum.accumulate(within, axis=1), 1.0)
