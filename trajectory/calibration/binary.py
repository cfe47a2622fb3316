"""Recalibration of binary forecasts ("visited within the horizon"), fitted on validation users and applied to others.

Beta calibration (Kull, Silva Filho & Flach 2017): logit p' = a ln p - b ln(1 - p) + c with a, b >= 0. A second forecast
q of the same event adds d ln q - e ln(1 - q), a pool of both on the log-odds (Ranjan & Gneiting 2010). Probabilities
are read as 1e-6 off 0 and 1, but what has probability 0 keeps it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from trajectory.metrics.binary import CLIP, check_binary


@dataclass(frozen=True)
class BinaryCalibration:
    """A fitted recalibration of probabilities; without a second forecast it keeps their order."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0

    def apply(self, p: np.ndarray, q: np.ndarray | None = None) -> np.ndarray:
        """Recalibrated probabilities, float64 of the shape of `p`; `q`, shaped alike, if it was fitted with one."""
        log_p, log_not = _logs(p)
        score = self.a * log_p + self.b * log_not + self.c
        if q is not None:
            log_q, log_not = _logs(q)
            score += self.d * log_q + self.e * log_not
        return np.where(p > 0, expit(score), 0.0)

    def to_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, float]) -> BinaryCalibration:
        """What `to_dict` gave, possibly after a way through JSON."""
        return cls(**values)


def fit_binary(p: np.ndarray, outcome: np.ndarray, q: np.ndarray | None = None) -> BinaryCalibration:
    """The calibration with the least negative log-likelihood (convex; found by L-BFGS-B).

    `p`, `outcome` (0 / 1) and the second forecast `q` are [n] or [n, K]; events with probability 0 do not count. Raises
    ValueError if `p` and `outcome` are no such arrays.
    """
    check_binary(p, outcome)
    possible = p > 0
    if not possible.any():
        return BinaryCalibration()
    inputs = [*_logs(p[possible])] + ([] if q is None else [*_logs(q[possible])])
    design = np.stack([*inputs, np.ones(len(inputs[0]))], axis=1)
    observed = outcome[possible] == 1

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        score = design @ values
        nll = np.logaddexp(0, np.where(observed, -score, score)).mean()
        return float(nll), (expit(score) - observed) @ design / len(observed)

    start = np.array([1.0, 1.0, *np.zeros(len(inputs) - 1)])
    bounds = [(0, None)] * len(inputs) + [(None, None)]
    a, b, *second, c = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x.tolist()
    return BinaryCalibration(a, b, c, *second)


def _logs(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ln p and -ln(1 - p)."""
    clipped = np.clip(np.asarray(p, np.float64), CLIP, 1 - CLIP)
    return np.log(clipped), -np.log1p(-clipped)
